//! The rights that runs need, and no more: `grants` prints them, `check` asks whether they are there.

use serde::Serialize;
use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::db::postgres::sequences::Sequence;
use crate::error::{End, Result};
use crate::model::schema::TableSchema;
use crate::model::{Ownership, TableName, TablePlan, TableSettings};
use crate::sql::{Sql, ident, list, table};
use crate::store::{self, Store};

use super::facts::Table;

/// What a right is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Object {
    Database(String),
    Schema(String),
    Table(TableName),
    Columns(TableName, Vec<String>),
    Sequence(TableName),
    /// Membership in a role.
    Role(&'static str),
}

/// Rights on one object, and what they are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) privileges: &'static [&'static str],
    pub(super) object: Object,
    /// The table of the cloud whose runs need it; none if all do.
    pub(super) table: Option<TableName>,
    pub(super) why: &'static str,
    pub(super) need: Need,
}

/// What comes of it when a right is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// The run, or the table, fails.
    Must,
    /// It works, but less well.
    Should,
    /// The horizon says what comes of it.
    Horizon,
}

/// The role that may see when other sessions began their transactions.
const STATS: &str = "pg_read_all_stats";

/// What a desktop role needs.
pub(super) fn desktop(database: &str, settings: &[TableSettings]) -> Vec<Grant> {
    let mut grants = vec![connect(database)];
    let schemas = settings.iter().map(|t| t.desktop.schema.as_str());
    grants.extend(usage(schemas, "to find the tables"));
    grants.extend(settings.iter().map(|t| Grant {
        table: Some(t.cloud.clone()),
        ..must(&["select"], Object::Table(t.desktop.clone()), "to read what changed")
    }));
    if !settings.iter().all(|t| t.lag.stands_alone()) {
        let why = "to see when other sessions began their transactions, which an administrator \
                   grants; or else set a lag longer than the longest of them in the configuration";
        grants.push(Grant { need: Need::Horizon, ..must(&["usage"], Object::Role(STATS), why) });
    }
    grants
}

/// What a cloud role needs; `schemas` is what the cloud has of the tables.
pub(super) fn cloud(
    database: &str,
    store: &Store<'_>,
    settings: &[TableSettings],
    schemas: &[TableSchema],
) -> Vec<Grant> {
    let synced: Vec<&TableName> = settings.iter().map(|t| &t.cloud).collect();
    let parents = unsynced_parents(schemas, &synced);
    let mut grants = vec![
        connect(database),
        must(&["temporary"], Object::Database(database.to_owned()), "to stage a batch"),
    ];
    let places = synced.iter().copied().chain(parents.iter().map(|p| &p.table));
    grants.extend(usage(places.map(|t| t.schema.as_str()), "to find the tables"));
    grants.extend(synced.iter().map(|&t| Grant {
        table: Some(t.clone()),
        ..must(
            &["select", "insert", "update"],
            Object::Table(t.clone()),
            "to compare and merge rows",
        )
    }));
    for Referred { table, columns, by } in parents {
        let object = Object::Columns(table, columns);
        let why = "to see whether the parent of a row is there";
        grants.push(Grant { table: Some(by.clone()), ..must(&["select"], object.clone(), why) });
        let why = "to keep the parent there until the row is committed: a row lock needs the \
                   right to update some column; tidegate updates none";
        let should = Grant { need: Need::Should, ..must(&["update"], object, why) };
        grants.push(Grant { table: Some(by), ..should });
    }
    grants.extend(usage([store.schema()].into_iter(), "to find tidegate's own tables"));
    grants.extend(store::RIGHTS.iter().map(|(name, privileges)| {
        let own = TableName::new(store.schema(), *name);
        must(privileges, Object::Table(own), "to keep positions, accounts and withheld rows")
    }));
    grants
}

