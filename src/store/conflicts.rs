//! What both sides did to one row, as one end has it: withheld rows that are open, and versions that
//! lost.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::text;
use crate::error::Result;
use crate::model::Reason;
use crate::model::conflict::{Conflict, Id, List};

use super::Store;

/// Columns → text; `None` is NULL.
pub type Values = BTreeMap<String, Option<String>>;

/// The entries of one end.
#[derive(Default, Deserialize)]
pub struct Conflicts {
    /// How many are open.
    pub open: u64,
    /// How many a run has decided.
    pub decided: u64,
    /// The latest of the open ones.
    pub withheld: Vec<ConflictRecord>,
    /// The latest of the others.
    pub trash: Vec<ConflictRecord>,
}

/// An entry, as it is listed or, with all that is known of it, on its own. Without `Debug`: no log shows
/// values of rows.
#[derive(Deserialize)]
pub struct ConflictRecord {
    /// The number in the list.
    pub number: i64,
    /// The table.
    pub table: String,
    /// The key: columns of the cloud → text.
    pub key: Value,
    /// `forward` or `reverse`.
    pub direction: String,
    /// The reason on the list.
    pub reason: String,
    /// Whether both sides have changed the row.
    #[serde(default)]
    pub contested: bool,
    /// When it was met first, or decided.
    pub since: String,
    /// How often it was tried; `None`: it is decided.
    pub attempts: Option<i64>,
    /// When it was met last.
    pub last_seen: Option<String>,
    /// What the target said of the row.
    pub detail: Option<String>,
    /// The version that came in.
    pub sent: Option<Values>,
    /// The version that it met.
    pub held: Option<Values>,
    /// The version that lost.
    pub lost: Option<Values>,
    /// The version that stands.
    pub won: Option<Values>,
    /// The runs that met it: the first and the last.
    #[serde(default)]
    pub runs: Vec<String>,
}

/// What a row was before a change by a mobile user.
#[derive(Deserialize)]
pub struct Base {
    /// When it was changed.
    pub changed_at: String,
    /// The row before.
    pub values: Values,
}

impl Store<'_> {
    /// The latest entries of each list, up to `limit`; of one table if `label` names one.
    pub async fn conflicts(
        &self,
        connection: &Connection,
        label: Option<&str>,
        limit: usize,
    ) -> Result<Conflicts> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let reasons = Conflict::REASONS.map(Reason::word);
        let reasons = &reasons[..];
        let params = [text(&label), (&limit as _, Type::INT8), (&reasons as _, Type::TEXT_ARRAY)];
        let sql = self.render("postgres/conflicts.sql");
        connection.document("reading the conflicts", &sql, &params).await
    }

    /// One entry with both versions, if it is there.
    pub async fn conflict(
        &self,
        connection: &Connection,
        id: Id,
    ) -> Result<Option<ConflictRecord>> {
        let sql = match id.list {
            List::Withheld => self.render("postgres/withheld_entry.sql"),
            List::Trash => self.render("postgres/trash_entry.sql"),
        };
        let number = [(&id.number as _, Type::INT8)];
        connection.any_document(format!("reading {id}"), &sql, &number).await
    }

    /// What the row was before the last change of it until `moment`, if the log has that still.
    pub async fn base(
        &self,
        connection: &Connection,
        label: &str,
        key: &str,
        moment: Option<&str>,
    ) -> Result<Option<Base>> {
        let doing = format!("reading the change log of {label}");
        let params = [text(&label), text(&key), text(&moment)];
        let sql = self.render("postgres/row_base.sql");
        connection.any_document(doing, &sql, &params).await
    }
}
