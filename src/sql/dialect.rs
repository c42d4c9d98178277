//! How a statement for a person is spelled, by the kind of database that it is for.

use super::tsql;
use crate::model::TableName;

/// The SQL of one kind of database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL's.
    #[default]
    Postgres,
    /// SQL Server's.
    Tsql,
}

impl Dialect {
    /// `name` as a quoted identifier.
    pub fn ident(self, name: &str) -> String {
        match self {
            Dialect::Postgres => super::ident(name),
            Dialect::Tsql => tsql::ident(name),
        }
    }

    /// `table` as a quoted, schema-qualified name.
    pub fn table(self, table: &TableName) -> String {
        match self {
            Dialect::Postgres => super::table(table),
            Dialect::Tsql => tsql::table(table),
        }
    }
}