/// Sequences that fill columns which the desktop has nothing for.
pub(super) fn sequences(plans: &[TablePlan], tables: &[Table]) -> Vec<Grant> {
    let of = |plan: &TablePlan| {
        let table = tables.iter().find(|t| t.table == plan.target);
        let travels = |column: &String| plan.columns.iter().any(|c| &c.target == column);
        let drawn = table.into_iter().flat_map(|t| &t.sequences);
        let drawn = drawn.filter(|s| s.by_default && !travels(&s.column));
        let grant = |sequence: &TableName| Grant {
            table: Some(plan.target.clone()),
            ..must(
                &["usage"],
                Object::Sequence(sequence.clone()),
                "to fill a column that the desktop has nothing for",
            )
        };
        drawn.map(|s| grant(&s.sequence)).collect::<Vec<_>>()
    };
    plans.iter().flat_map(of).collect()
}

/// Sequences that mobile users' keys are drawn from.
pub(super) fn key_sequences(tables: &[Table], ownership: &Ownership) -> Vec<Grant> {
    let drawn = tables.iter().flat_map(|t| &t.sequences);
    let drawn = drawn.filter(|s| s.fills_key(ownership) && s.ascends());
    let why = "to move a sequence that would make keys for mobile users which the desktop has used";
    let grants = |s: &Sequence| {
        let schema = must(&["usage"], Object::Schema(s.sequence.schema.clone()), why);
        let itself = must(&["select", "update"], Object::Sequence(s.sequence.clone()), why);
        let should = |grant| Grant { table: Some(s.table.clone()), need: Need::Should, ..grant };
        let elsewhere = s.sequence.schema != s.table.schema;
        elsewhere.then_some(schema).into_iter().chain([itself]).map(should).collect::<Vec<_>>()
    };
    drawn.flat_map(grants).collect()
}

fn must(privileges: &'static [&'static str], object: Object, why: &'static str) -> Grant {
    Grant { privileges, object, table: None, why, need: Need::Must }
}

fn connect(database: &str) -> Grant {
    must(&["connect"], Object::Database(database.to_owned()), "to log in")
}

fn usage<'s>(schemas: impl Iterator<Item = &'s str>, why: &'static str) -> Vec<Grant> {
    let mut names: Vec<&str> = schemas.collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| must(&["usage"], Object::Schema(name.to_owned()), why)).collect()
}

/// A table that is referred to and not synced itself.
struct Referred {
    table: TableName,
    columns: Vec<String>,
    by: TableName,
}

fn unsynced_parents(schemas: &[TableSchema], synced: &[&TableName]) -> Vec<Referred> {
    let mut found: Vec<Referred> = Vec::new();
    for schema in schemas {
        let keys = schema.foreign_keys.iter().filter(|key| !synced.contains(&&key.parent()));
        for key in keys {
            let at = found.iter().position(|p| p.table == key.parent()).unwrap_or_else(|| {
                let (table, by) = (key.parent(), schema.table());
                found.push(Referred { table, columns: Vec::new(), by });
                found.len() - 1
            });
            let columns = &mut found[at].columns;
            columns.extend(key.parent_columns.iter().cloned());
            columns.sort();
            columns.dedup();
        }
    }
    found
}

impl Grant {
    /// The statement that gives the right to `role`.
    pub(super) fn statement(&self, role: &str) -> String {
        let role = ident(role);
        let privileges = self.privileges.join(", ");
        match &self.object {
            Object::Database(name) => {
                format!("grant {privileges} on database {} to {role};", ident(name))
            }
            Object::Schema(name) => {
                format!("grant {privileges} on schema {} to {role};", ident(name))
            }
            Object::Table(name) => format!("grant {privileges} on {} to {role};", table(name)),
            Object::Columns(name, columns) => {
                let columns = list(columns.iter().map(|c| ident(c)), ", ");
                format!("grant {privileges} ({columns}) on {} to {role};", table(name))
            }
            Object::Sequence(name) => {
                format!("grant {privileges} on sequence {} to {role};", table(name))
            }
            Object::Role(name) => format!("grant {name} to {role};"),
        }
    }

