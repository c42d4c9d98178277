//! The upper bound that is safe to read up to.

use tiberius::Row;

use crate::db::sqlserver::types::{Value, text};
use crate::db::sqlserver::{Connection, failed, sets};
use crate::error::{End, Error, Kind, Result};
use crate::model::types::{Form, SqlType};
use crate::model::{Capture, Horizon, Lag, TablePlan};
use crate::sql::Sql;

const DOING: &str = "reading the horizon";
/// Ticks of 100 ns in a second.
const SECOND: i64 = 10_000_000;
/// Ticks from the year 1 to 1970.
const UNIX_EPOCH: i64 = 719_162 * 86_400 * SECOND;

/// The horizons of one moment, and how the database lets itself be read.
#[derive(Debug)]
pub(super) struct Horizons {
    /// The server's clock: ticks since the year 1, UTC.
    now: i64,
    /// The lowest row version that may still be committed, if any table needs it.
    version: Option<String>,
    /// Whether a transaction may read one moment of the database.
    pub(super) has_snapshots: bool,
    pub(super) identity: String,
    /// What kind of copy of another database it is, if it is one.
    copy: Option<String>,
}

impl Horizons {
    /// Reads them, before any snapshot, or changes could be lost that are committed in between.
    pub(super) async fn read(
        connection: &mut Connection,
        sql: &Sql,
        tables: &[&TablePlan],
    ) -> Result<Self> {
        let by_version = |plan: &&TablePlan| plan.capture.positions() == Capture::Rowversion;
        let version = match tables.iter().any(by_version) {
            true => Some(lowest_version(connection, sql).await?),
            false => None,
        };
        let statement = sql.render("sqlserver/horizon.sql", &[]);
        let rows = connection.rows(DOING, &statement, &[]).await?;
        let row = rows.first().ok_or_else(|| odd("gave no row"))?;
        let (name, guid): (&str, &str) = (sets::get(row, "name")?, sets::get(row, "guid")?);
        Ok(Self {
            now: clock(row)?,
            version,
            has_snapshots: sets::get::<u8>(row, "snapshot_isolation_state")? == 1,
            identity: format!("{}/{name}", guid.to_lowercase()),
            copy: sets::any::<&str>(row, "copy")?.map(str::to_owned),
        })
    }

    /// What begins to read as the database lets itself be read.
    pub(super) fn begin(&self, sql: &Sql) -> String {
        let statement = match self.has_snapshots {
            true => "sqlserver/snapshot.sql",
            false => "sqlserver/committed.sql",
        };
        sql.render(statement, &[])
    }

    /// The server's clock, in seconds since 1970.
    pub(super) fn clock(&self) -> f64 {
        unix_seconds(self.now)
    }

    /// The horizon of a table.
    pub(super) fn of(&self, plan: &TablePlan) -> Result<Horizon> {
        self.suffice()?;
        match plan.capture {
            Capture::Rowversion | Capture::DesktopLog => Ok(Horizon(self.version.clone())),
            Capture::Timestamp => self.behind(plan).map(|horizon| Horizon(Some(horizon))),
            Capture::Log => Err(odd("has no log of transactions")),
        }
    }

    /// What a copy shows comes later than it happened, and what is still to come nobody sees there.
    fn suffice(&self) -> Result<()> {
        let copy = match self.copy.as_deref() {
            None => return Ok(()),
            Some("standby") => "a standby that logs are shipped to",
            Some("snapshot") => "a snapshot of another database",
            Some(_) => "a replica that can only be read",
        };
        Err(Error::config(
            format!("the desktop database is {copy}, where open transactions can't be seen"),
            "Name the primary in [desktop] url: the database that its users write to.",
        ))
    }

    /// Nobody can see here when open transactions began: only a lag keeps behind them.
    fn behind(&self, plan: &TablePlan) -> Result<String> {
        let lag = plan.settings.lag;
        suffices(lag)?;
        let coarse = plan.stamps.source.iter().filter_map(|stamp| stamp.sql_type).map(coarseness);
        let lag = i64::try_from(lag.duration().as_nanos() / 100).unwrap_or(i64::MAX / 2);
        let utc = self.now - lag - coarse.max().unwrap_or_default();
        let horizon = text(&Value::DateTimeOffset { utc, offset: 0 }, Form::Timestamptz, -1)?;
        horizon.ok_or_else(|| odd("has no clock"))
    }
}

