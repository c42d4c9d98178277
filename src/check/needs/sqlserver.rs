//! What the desktop's role needs on a SQL Server.

use super::{Grant, Need, Needs, Object, must, unsynced_parents};
use crate::model::schema::TableSchema;
use crate::model::{Capture, TableName, TableSettings};
use crate::store::PRUNING_RIGHTS;

/// All of it, in the order in which it can be granted.
pub(super) fn grants(needs: &Needs<'_>) -> Vec<Grant> {
    let mut grants = vec![must(&["connect"], needs.database(), "to log in")];
    let why = "to see the tables' triggers, defaults and security policies in the catalogue, which \
               hides them otherwise: what it hides can't be minded";
    grants.push(Grant { need: Need::Should, ..must(&["view definition"], needs.database(), why) });
    grants.extend(tables(needs));
    let schema = || Object::Schema(needs.schema.clone());
    match (needs.remembers, needs.writes()) {
        (true, true) => {
            let why = "to keep positions, accounts and withheld rows";
            grants.push(must(&["select", "insert", "update", "delete"], schema(), why));
            grants.push(locks(needs));
        }
        (true, false) => {
            grants.push(must(&["select"], schema(), "to see what has come from the other end"));
            grants.extend(pruning(needs));
        }
        (false, _) => {}
    }
    grants
}

/// On the synced tables, and on those that they refer to.
fn tables(needs: &Needs<'_>) -> Vec<Grant> {
    let only_read: Vec<_> = needs.read.iter().filter(|t| !needs.written.contains(t)).collect();
    let on = |privileges, settings: &TableSettings, why| Grant {
        table: Some(settings.cloud.clone()),
        ..must(privileges, Object::Table(needs.name(settings)), why)
    };
    let mut grants: Vec<Grant> =
        only_read.iter().map(|t| on(&["select"], t, "to read what changed")).collect();
    let why = "to compare and merge rows";
    grants.extend(needs.written.iter().map(|t| on(&["select", "insert", "update"], t, why)));
    let why = "to insert rows with the keys that they have: set identity_insert takes it";
    let identified = needs.written.iter().filter(|t| fills_identity(needs, &needs.name(t)));
    grants.extend(identified.map(|t| on(&["alter"], t, why)));
    let parents = unsynced_parents(needs);
    let is_read = |name: &TableName| only_read.iter().any(|t| needs.name(t) == *name);
    grants.extend(parents.iter().filter(|p| !is_read(&p.table)).map(super::Referred::seen));
    grants
}

/// On the change log, where that is read; the right to read it goes with the schema's.
fn pruning(needs: &Needs<'_>) -> Vec<Grant> {
    let is_logged = needs.read.iter().any(|t| t.capture == Capture::DesktopLog);
    let beside = |(name, privileges): &(&str, &'static [&'static str])| {
        let own = Object::Table(TableName::new(&needs.schema, *name));
        Grant {
            need: Need::Should,
            ..must(privileges, own, "to forget what of the change log was carried")
        }
    };
    let rights = PRUNING_RIGHTS.iter().filter(|_| is_logged);
    rights.map(beside).collect()
}

/// Whether an identity column of the table is filled by what comes home.
fn fills_identity(needs: &Needs<'_>, name: &TableName) -> bool {
    let schema: Option<&TableSchema> = needs.schemas.iter().find(|s| s.table() == *name);
    let identities = schema.iter().flat_map(|s| &s.columns).filter(|c| c.identity_always);
    let names: Vec<&str> = identities.map(|c| c.name.as_str()).collect();
    let plan = needs.plans.iter().find(|plan| plan.target == *name);
    plan.is_some_and(|plan| plan.columns.iter().any(|c| names.contains(&c.target.as_str())))
}

/// The locks of one's own session tell which tables a transaction wrote.
fn locks(needs: &Needs<'_>) -> Grant {
    let why = "to see in sys.dm_tran_locks which tables the own transaction wrote, so that a trigger \
               which writes to another one is noticed; runs work without";
    let (privilege, on): (&[&str], _) = match needs.is_azure {
        true => (&["view database state"], needs.database()),
        false => (&["view server state"], Object::Server(needs.database.to_owned())),
    };
    Grant { need: Need::Should, ..must(privilege, on, why) }
}

/// What has to be said about the end beside its rights.
pub(super) fn notes(needs: &Needs<'_>, role: &str) -> Vec<String> {
    let user = needs.dialect.ident(role);
    let mut notes = vec![format!(
        "The role is a user of this database with a login of the server, made before: create login \
         {user} with password = '…'; create user {user} for login {user};"
    )];
    notes.extend(super::also_written(needs).map(|tables| {
        format!(
            "Triggers write to {tables} with this role's rights, unless the tables' owner is the \
             trigger's too: grant it what they do there."
        )
    }));
    notes
}
