//! The cloud's sequences that make mobile users' keys: where they begin, and past which keys they go.

use serde::Serialize;

use crate::config::Config;
use crate::db::postgres::sequences::{self, LAST_BELOW, Place, Sequence};
use crate::db::postgres::{Connection, Database};
use crate::error::{Error, Kind, Result};
use crate::model::TableName;
use crate::sql::Sql;

use super::opening;
use super::report::TableReport;

/// What became of the sequence of one table's key.
#[derive(Debug, Serialize)]
pub struct KeyRange {
    /// The table.
    pub table: String,
    /// What was done.
    pub deed: Deed,
    /// The sequence; none if no part of the key is drawn from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<String>,
    /// Where it stands.
    #[serde(flatten)]
    pub numbers: Option<Numbers>,
}

/// The numbers of a sequence that counts up.
#[derive(Debug, Serialize)]
pub struct Numbers {
    /// The key that it would have made next.
    pub from: i64,
    /// The key that it makes next.
    pub next: i64,
    /// How many keys it has left.
    pub left: i64,
}

/// What can be done with a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// It was moved.
    Moved,
    /// It was beyond already.
    Kept,
    /// It counts down, so there is nothing for it to begin at.
    CountsDown,
    /// There is none.
    NoSequence,
}

/// Where mobile keys are to begin; nothing has been changed yet.
#[derive(Debug)]
pub struct Beginning<'b> {
    sql: &'b Sql,
    tables: Vec<(TableName, Vec<Way>)>,
}

/// A sequence, and from where to where it goes; nowhere if it counts down.
type Way = (Sequence, Option<(i64, i64)>);

impl<'b> Beginning<'b> {
    /// Looks at the sequences of the tables that are enabled: mobile keys are to begin at `from`, or
    /// where a sequence already is beyond, and not at a key that is taken.
    ///
    /// # Errors
    /// [`Kind::Config`] when a key has no room for it, [`Kind::Unauthorised`] when the role may not
    /// move a sequence.
    pub async fn at(
        from: i64,
        config: &Config,
        connection: &Connection,
        sql: &'b Sql,
    ) -> Result<Self> {
        let settings = opening::selected(config, &[])?;
        let names: Vec<TableName> = settings.into_iter().map(|t| t.cloud).collect();
        let found = sequences::read(connection, sql, &names).await?;
        let mut tables = Vec::new();
        for table in names {
            let mut ways = Vec::new();
            let of_key = |s: &&Sequence| s.table == table && s.fills_key(&config.ownership);
            for sequence in found.iter().filter(of_key) {
                let way = match sequence.ascends() {
                    true => Some(way_to(from, sequence, connection, sql).await?),
                    false => None,
                };
                ways.push((sequence.clone(), way));
            }
            tables.push((table, ways));
        }
        Ok(Self { sql, tables })
    }

    /// Moves what has to be moved; says what became of each.
    pub async fn apply(&self, connection: &Connection) -> Result<Vec<KeyRange>> {
        let mut ranges = Vec::new();
        for (table, ways) in &self.tables {
            let range = |deed, sequence: Option<&Sequence>, numbers| {
                let sequence = sequence.map(|s| s.sequence.to_string());
                KeyRange { table: table.to_string(), deed, sequence, numbers }
            };
            if ways.is_empty() {
                ranges.push(range(Deed::NoSequence, None, None));
            }
            for (sequence, way) in ways {
                let Some((from, next)) = *way else {
                    ranges.push(range(Deed::CountsDown, Some(sequence), None));
                    continue;
                };
                // Only a range below lies before where it stands.
                let is_below = next < from;
                let deed = match next == from {
                    true => Deed::Kept,
                    false => Deed::Moved,
                };
                match deed {
                    Deed::Moved if is_below => {
                        sequence.go_below(connection, self.sql, next).await?;
                    }
                    Deed::Moved => sequence.advance(connection, self.sql, (from, next)).await?,
                    _ => {}
                }
                let last = if is_below { LAST_BELOW } else { sequence.last };
                let left = Sequence { last, ..sequence.clone() }.left(next);
                let numbers = Numbers { from, next, left };
                ranges.push(range(deed, Some(sequence), Some(numbers)));
            }
        }
        Ok(ranges)
    }
}