/// That the database is no copy of another one.
///
/// # Errors
/// [`Kind::Config`] when it is one.
pub async fn original(connection: &mut Connection, sql: &Sql) -> Result<()> {
    Horizons::read(connection, sql, &[]).await?.suffice()
}

/// Ticks since the year 1 as seconds since 1970.
pub fn unix_seconds(ticks: i64) -> f64 {
    (ticks - UNIX_EPOCH) as f64 / SECOND as f64
}

/// Whether a table may be read by its stamps with this lag.
///
/// # Errors
/// [`Kind::Config`] when a change could be lost.
pub fn suffices(lag: Lag) -> Result<()> {
    match lag.stands_alone() {
        true => Ok(()),
        false => Err(Error::config(
            "nobody can see on a SQL Server when open transactions began, so by stamps alone changes \
             could be lost",
            "Set capture = \"rowversion\" and give the table a column of that type; or set a lag \
             longer than the longest transaction of the desktop, as in lag = \"10m\".",
        )),
    }
}

/// How much earlier than its moment a stamp of this type may say, in ticks: it is rounded.
fn coarseness(of: SqlType) -> i64 {
    match of {
        SqlType::SmallDateTime => 60 * SECOND,
        SqlType::DateTime => SECOND / 100,
        SqlType::DateTime2 { scale } | SqlType::DateTimeOffset { scale } => {
            10_i64.pow(7_u32.saturating_sub(scale.into()))
        }
        _ => SECOND,
    }
}

/// The lowest row version that may still be committed.
///
/// # Errors
/// [`Kind::Config`] when the server does not tell it.
pub async fn lowest_version(connection: &mut Connection, sql: &Sql) -> Result<String> {
    let statement = sql.render("sqlserver/rowversion.sql", &[]);
    let rows = connection.rows(DOING, &statement, &[]).await.map_err(|e| match e.kind() {
        kind if kind.is_transient() => e,
        _ => Error::config(
            "this server does not tell the lowest row version that may still be committed \
             (MIN_ACTIVE_ROWVERSION), so changes could be lost",
            "Set capture = \"timestamp\" with a lag longer than the longest transaction.",
        )
        .because(e),
    })?;
    let row = rows.first().ok_or_else(|| odd("gave no row version"))?;
    Ok(hexadecimal(sets::get(row, "horizon")?))
}

/// A row version as positions have it.
pub(super) fn hexadecimal(version: &[u8]) -> String {
    use std::fmt::Write;
    version.iter().fold("0x".to_owned(), |mut text, byte| {
        // Writing to a text can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The column `clock` of a row, a `datetime2(7)`: ticks of 100 ns since the year 1.
///
/// # Errors
/// When it is none.
pub fn clock(row: &Row) -> Result<i64> {
    let cell = row.get_column_data("clock").map_err(|e| failed(DOING, End::Desktop, &e))?;
    match Value::read(cell, SqlType::DateTime2 { scale: 7 }) {
        Ok(Value::DateTime(ticks)) => Ok(ticks),
        _ => Err(odd("has a strange clock")),
    }
}

fn odd(what: &str) -> Error {
    Error::new(Kind::Other, format!("{DOING}: the desktop {what}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_row_version_is_written_with_all_its_digits() {
        assert_eq!(hexadecimal(&[0, 0, 0, 0, 0, 0, 7, 0xd1]), "0x00000000000007d1");
    }

    #[test]
    fn stamps_need_a_lag_that_was_set_on_purpose() {
        for lag in [Lag::Unset, Lag::Set(Lag::DEFAULT)] {
            assert_eq!(suffices(lag).unwrap_err().kind(), Kind::Config);
        }
        suffices(Lag::Set(Duration::from_secs(600))).unwrap();
    }
}
