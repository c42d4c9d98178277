//! Positions as people see them, and as they move them by hand.

use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::db::postgres::statement::text;
use crate::db::postgres::{Connection, failed};
use crate::error::{Error, Kind, Result};

use super::Store;

/// How far one stream of a table has been read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TablePosition {
    /// The table.
    pub table: String,
    /// `forward` or `reverse`.
    pub direction: String,
    /// `changes`.
    pub stream: String,
    /// Up to where it has been read; `None`: the next run reads the whole table.
    pub watermark: Option<String>,
    /// In the middle of a table: the key of the last row that was read at the watermark.
    pub after_key: Option<serde_json::Value>,
    /// Grows whenever the position is written.
    pub generation: i64,
    /// When it was written last.
    pub last_sync: Option<String>,
    /// Which source database it belongs to.
    pub source_identity: Option<String>,
    /// The run that wrote it.
    pub run_id: Option<String>,
}

/// What the database makes of a moment that an operator wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// As positions are written.
    pub text: String,
    /// Whether it says which zone it is in.
    pub zoned: bool,
    /// Whether it is a moment at all, and not infinity.
    pub finite: bool,
    /// Whether it is still to come.
    pub ahead: bool,
    /// Whether it is later than the watermark that it was compared with.
    pub skips: bool,
}

/// A zone in which no moment without a zone means the same as in UTC.
const ANOTHER_ZONE: &str = "set local timezone = 'Etc/GMT+9'";

impl Store<'_> {
    /// The positions of the tables called `labels`, in their order.
    pub async fn positions(
        &self,
        connection: &Connection,
        labels: &[String],
        direction: &str,
    ) -> Result<Vec<TablePosition>> {
        let doing = "reading the positions";
        let sql = self.render("postgres/positions.sql");
        let params = [(&labels as _, Type::TEXT_ARRAY), text(&direction)];
        let rows = connection.rows(doing, &sql, &params).await?;
        let parse = |row: &Row| {
            serde_json::from_str(row.get(0)).map_err(|e| Error::new(Kind::Other, doing).because(e))
        };
        rows.iter().map(parse).collect()
    }

    /// Locks a table as a batch of a run does, and its position, which is made if need be.
    ///
    /// # Errors
    /// [`Kind::Held`] when a run is at work on the table.
    pub async fn hold(&self, connection: &Connection, label: &str, direction: &str) -> Result<()> {
        for name in ["postgres/lock.sql", "postgres/claim.sql"] {
            let params = [text(&label), text(&direction)];
            let outcome = connection.query_typed(&self.render(name), &params).await;
            outcome.map_err(|e| match e.code() {
                Some(&SqlState::LOCK_NOT_AVAILABLE) => {
                    Error::new(Kind::Held, format!("a run holds {label}"))
                        .remedied("Try again when it is through.")
                }
                _ => failed(&format!("locking {label}"), connection.end(), e),
            })?;
        }
        Ok(())
    }

    /// What PostgreSQL makes of `moment`, compared with `watermark`; `None`: nothing.
    pub async fn moment(
        &self,
        connection: &Connection,
        moment: &str,
        watermark: Option<&str>,
    ) -> Result<Option<Moment>> {
        let doing = "reading the timestamp";
        let sql = self.render("postgres/moment.sql");
        let params = [text(&moment), text(&watermark)];
        connection.batch(doing, ANOTHER_ZONE).await?;
        let elsewhere = match connection.rows(doing, &sql, &params).await {
            Err(e) if e.kind() == Kind::BadValue => return Ok(None),
            rows => rows?,
        };
        connection.batch(doing, &self.render("postgres/present_output.sql")).await?;
        let rows = connection.rows(doing, &sql, &params).await?;
        let epoch = |rows: &[Row]| rows.first().map(|row| row.get::<_, String>("epoch"));
        Ok(rows.first().map(|row| Moment {
            text: row.get("text"),
            zoned: epoch(&rows) == epoch(&elsewhere),
            finite: row.get("finite"),
            ahead: row.get("ahead"),
            skips: row.get("skips"),
        }))
    }

    /// Places the position of a table that is held.
    pub async fn place(
        &self,
        connection: &Connection,
        run_id: Uuid,
        position: &TablePosition,
    ) -> Result<()> {
        let sql = self.render("postgres/place_position.sql");
        let params = [
            text(&position.table),
            text(&position.direction),
            text(&position.watermark),
            text(&position.source_identity),
            (&run_id as _, Type::UUID),
        ];
        let doing = format!("placing the position of {}", position.table);
        connection.run(doing, &sql, &params).await?;
        Ok(())
    }
}
