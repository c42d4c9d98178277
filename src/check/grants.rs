//! Rights: `grants` prints them, `check` asks whether they are there.

use serde::Serialize;
use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::error::Result;
use crate::model::TableName;
use crate::sql::{Dialect, Sql, list};

use super::facts::Role;

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
    /// The server of a database that is called so.
    Server(String),
}

impl Object {
    /// As it stands after ON.
    fn named(&self, dialect: Dialect) -> String {
        let table = |name: &TableName| match dialect {
            Dialect::Postgres => dialect.table(name),
            Dialect::Tsql => format!("object::{}", dialect.table(name)),
        };
        match (self, dialect) {
            (Object::Schema(name), Dialect::Tsql) => format!("schema::{}", dialect.ident(name)),
            (Object::Schema(name), _) => format!("schema {}", dialect.ident(name)),
            (Object::Database(name) | Object::Server(name), _) => {
                format!("database {}", dialect.ident(name))
            }
            (Object::Table(name) | Object::Columns(name, _), _) => table(name),
            (Object::Sequence(name), Dialect::Tsql) => table(name),
            (Object::Sequence(name), Dialect::Postgres) => {
                format!("sequence {}", dialect.table(name))
            }
            (Object::Role(name), _) => (*name).to_owned(),
        }
    }
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
    pub(super) fn statement(&self, role: Role<'_>, dialect: Dialect) -> String {
        let what = self.privileges.join(", ");
        let (login, role) = (dialect.ident(role.login), dialect.ident(role.name));
        let on = self.object.named(dialect);
        match (&self.object, dialect) {
            (Object::Role(name), _) => format!("grant {name} to {role};"),
            (Object::Columns(_, columns), _) => {
                let columns = list(columns.iter().map(|c| dialect.ident(c)), ", ");
                match dialect {
                    Dialect::Postgres => format!("grant {what} ({columns}) on {on} to {role};"),
                    Dialect::Tsql => format!("grant {what} on {on} ({columns}) to {role};"),
                }
            }
            // The session's own.
            (Object::Database(_), Dialect::Tsql) => format!("grant {what} to {role};"),
            // Only there it can be given.
            (Object::Server(database), _) => {
                let back = dialect.ident(database);
                format!("use [master]; grant {what} to {login}; use {back};")
            }
            _ => format!("grant {what} on {on} to {role};"),
        }
    }

    /// The questions to the server: kind, schema, name, column, privilege.
    pub(super) fn asked(&self) -> Vec<[&str; 5]> {
        let objects: Vec<[&str; 4]> = match &self.object {
            Object::Database(name) => vec![["database", "", name, ""]],
            Object::Schema(name) => vec![["schema", name, "", ""]],
            Object::Table(t) => vec![["table", &t.schema, &t.name, ""]],
            Object::Columns(t, columns) => {
                columns.iter().map(|column| ["column", &t.schema, &t.name, column]).collect()
            }
            Object::Sequence(t) => vec![["sequence", &t.schema, &t.name, ""]],
            Object::Role(name) => vec![["role", "", name, ""]],
            Object::Server(_) => vec![["server", "", "", ""]],
        };
        let mut asked = Vec::new();
        for [kind, schema, name, column] in objects {
            let of = |privilege: &&'static str| [kind, schema, name, column, *privilege];
            asked.extend(self.privileges.iter().map(of));
        }
        asked
    }
}

/// Which of the rights that `grants` ask for the role of a PostgreSQL has, one after the other; none
/// where the object does not exist.
pub(super) async fn held(
    connection: &Connection,
    sql: &Sql,
    grants: &[Grant],
) -> Result<Vec<Option<bool>>> {
    let asked: Vec<[&str; 5]> = grants.iter().flat_map(Grant::asked).collect();
    let [kinds, schemas, names, columns, privileges] =
        [0, 1, 2, 3, 4].map(|i| asked.iter().map(|question| question[i]).collect::<Vec<_>>());
    let params = [&kinds, &schemas, &names, &columns, &privileges];
    let params = params.map(|values| (values as _, Type::TEXT_ARRAY));
    let statement = sql.render("postgres/check_rights.sql", &[]);
    connection.document("looking at the rights", &statement, &params).await
}

/// Those of `grants` of which something is not `held`.
pub(super) fn missing(grants: Vec<Grant>, held: Vec<Option<bool>>) -> Vec<Grant> {
    let mut held = held.into_iter();
    let is_missing = |grant: &Grant| {
        let answers: Vec<_> = held.by_ref().take(grant.asked().len()).collect();
        answers.contains(&Some(false))
    };
    let lacks: Vec<bool> = grants.iter().map(is_missing).collect();
    grants.into_iter().zip(lacks).filter(|(_, lacks)| *lacks).map(|(grant, _)| grant).collect()
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
pub(super) fn granted(
    role: Role<'_>,
    dialect: Dialect,
    grants: &[Grant],
    notes: Vec<String>,
) -> RoleGrants {
    let granted = |g: &Grant| Granted { sql: g.statement(role, dialect), why: g.why };
    RoleGrants { role: role.name.to_owned(), grants: grants.iter().map(granted).collect(), notes }
}
