//! What the end that is read knows of the direction that writes it, and of its change log.

use std::collections::BTreeMap;

use serde::Deserialize;
use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::text;
use crate::error::Result;
use crate::model::{Carried, Logged, Position, TablePlan};
use crate::sql::Sql;

/// What is known of one table.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) carried: Carried,
    pub(super) logged: Option<Logged>,
}

#[derive(Deserialize)]
struct Document {
    table: String,
    position: Option<PositionDocument>,
    held_back: Vec<String>,
    won: Vec<String>,
    logged: Option<Logged>,
}

#[derive(Deserialize)]
struct PositionDocument {
    watermark: String,
    after: Option<String>,
}

/// Asks within the snapshot that `holder` holds; `store` is the schema of tidegate's own tables.
pub(super) async fn read(
    holder: &Connection,
    sql: &Sql,
    store: &str,
    tables: &[(&TablePlan, &Position)],
) -> Result<BTreeMap<String, Known>> {
    let Some((first, _)) = tables.first() else { return Ok(BTreeMap::new()) };
    let labels: Vec<String> = tables.iter().map(|(plan, _)| plan.label()).collect();
    let direction = first.direction.opposite().word();
    let statement = sql.render("postgres/opposite.sql", &[("store", store)]);
    let params = [(&labels as _, Type::TEXT_ARRAY), text(&direction)];
    let doing = "asking how far the other direction has come";
    let documents: Vec<Document> = holder.document(doing, &statement, &params).await?;
    Ok(documents.into_iter().map(|d| (d.table.clone(), Known::from(d))).collect())
}

/// How far the other direction has come with one table.
///
/// # Errors
/// When it can't be asked.
pub async fn carried(
    connection: &Connection,
    sql: &Sql,
    store: &str,
    plan: &TablePlan,
) -> Result<Option<Carried>> {
    let nowhere = Position::default();
    let mut known = read(connection, sql, store, &[(plan, &nowhere)]).await?;
    Ok(known.remove(&plan.label()).map(|known| known.carried))
}

impl From<Document> for Known {
    fn from(document: Document) -> Self {
        let position = document.position.map(|p| Position {
            watermark: Some(p.watermark),
            after: p.after,
            generation: 0,
        });
        let Document { held_back, won, logged, .. } = document;
        Self { carried: Carried { position, held_back, won }, logged }
    }
}
