//! What is on record about one table, for comparing it with what is there.

use std::collections::BTreeMap;

use serde::Deserialize;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::text;
use crate::error::Result;
use crate::model::TablePlan;

use super::{Logged, Store};

/// One table's records, as one snapshot has them.
#[derive(Debug, Deserialize)]
pub struct Books {
    /// When the snapshot was taken, by the cloud's clock.
    pub at: String,
    /// How far the table has been read.
    pub watermark: Option<String>,
    /// Which source database that position belongs to.
    pub source_identity: Option<String>,
    /// Rows by owner when they were last counted; an empty owner stands for NULL.
    pub recorded: Option<BTreeMap<String, u64>>,
    /// When that was.
    pub recorded_at: Option<String>,
    /// What the snapshot sees, if there is a change log.
    pub snapshot: Option<String>,
    /// What the change log says of mobile rows since they were recorded.
    pub logged: Option<Logged>,
    /// No fewer rows than this have runs inserted since.
    pub inserted_since: u64,
}

/// Why the cloud has not a row of the desktop's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// It is withheld, for this reason.
    Withheld(String),
    /// A mobile user deleted it.
    Deleted,
}

impl Store<'_> {
    /// The records of `plan`'s table.
    pub async fn books(&self, connection: &Connection, plan: &TablePlan) -> Result<Books> {
        let (label, direction) = (plan.label(), plan.direction.word());
        let slots = [("store", self.quoted()), ("log_since", &self.log_since(plan))];
        let sql = self.sql.render("postgres/books.sql", &slots);
        let params = [text(&label), text(&plan.owner.mobile), text(&direction)];
        let doing = format!("reading what is on record about {label}");
        connection.document(doing, &sql, &params).await
    }

    /// What is on record about those of `keys` that the cloud has not.
    pub async fn withheld_reasons(
        &self,
        connection: &Connection,
        plan: &TablePlan,
        keys: &[&str],
    ) -> Result<BTreeMap<String, Absence>> {
        let (label, direction) = (plan.label(), plan.direction.word());
        let sql = self.render("postgres/withheld_reasons.sql");
        let params = [text(&label), text(&direction), (&keys as _, Type::TEXT_ARRAY)];
        let doing = format!("looking for withheld rows of {label}");
        let rows = connection.rows(doing, &sql, &params).await?;
        let absence = |row: &Row| match row.get("is_listed") {
            true => Absence::Withheld(row.get("reason")),
            false => Absence::Deleted,
        };
        // A row may be both; what the list says is newer.
        let of_log_first = rows.iter().rev();
        Ok(of_log_first.map(|row| (row.get("key"), absence(row))).collect())
    }
}
