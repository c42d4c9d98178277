//! Rights: `grants` prints them, `check` asks whether they are there.

use serde::Serialize;
use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::error::Result;
use crate::model::TableName;
use crate::sql::{Sql, ident, list, table};

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
