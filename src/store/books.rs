//! What is on record about one table, for comparing it with what is there.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::text;
use crate::error::Result;
use crate::model::TablePlan;

use super::Store;

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
    /// No fewer rows than this have runs inserted since.
    pub inserted_since: u64,
}

/// A table's rows, to be recorded.
#[derive(Debug)]
pub struct Counted<'c> {
    /// The table's label.
    pub table: &'c str,
    /// Rows by owner; an empty owner stands for NULL.
    pub owners: &'c BTreeMap<String, u64>,
    /// When the snapshot that was counted was taken.
    pub at: &'c str,
}

impl Store<'_> {
    /// The records of `plan`'s table.
    pub async fn books(&self, connection: &Connection, plan: &TablePlan) -> Result<Books> {
        let (label, direction) = (plan.label(), plan.direction.word());
        let sql = self.render("postgres/books.sql");
        let doing = format!("reading what is on record about {label}");
        connection.document(doing, &sql, &[text(&label), text(&direction)]).await
    }

    /// Why rows are withheld, of those with these `keys` that are.
    pub async fn withheld_reasons(
        &self,
        connection: &Connection,
        plan: &TablePlan,
        keys: &[&str],
    ) -> Result<BTreeMap<String, String>> {
        let (label, direction) = (plan.label(), plan.direction.word());
        let sql = self.render("postgres/withheld_reasons.sql");
        let params = [text(&label), text(&direction), (&keys as _, Type::TEXT_ARRAY)];
        let doing = format!("looking for withheld rows of {label}");
        let rows = connection.rows(doing, &sql, &params).await?;
        Ok(rows.iter().map(|row| (row.get("key"), row.get("reason"))).collect())
    }

    /// Records what `verification` counted, of all tables in one statement.
    pub async fn record_verified(
        &self,
        connection: &Connection,
        verification: Uuid,
        counted: &[Counted<'_>],
    ) -> Result<()> {
        let lines = counted.iter().flat_map(|c| {
            c.owners.iter().map(|(owner, rows)| {
                json!({ "table_name": c.table, "owner": owner, "rows": rows, "counted_at": c.at })
            })
        });
        let document = serde_json::Value::from_iter(lines).to_string();
        let params = [(&verification as _, Type::UUID), text(&document)];
        let sql = self.render("postgres/record_verified.sql");
        connection.run("recording the counts", &sql, &params).await?;
        Ok(())
    }
}
