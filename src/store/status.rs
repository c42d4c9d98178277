//! What `status` shows of each table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::text;
use crate::error::{Error, Kind, Result};
use crate::model::Direction;

use super::Store;

/// One table, as recorded in the database that is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableStatus {
    /// The table.
    pub table: String,
    /// `forward` or `reverse`.
    pub direction: String,
    /// Up to where it has been read.
    pub watermark: Option<String>,
    /// How far that lies back.
    pub lag_seconds: Option<i64>,
    /// When a run last moved it.
    pub last_sync: Option<String>,
    /// Runs that failed since.
    pub consecutive_failures: i64,
    /// Rows by owner when they were last counted.
    pub counts: BTreeMap<String, u64>,
    /// Withheld rows by reason.
    pub withheld_by: BTreeMap<String, u64>,
    /// What the target said of rows that it refused: the five most frequent answers.
    pub refused: Vec<Refused>,
    /// The last run that did something.
    pub last_run: Option<LastRun>,
}

/// One answer of the target to rows that it refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    /// The answer, without values.
    pub detail: String,
    /// Withheld rows that met it.
    pub rows: u64,
}

/// A row of `_sync_runs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastRun {
    /// The run.
    pub run_id: String,
    /// How it ended.
    pub outcome: String,
    /// When it began.
    pub started_at: String,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows that were not written.
    pub withheld: u64,
    /// What went wrong.
    pub error: Option<String>,
}

impl Store<'_> {
    /// The status of the tables called `labels`, in their order.
    pub async fn status(
        &self,
        connection: &Connection,
        labels: &[String],
        direction: Direction,
    ) -> Result<Vec<TableStatus>> {
        self.require(connection).await?;
        let (doing, direction) = ("reading the status", direction.word());
        let sql = self.render("postgres/status.sql");
        let params = [(&labels as _, Type::TEXT_ARRAY), text(&direction)];
        let rows = connection.rows(doing, &sql, &params).await?;
        let parse = |row: &tokio_postgres::Row| {
            serde_json::from_str(row.get(0)).map_err(|e| Error::new(Kind::Other, doing).because(e))
        };
        rows.iter().map(parse).collect()
    }
}
