//! The change log: its triggers on the synced tables, and how much of it is kept.

mod install;
mod prune;

use std::collections::BTreeSet;

use serde::Deserialize;
use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::text;
use crate::error::Result;
use crate::model::{Horizon, TableName};

use super::Store;

pub use install::{Installed, Skipped};

/// Notes changes of rows.
pub(super) const CHANGE: &str = "_sync_log_change";
/// Notes that a table was emptied.
pub(super) const TRUNCATE: &str = "_sync_log_truncate";

/// A table, and how the log's triggers stand on it.
#[derive(Debug, Clone, Deserialize)]
pub struct LogTable {
    /// The table.
    #[serde(flatten)]
    pub table: TableName,
    /// Neither a view nor a foreign table.
    pub is_table: bool,
    /// Whether our role may create triggers that always fire: only its owner may.
    pub owned: bool,
    /// Whether it has the ownership column.
    pub has_owner: bool,
    /// The columns of its key; none without one.
    pub key: Vec<String>,
    /// The columns that the log keeps as text.
    by_text: String,
    /// The trigger that notes changes of rows.
    pub change: Trigger,
    /// Its partitions, those without rows of their own left out.
    partitions: Vec<TableName>,
    /// The table and those of its partitions that nobody would see emptied.
    pub untold: Vec<Untold>,
}

/// A table without a right trigger for TRUNCATE.
#[derive(Debug, Clone, Deserialize)]
pub struct Untold {
    /// The table, or its partition.
    #[serde(flatten)]
    pub table: TableName,
    /// It has a wrong one.
    stale: bool,
}

/// How a trigger stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// There is none.
    Absent,
    /// It is made for other names or another key.
    Other,
    /// It is disabled, or a replica would not fire it.
    Sleeps,
    /// As it has to be.
    Right,
}

impl LogTable {
    /// Why changes of this table can't be logged.
    pub fn unfit(&self) -> Option<&'static str> {
        match () {
            () if !self.is_table => Some("it is not a table"),
            () if self.key.is_empty() => Some("it has no primary key"),
            () if !self.has_owner => Some("it has no ownership column"),
            () => None,
        }
    }

    /// The same, if it had no triggers yet.
    fn bare(mut self) -> Self {
        let parts = std::iter::once(&self.table).chain(&self.partitions).cloned();
        self.untold = parts.map(|table| Untold { table, stale: false }).collect();
        self.change = Trigger::Absent;
        self
    }

    /// Whether every change is logged.
    pub fn is_logged(&self) -> bool {
        self.change == Trigger::Right && self.untold.is_empty()
    }
}

impl Store<'_> {
    /// Those of `tables` that exist, each with its triggers.
    pub async fn log_tables(
        &self,
        connection: &Connection,
        tables: &[TableName],
        owner_column: &str,
    ) -> Result<Vec<LogTable>> {
        let schemas: Vec<&str> = tables.iter().map(|t| t.schema.as_str()).collect();
        let names: Vec<&str> = tables.iter().map(|t| t.name.as_str()).collect();
        let labels: Vec<String> = tables.iter().map(TableName::to_string).collect();
        let params = [
            (&schemas as _, Type::TEXT_ARRAY),
            (&names as _, Type::TEXT_ARRAY),
            (&labels as _, Type::TEXT_ARRAY),
            text(&self.schema),
            text(&owner_column),
        ];
        let sql = self.sql.render("postgres/log_tables.sql", &[]);
        connection.document("looking at the change log's triggers", &sql, &params).await
    }

    /// What the database has come to.
    pub async fn seen(&self, connection: &Connection) -> Result<Horizon> {
        let sql = self.sql.render("postgres/seen.sql", &[]);
        let seen = connection.value("asking for the snapshot", &sql, &[]).await?;
        Ok(Horizon(Some(seen)))
    }

    /// Begins the log of the table called `label` again, in a database that was restored.
    pub async fn begin_log_again(&self, connection: &Connection, label: &str) -> Result<()> {
        let sql = self.render("postgres/log_begins_again.sql");
        let doing = format!("beginning the change log of {label} again");
        connection.run(doing, &sql, &[text(&label)]).await?;
        Ok(())
    }

    /// The labels of those of `tables` whose log has begun.
    async fn log_begun(
        &self,
        connection: &Connection,
        tables: &[LogTable],
    ) -> Result<BTreeSet<String>> {
        let labels: Vec<String> = tables.iter().map(|t| t.table.to_string()).collect();
        let sql = self.render("postgres/log_begun.sql");
        let params = [(&labels as _, Type::TEXT_ARRAY)];
        let rows = connection.rows("looking at the change log", &sql, &params).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}
