//! What one end has on record about a single row.

use serde::Deserialize;
use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::text;
use crate::error::Result;
use crate::model::Position;
use crate::sql::log::beyond;

use super::Store;

/// So many entries of the change log are shown.
const ENTRIES: i64 = 20;

/// What `_sync_runs`, `_sync_withheld` and `_sync_trash` have of a row.
#[derive(Debug, Default, Deserialize)]
pub struct RowRecords {
    /// The run that wrote the row as it is.
    pub written_by: Option<WrittenBy>,
    /// Where it is withheld.
    pub withheld: Vec<WithheldRecord>,
    /// Where a version of it has lost.
    pub trash: Vec<TrashRecord>,
}

/// A run that wrote a row.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct WrittenBy {
    /// The run.
    pub run_id: String,
    /// `forward` or `reverse`.
    pub direction: String,
    /// When it began.
    pub started_at: String,
}

/// An entry of `_sync_withheld`.
#[derive(Debug, Deserialize)]
pub struct WithheldRecord {
    /// Its number.
    pub number: i64,
    /// `forward` or `reverse`.
    pub direction: String,
    /// Why.
    pub reason: String,
    /// Whether both sides have changed the row.
    pub contested: bool,
    /// What the target said of it.
    pub detail: Option<String>,
    /// When it was met first.
    pub since: String,
    /// When it was met last.
    pub last_seen: String,
    /// How often it was tried.
    pub attempts: i64,
}

/// An entry of `_sync_trash`.
#[derive(Debug, Deserialize)]
pub struct TrashRecord {
    /// Its number.
    pub number: i64,
    /// `forward` or `reverse`.
    pub direction: String,
    /// Which side's version lost to which.
    pub reason: String,
    /// The run that decided.
    pub run_id: String,
    /// When.
    pub since: String,
}

/// What the change log has of a row.
#[derive(Debug, Deserialize)]
pub struct RowChanges {
    /// Whether changes of the table are logged.
    pub logged: bool,
    /// The latest first.
    pub entries: Vec<LoggedChange>,
}

/// An entry of the change log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct LoggedChange {
    /// `insert`, `update` or `delete` by a mobile user; `overwritten` or `queued` by a run.
    pub operation: String,
    /// When.
    pub changed_at: String,
    /// Whether the next reverse run has it still to read.
    pub pending: bool,
}

impl Store<'_> {
    /// The records of the row with this `key`, which the transaction `xmin` wrote.
    pub async fn row_records(
        &self,
        connection: &Connection,
        label: &str,
        key: &str,
        xmin: Option<&str>,
    ) -> Result<RowRecords> {
        let doing = format!("reading what is on record about a row of {label}");
        let params = [text(&label), text(&key), text(&xmin)];
        connection.document(doing, &self.render("postgres/row_records.sql"), &params).await
    }

    /// The log's entries about the row with this `key`; reverse has come to `at`.
    pub async fn row_changes(
        &self,
        connection: &Connection,
        label: &str,
        key: &str,
        at: Option<&Position>,
    ) -> Result<RowChanges> {
        let doing = format!("reading the change log of {label}");
        let beyond = beyond("c", "$3::text", "$4::text");
        let slots = [("store", self.quoted()), ("beyond", &*beyond)];
        let sql = self.sql().render("postgres/row_changes.sql", &slots);
        let (watermark, after) =
            (at.and_then(|at| at.watermark.as_ref()), at.and_then(|at| at.after.as_ref()));
        let entries = (&ENTRIES as _, Type::INT8);
        let params = [text(&label), text(&key), text(&watermark), text(&after), entries];
        connection.document(doing, &sql, &params).await
    }
}
