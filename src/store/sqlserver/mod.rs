//! tidegate's own tables on a SQL Server desktop: the same tables as PostgreSQL's, but what that does in
//! one statement is often done here, in Rust, between two plain ones.
//!
//! What belongs to a batch runs in its transaction, once [`claim`](SqlServerStore::claim) has the table;
//! the others run outside of one.

mod counts;
mod images;
mod lists;
mod log;
mod migrate;
mod positions;
mod prunable;
mod reading;
mod records;
mod runs;
mod state;
mod status;
mod uninstall;
mod waiting;
mod withhold;

pub use images::{Image, Lost};
pub use log::ToLog;
pub use positions::Claimed;
pub use withhold::{Occasion, WithheldEntry};

use uuid::Uuid;

use crate::model::Direction;
use crate::sql::{Sql, tsql};

/// The version of the tables that this program works with.
pub const VERSION: i32 = migrate::MIGRATIONS.len() as i32;

/// tidegate's own tables on the desktop: which schema they are in, and the statements about them.
#[derive(Debug)]
pub struct SqlServerStore<'s> {
    sql: &'s Sql,
    schema: String,
    quoted: String,
}

/// One table's part in a run.
#[derive(Debug, Clone, Copy)]
pub struct OfRun<'r> {
    /// The table.
    pub label: &'r str,
    /// Which way its rows go.
    pub direction: Direction,
    /// The run.
    pub run_id: Uuid,
}

impl<'s> SqlServerStore<'s> {
    /// The tables in `schema`.
    pub fn new(sql: &'s Sql, schema: &str) -> Self {
        Self { sql, schema: schema.to_owned(), quoted: tsql::ident(schema) }
    }

    /// The schema's name.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The schema's name, quoted.
    pub fn quoted(&self) -> &str {
        &self.quoted
    }

    /// The statements.
    pub fn sql(&self) -> &'s Sql {
        self.sql
    }

    fn render(&self, name: &'static str) -> String {
        self.sql.render(name, &[("store", &self.quoted)])
    }

    /// The statement `name` about a list, which stands in its slot `slot`.
    fn render_with(&self, name: &'static str, (slot, list): (&str, &str)) -> String {
        self.sql.render(name, &[("store", &self.quoted), (slot, list)])
    }
}
