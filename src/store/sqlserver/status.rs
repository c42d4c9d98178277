//! What `status` shows of each table.

use std::collections::BTreeMap;

use tiberius::Row;
use uuid::Uuid;

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::sets::get;
use crate::error::Result;
use crate::model::{Direction, Instant};
use crate::store::{LastRun, Refused, TableStatus};

use super::SqlServerStore;
use super::reading::{moment, text};

/// So many answers of the target are shown.
const REFUSED_MAX: usize = 5;

impl SqlServerStore<'_> {
    /// The status of the tables called `labels`, in their order.
    pub async fn status(
        &self,
        connection: &mut Connection,
        labels: &[String],
        direction: Direction,
    ) -> Result<Vec<TableStatus>> {
        self.require(connection).await?;
        let sql = self.render("sqlserver/status.sql");
        let sets = connection.result_sets("reading the status", &sql, &[&direction.word()]).await?;
        let mut tables: BTreeMap<&str, TableStatus> =
            labels.iter().map(|label| (label.as_str(), unknown(label, direction))).collect();
        let notes = [note_position, note_count, note_reason, note_refused, note_last_run];
        for (rows, note) in sets.iter().zip(notes) {
            for row in rows {
                if let Some(status) = tables.get_mut(get::<&str>(row, "table_name")?) {
                    note(status, row)?;
                }
            }
        }
        let shown = labels.iter().filter_map(|label| tables.remove(label.as_str()));
        Ok(shown.map(with_most_frequent).collect())
    }
}

fn unknown(label: &str, direction: Direction) -> TableStatus {
    TableStatus {
        table: label.to_owned(),
        direction: direction.word().to_owned(),
        watermark: None,
        lag_seconds: None,
        last_sync: None,
        consecutive_failures: 0,
        counts: BTreeMap::new(),
        withheld_by: BTreeMap::new(),
        refused: Vec::new(),
        last_run: None,
    }
}

fn note_position(status: &mut TableStatus, row: &Row) -> Result<()> {
    let (now, last) = (moment(row, "now")?, moment(row, "last_sync_timestamp")?);
    status.watermark = text(row, "watermark")?;
    // What a position in a change log has passed was read when it moved.
    let stamp = status.watermark.as_deref().map(|at| Instant::parse(at).or(last));
    let lag = now.zip(stamp.flatten()).map(|(now, stamp)| now.unix() - stamp.unix());
    status.lag_seconds = lag.map(|seconds| seconds.round() as i64);
    status.last_sync = last.map(Instant::in_json);
    status.consecutive_failures = get::<i32>(row, "consecutive_failures")?.into();
    Ok(())
}

fn note_count(status: &mut TableStatus, row: &Row) -> Result<()> {
    let rows = get::<i64>(row, "rows")?.unsigned_abs();
    status.counts.insert(get::<&str>(row, "owner")?.to_owned(), rows);
    Ok(())
}

fn note_reason(status: &mut TableStatus, row: &Row) -> Result<()> {
    let rows = get::<i64>(row, "rows")?.unsigned_abs();
    status.withheld_by.insert(get::<&str>(row, "reason")?.to_owned(), rows);
    Ok(())
}

fn note_refused(status: &mut TableStatus, row: &Row) -> Result<()> {
    let rows = get::<i64>(row, "rows")?.unsigned_abs();
    status.refused.push(Refused { detail: get::<&str>(row, "detail")?.to_owned(), rows });
    Ok(())
}

fn note_last_run(status: &mut TableStatus, row: &Row) -> Result<()> {
    let rows = |name| get::<i64>(row, name).map(i64::unsigned_abs);
    status.last_run = Some(LastRun {
        run_id: get::<Uuid>(row, "run_id")?.to_string(),
        outcome: get::<&str>(row, "outcome")?.to_owned(),
        started_at: moment(row, "started_at")?.map(Instant::in_json).unwrap_or_default(),
        inserted: rows("inserted")?,
        updated: rows("updated")?,
        withheld: rows("withheld")?,
        error: text(row, "error")?,
    });
    Ok(())
}

fn with_most_frequent(mut status: TableStatus) -> TableStatus {
    status.refused.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.detail.cmp(&b.detail)));
    status.refused.truncate(REFUSED_MAX);
    status
}