/// Where a sequence goes on, and where it has to, so that keys begin at `from`.
async fn way_to(
    from: i64,
    sequence: &Sequence,
    connection: &Connection,
    sql: &Sql,
) -> Result<(i64, i64)> {
    if let Some(grants) = sequence.missing_grants() {
        let message = format!("the role may not move {}; nothing was changed", sequence.sequence);
        return Err(Error::new(Kind::Unauthorised, message).remedied(grants));
    }
    if sequence.goes_below(from) {
        return way_below(from, sequence, connection, sql).await;
    }
    let Place { next, free } = sequence.look(connection, sql, Some(from)).await?;
    let Sequence { table, column, column_type, last, sequence, .. } = sequence;
    let free = free.ok_or_else(|| {
        Error::config(
            format!(
                "{column} of {table} is a {column_type}, and {sequence} ends at {last}: there is no \
                 room for mobile keys from {from} on; nothing was changed"
            ),
            format!(
                "Choose a smaller number, or give the key a larger type at both ends and {sequence} \
                 a larger MAXVALUE; or set enabled = false for {table}."
            ),
        )
    })?;
    Ok((next, free))
}

/// The same, where keys are to begin below zero and it stands above.
async fn way_below(
    from: i64,
    sequence: &Sequence,
    connection: &Connection,
    sql: &Sql,
) -> Result<(i64, i64)> {
    let Sequence { table, column, column_type, sequence: name, .. } = sequence;
    if !sequence.owned {
        let message = format!("the role does not own {name}; nothing was changed");
        return Err(Error::new(Kind::Unauthorised, message).remedied(
            "Migrate as the owner of the cloud's tables: to begin below zero takes it.",
        ));
    }
    let place = match from >= sequence.least() {
        true => Some(sequence.look(connection, sql, Some(from)).await?),
        false => None,
    };
    place.and_then(|place| Some((place.next, place.free?))).ok_or_else(|| {
        Error::config(
            format!(
                "{column} of {table} is a {column_type}: between {from} and zero there is no room \
                 for mobile keys; nothing was changed"
            ),
            format!(
                "Choose another number, or give the key a larger type at both ends; or set enabled = \
                 false for {table}."
            ),
        )
    })
}

/// After a run: no sequence hands out a key that the run has brought. Looks at the tables that rows
/// were inserted into. A sequence can't be rolled back, so a rehearsal doesn't come here; and what
/// can't be done is a warning, because the rows are there.
pub(super) async fn pass_keys(
    cloud: &Database,
    config: &Config,
    sql: &Sql,
    reports: &[TableReport],
) {
    let is_inserted = |table: &TableName| {
        let label = table.to_string();
        reports.iter().any(|report| report.inserted > 0 && report.table == label)
    };
    let tables = config.tables.iter().map(|t| &t.cloud).filter(|t| is_inserted(t)).cloned();
    let tables: Vec<TableName> = tables.collect();
    if tables.is_empty() {
        return;
    }
    if let Err(e) = pass_keys_of(&tables, cloud, config, sql).await {
        tracing::warn!(error = %e, "not every sequence was looked at: {}", e.remedy());
    }
}

async fn pass_keys_of(
    tables: &[TableName],
    cloud: &Database,
    config: &Config,
    sql: &Sql,
) -> Result<()> {
    let connection = cloud.connection().await?;
    for sequence in sequences::read(&connection, sql, tables).await? {
        if sequence.fills_key(&config.ownership) && sequence.ascends() {
            pass(&sequence, &connection, sql).await?;
        }
    }
    Ok(())
}

async fn pass(sequence: &Sequence, connection: &Connection, sql: &Sql) -> Result<()> {
    let Sequence { table, sequence: name, .. } = sequence;
    let missing = sequence.missing_grants();
    if !sequence.readable {
        let remedy = missing.unwrap_or_default();
        tracing::warn!(%table, "{table}: the role can't see whether {name} makes keys that are \
                                taken: {remedy}");
        return Ok(());
    }
    match (sequence.look(connection, sql, None).await?, missing) {
        (Place { next, free: Some(free) }, _) if next == free => {}
        (Place { free: None, .. }, _) => {
            tracing::warn!(%table, "{table}: {name} has no key left that is free: make the key a \
                                    bigint at both ends");
        }
        (Place { next, free: Some(free) }, None) => {
            sequence.advance(connection, sql, (next, free)).await?;
            tracing::info!(%table, "{table}: {name} goes on at {free}, past keys that are taken");
        }
        (Place { next, .. }, Some(remedy)) => {
            tracing::warn!(%table, "{table}: {name} goes on at {next}, where keys are taken, so rows \
                                    of mobile users will fail, and the role may not move it: {remedy}");
        }
    }
    Ok(())
}
