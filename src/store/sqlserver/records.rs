//! Entries of both lists as people see them: withheld rows, and versions that lost.

use tiberius::Row;
use uuid::Uuid;

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::sets::{any, get};
use crate::db::sqlserver::statement::Param;
use crate::error::Result;
use crate::model::conflict::{Conflict, Id, List};
use crate::model::{Instant, Reason, jsonb};
use crate::store::{ConflictRecord, Conflicts, RowRecords, TrashRecord, Values, WithheldRecord};

use super::SqlServerStore;
use super::lists::tuples;
use super::reading::{json, moment, text};

const READING: &str = "reading the conflicts";

impl SqlServerStore<'_> {
    /// The latest entries of each list, up to `limit`; of one table if `label` names one.
    pub async fn conflicts(
        &self,
        connection: &mut Connection,
        label: Option<&str>,
        limit: usize,
    ) -> Result<Conflicts> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let reasons = Conflict::REASONS.map(Reason::word);
        let list = tuples(2, reasons.len(), [""]);
        let sql = self.render_with("sqlserver/conflicts.sql", ("reasons", &list));
        let mut params: Vec<Param<'_>> = vec![&label, &limit];
        params.extend(reasons.iter().map(|reason| reason as Param<'_>));
        let sets = connection.result_sets(READING, &sql, &params).await?;
        let mut sets = sets.into_iter();
        let [totals, withheld, trash] = std::array::from_fn(|_| sets.next().unwrap_or_default());
        let total = |name| totals.first().map_or(Ok(0), |row| get::<i64>(row, name));
        let records = |rows: Vec<Row>| rows.iter().map(entry).collect::<Result<Vec<_>>>();
        Ok(Conflicts {
            open: total("undecided")?.unsigned_abs(),
            decided: total("decided")?.unsigned_abs(),
            withheld: records(withheld)?,
            trash: records(trash)?,
        })
    }

    /// One entry with both versions, if it is there.
    pub async fn conflict(
        &self,
        connection: &mut Connection,
        id: Id,
    ) -> Result<Option<ConflictRecord>> {
        let (name, complete): (_, fn(&Row) -> Result<ConflictRecord>) = match id.list {
            List::Withheld => ("sqlserver/withheld_entry.sql", withheld_entry),
            List::Trash => ("sqlserver/trash_entry.sql", trash_entry),
        };
        let (doing, sql) = (format!("reading {id}"), self.render(name));
        let rows = connection.rows(doing, &sql, &[&id.number]).await?;
        rows.first().map(complete).transpose()
    }

    /// The records of the row with this `key`. Which run wrote the row as it is, nothing tells here.
    pub async fn row_records(
        &self,
        connection: &mut Connection,
        label: &str,
        key: &str,
    ) -> Result<RowRecords> {
        let doing = format!("reading what is on record about a row of {label}");
        let sql = self.render("sqlserver/row_records.sql");
        let key = jsonb::hash(key).to_vec();
        let mut sets = connection.result_sets(doing, &sql, &[&label, &key]).await?.into_iter();
        let [withheld, trash] = std::array::from_fn(|_| sets.next().unwrap_or_default());
        Ok(RowRecords {
            written_by: None,
            withheld: withheld.iter().map(withheld_record).collect::<Result<_>>()?,
            trash: trash.iter().map(trash_record).collect::<Result<_>>()?,
        })
    }
}

/// What both lists have of an entry, and what the list of withheld rows has beside that.
fn entry(row: &Row) -> Result<ConflictRecord> {
    let has = |name| row.columns().iter().any(|column| column.name() == name);
    Ok(ConflictRecord {
        number: get(row, "id")?,
        table: words(row, "table_name")?,
        key: json(get(row, "key")?)?,
        direction: words(row, "direction")?,
        reason: words(row, "reason")?,
        contested: has("contested") && get(row, "contested")?,
        since: at(row, "since")?,
        attempts: match has("attempts") {
            true => any::<i32>(row, "attempts")?.map(i64::from),
            false => None,
        },
        last_seen: None,
        detail: None,
        sent: None,
        held: None,
        lost: None,
        won: None,
        runs: Vec::new(),
    })
}

fn withheld_entry(row: &Row) -> Result<ConflictRecord> {
    let mut runs = vec![run(row, "first_run_id")?, run(row, "last_run_id")?];
    runs.dedup();
    Ok(ConflictRecord {
        last_seen: Some(at(row, "last_seen_at")?),
        detail: text(row, "detail")?,
        sent: values(row, "row")?,
        held: values(row, "target_row")?,
        runs,
        ..entry(row)?
    })
}

fn trash_entry(row: &Row) -> Result<ConflictRecord> {
    Ok(ConflictRecord {
        lost: values(row, "row")?,
        won: values(row, "winner")?,
        runs: vec![run(row, "run_id")?],
        ..entry(row)?
    })
}

fn withheld_record(row: &Row) -> Result<WithheldRecord> {
    Ok(WithheldRecord {
        number: get(row, "id")?,
        direction: words(row, "direction")?,
        reason: words(row, "reason")?,
        contested: get(row, "contested")?,
        detail: text(row, "detail")?,
        since: at(row, "first_seen_at")?,
        last_seen: at(row, "last_seen_at")?,
        attempts: get::<i32>(row, "attempts")?.into(),
    })
}

fn trash_record(row: &Row) -> Result<TrashRecord> {
    Ok(TrashRecord {
        number: get(row, "id")?,
        direction: words(row, "direction")?,
        reason: words(row, "reason")?,
        run_id: run(row, "run_id")?,
        since: at(row, "trashed_at")?,
    })
}

fn words(row: &Row, name: &str) -> Result<String> {
    get::<&str>(row, name).map(str::to_owned)
}

fn at(row: &Row, name: &str) -> Result<String> {
    Ok(moment(row, name)?.map(Instant::in_json).unwrap_or_default())
}

fn run(row: &Row, name: &str) -> Result<String> {
    Ok(get::<Uuid>(row, name)?.to_string())
}

fn values(row: &Row, name: &str) -> Result<Option<Values>> {
    any::<&str>(row, name)?.map(json).transpose()
}
