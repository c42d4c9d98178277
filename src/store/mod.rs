//! tidegate's own tables, in a schema of the database that is written.

mod books;
mod conflicts;
mod counts;
mod log;
mod migrate;
mod positions;
mod rights;
mod rows;
mod runs;
pub mod sqlserver;
mod state;
mod status;
mod uninstall;
mod withheld;

pub use books::{Absence, Books};
pub use conflicts::{Base, ConflictRecord, Conflicts, Values};
pub use counts::{Count, Counted, Logged};
pub use log::{Installed, LogTable, Skipped, Trigger};
pub use migrate::Migrated;
pub use positions::{Moment, TablePosition};
pub use rights::{
    DESKTOP_LOG_RIGHTS, LOG_RIGHTS, PRUNING_RIGHTS, READING_RIGHTS, RIGHTS, TableRights,
};
pub use rows::{LoggedChange, RowChanges, RowRecords, TrashRecord, WithheldRecord, WrittenBy};
pub use runs::{Finished, Quiet};
pub use sqlserver::SqlServerStore;
pub use state::{CarriedByTable, State, TableState};
pub use status::{LastRun, Refused, TableStatus};

use crate::error::End;
use crate::sql::{Sql, ident};

/// The version of the tables that this program works with.
pub const VERSION: i32 = migrate::MIGRATIONS.len() as i32;

/// tidegate's own tables: which schema they are in, and the statements about them.
#[derive(Debug)]
pub struct Store<'s> {
    sql: &'s Sql,
    end: End,
    schema: String,
    quoted: String,
}

impl<'s> Store<'s> {
    /// The tables in `schema` of the cloud.
    pub fn new(sql: &'s Sql, schema: &str) -> Self {
        Self::at(End::Cloud, sql, schema)
    }

    /// The tables in `schema` of `end`.
    pub fn at(end: End, sql: &'s Sql, schema: &str) -> Self {
        Self { sql, end, schema: schema.to_owned(), quoted: ident(schema) }
    }

    /// The end that they are at.
    pub fn end(&self) -> End {
        self.end
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
}