    /// The questions to the server: kind, schema, name, column, privilege.
    fn asked(&self) -> Vec<[&str; 5]> {
        let objects: Vec<[&str; 4]> = match &self.object {
            Object::Database(name) => vec![["database", "", name, ""]],
            Object::Schema(name) => vec![["schema", name, "", ""]],
            Object::Table(t) => vec![["table", &t.schema, &t.name, ""]],
            Object::Columns(t, columns) => {
                columns.iter().map(|column| ["column", &t.schema, &t.name, column]).collect()
            }
            Object::Sequence(t) => vec![["sequence", &t.schema, &t.name, ""]],
            Object::Role(name) => vec![["role", "", name, ""]],
        };
        let mut asked = Vec::new();
        for [kind, schema, name, column] in objects {
            let of = |privilege: &&'static str| [kind, schema, name, column, *privilege];
            asked.extend(self.privileges.iter().map(of));
        }
        asked
    }
}

/// Those of `grants` that our role lacks, in part or whole. What is on an object that does not exist
/// is nobody's to lack.
pub(super) async fn missing(
    connection: &Connection,
    sql: &Sql,
    grants: Vec<Grant>,
) -> Result<Vec<Grant>> {
    let asked: Vec<[&str; 5]> = grants.iter().flat_map(Grant::asked).collect();
    let [kinds, schemas, names, columns, privileges] =
        [0, 1, 2, 3, 4].map(|i| asked.iter().map(|question| question[i]).collect::<Vec<_>>());
    let params = [&kinds, &schemas, &names, &columns, &privileges];
    let params = params.map(|values| (values as _, Type::TEXT_ARRAY));
    let statement = sql.render("postgres/check_rights.sql", &[]);
    let held: Vec<Option<bool>> =
        connection.document("looking at the rights", &statement, &params).await?;
    let mut held = held.into_iter();
    let is_missing = |grant: &Grant| {
        let answers: Vec<_> = held.by_ref().take(grant.asked().len()).collect();
        answers.contains(&Some(false))
    };
    let lacks: Vec<bool> = grants.iter().map(is_missing).collect();
    Ok(grants.into_iter().zip(lacks).filter(|(_, lacks)| *lacks).map(|(grant, _)| grant).collect())
}

/// The rights of one role, to be printed.
#[derive(Debug, Clone, Serialize)]
pub struct RoleGrants {
    /// The role.
    pub role: String,
    /// Its rights, in the order in which they can be granted.
    pub grants: Vec<Granted>,
    /// What rights alone don't do.
    pub notes: Vec<String>,
}

/// A statement, and what its rights are for.
#[derive(Debug, Clone, Serialize)]
pub struct Granted {
    /// The statement.
    pub sql: String,
    /// What for.
    pub why: &'static str,
}

/// The statements that give `role` its rights.
pub(super) fn granted(role: &str, grants: &[Grant], notes: Vec<String>) -> RoleGrants {
    let granted = |g: &Grant| Granted { sql: g.statement(role), why: g.why };
    RoleGrants { role: role.to_owned(), grants: grants.iter().map(granted).collect(), notes }
}

/// What has to be said about an end beside its rights.
pub(super) fn notes(
    end: End,
    tables: &[Table],
    settings: &[TableSettings],
    role: &str,
) -> Vec<String> {
    let mut notes = Vec::new();
    let secured = tables.iter().filter(|t| t.row_security).map(|t| t.table.to_string());
    let secured: Vec<String> = secured.collect();
    if !secured.is_empty() {
        notes.push(format!(
            "Row-level security is on for {}: alter role {} bypassrls; or else make the role the \
             table's owner. A count that can't see mobile rows can't protect them.",
            secured.join(", "),
            ident(role)
        ));
    }
    let mut also: Vec<String> =
        settings.iter().flat_map(|t| &t.also_writes).map(TableName::to_string).collect();
    also.sort();
    also.dedup();
    if end == End::Cloud && !also.is_empty() {
        notes.push(format!(
            "Triggers write to {} with this role's rights, unless their functions are SECURITY \
             DEFINER: grant it what they do there.",
            also.join(", ")
        ));
    }
    notes
}
