//! Positions by hand: shown, set, and forgotten where another source database is meant.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use crate::config::Config;
use crate::db::{Database, Purpose, postgres};
use crate::error::{End, Error, Kind, Result};
use crate::model::{Capture, Direction, Horizon, Position, TableSettings};
use crate::source::AnySource;
use crate::sql::Sql;
use crate::store::{Finished, Moment, Store, TablePosition};

use super::opening::{selected, store};
use super::written::{Ledger, Written};

/// A position that was moved by hand.
#[derive(Debug, Serialize)]
pub struct Placed {
    /// The table.
    pub table: String,
    /// `forward` or `reverse`.
    pub direction: &'static str,
    /// Up to where it had been read; `None`: not at all.
    pub watermark_from: Option<String>,
    /// Up to where it counts as read now; `None`: the next run compares the whole table.
    pub watermark: Option<String>,
}

/// Why a position was not set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unset {
    /// The database can't read the timestamp.
    Unreadable,
    /// Positions of this table are none in time, but in a change log.
    OfALog,
    /// Positions of this table are none in time, but versions of rows.
    OfVersions,
    /// It says no zone.
    Zoneless,
    /// It is still to come, or infinite.
    Ahead,
    /// Changes would be skipped, which was not asked for.
    Skips {
        /// Where the table stands.
        from: Option<String>,
        /// Where it would have been set to.
        to: String,
    },
}

/// Whether a position may move forward by hand, over changes that no run has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skipping {
    /// It may.
    Allowed,
    /// It may not.
    Refused,
}

/// Another source database that was accepted.
#[derive(Debug, Serialize)]
pub struct Accepted {
    /// The table.
    pub table: String,
    /// `forward` or `reverse`.
    pub direction: &'static str,
    /// The source database that it had been read from.
    pub identity_from: String,
    /// The one that it is read from now.
    pub identity: String,
    /// Up to where it had been read there.
    pub watermark_from: Option<String>,
}

/// The positions of the tables called `named`, or of all that are configured.
///
/// # Errors
/// When the end that is written can't be asked, or `migrate` has to run first.
pub async fn show(
    config: &Config,
    named: &[String],
    direction: Direction,
    sql: &Sql,
) -> Result<Vec<TablePosition>> {
    let labels = labels(&named_tables(config, named)?);
    let hand = Hand::open(config, direction, sql).await?;
    hand.written.with(async |ledger| ledger.positions(&labels, direction).await).await
}

/// Sets the position of `table` to a moment, or to the beginning.
///
/// # Errors
/// [`Kind::Held`](crate::error::Kind::Held) when a run is at work on the table.
pub async fn set(
    config: &Config,
    table: &str,
    direction: Direction,
    (to, skipping): (Option<&str>, Skipping),
    sql: &Sql,
) -> Result<Result<Placed, Unset>> {
    let tables = named_tables(config, &[table.to_owned()])?;
    if to.is_some()
        && let Some(unset) = tables.iter().find_map(|table| timeless(config, table, direction))
    {
        return Ok(Err(unset));
    }
    let label = labels(&tables).remove(0);
    let hand = Hand::open(config, direction, sql).await?;
    let set = async |ledger: &mut Ledger<'_>| {
        ledger.begin().await?;
        match hand.set(ledger, &label, to, skipping).await {
            Ok(Ok(placed)) => ledger.commit().await.map(|()| Ok(placed)),
            nothing => {
                ledger.roll_back().await;
                nothing
            }
        }
    };
    hand.written.with(set).await
}

/// Why no moment is a position of the table; `None`: one is.
fn timeless(config: &Config, table: &TableSettings, direction: Direction) -> Option<Unset> {
    let capture = match direction {
        Direction::Forward => table.capture,
        Direction::Reverse => config.cloud_capture,
    };
    match capture {
        Capture::Timestamp => None,
        Capture::Log => Some(Unset::OfALog),
        Capture::Rowversion | Capture::DesktopLog => Some(Unset::OfVersions),
    }
}

/// Forgets where tables stood that were read from another source database than the present one, or
/// from what that was before it was restored. Gives the present one's identity, and what was accepted.
///
/// # Errors
/// [`Kind::Held`](crate::error::Kind::Held) when a run is at work on one of them; then none is
/// accepted.
pub async fn accept(
    config: &Config,
    named: &[String],
    direction: Direction,
    sql: &Sql,
) -> Result<(String, Vec<Accepted>)> {
    let labels = labels(&named_tables(config, named)?);
    let hand = Hand::open(config, direction, sql).await?;
    let source = Present::look(config, direction, sql).await?;
    let accept = async |ledger: &mut Ledger<'_>| {
        ledger.begin().await?;
        let accepting = async {
            let accepted = hand.accept(ledger, &labels, &source).await?;
            source.begin_logs_again(&accepted).await?;
            Ok(accepted)
        };
        match accepting.await {
            Ok(accepted) => ledger.commit().await.map(|()| accepted),
            nothing => {
                ledger.roll_back().await;
                nothing
            }
        }
    };
    let accepted = hand.written.with(accept).await?;
    Ok((source.identity, accepted))
}

/// The stream that runs go on from.
const CHANGES: &str = "changes";

/// The tables called `named`, or all that are configured, also those that are not enabled.
fn named_tables(config: &Config, named: &[String]) -> Result<Vec<TableSettings>> {
    match named.is_empty() {
        true => Ok(config.tables.clone()),
        false => selected(config, named),
    }
}

fn labels(tables: &[TableSettings]) -> Vec<String> {
    tables.iter().map(|t| t.cloud.to_string()).collect()
}

/// The source database as it is now.
struct Present<'s> {
    identity: String,
    /// Its change log, if positions say where in it they are.
    log: Option<Log<'s>>,
}

/// A change log, and what it has come to.
struct Log<'s> {
    store: Store<'s>,
    connection: postgres::Connection,
    seen: Horizon,
}

impl<'s> Present<'s> {
    async fn look(config: &Config, direction: Direction, sql: &'s Sql) -> Result<Self> {
        let end = direction.source();
        let is_logged = end == End::Cloud && config.cloud_capture == Capture::Log;
        let purpose = if is_logged { Purpose::Writer } else { Purpose::Reader };
        let database = Database::of(config, end, purpose, 1)?;
        let identity = AnySource::new(database.clone(), sql).identity().await?;
        let log = match &database {
            Database::Postgres(database) if is_logged => {
                let (store, connection) = (store(config, end, sql), database.connection().await?);
                store.require(&connection).await?;
                let seen = store.seen(&connection).await?;
                Some(Log { store, connection, seen })
            }
            _ => None,
        };
        Ok(Self { identity, log })
    }

    /// Whether a position was read from another database, or from what this one was before.
    fn is_other_than(&self, of: &TablePosition) -> bool {
        let position = Position { watermark: of.watermark.clone(), ..Position::default() };
        let is_ahead = self.log.as_ref().is_some_and(|log| position.is_ahead_of(&log.seen));
        is_ahead || of.source_identity.as_deref().is_some_and(|known| known != self.identity)
    }

    /// What its change log has of the time before is of another count of transactions.
    async fn begin_logs_again(&self, accepted: &[Accepted]) -> Result<()> {
        let Some(Log { store, connection, .. }) = &self.log else { return Ok(()) };
        for Accepted { table, .. } in accepted {
            store.begin_log_again(connection, table).await?;
        }
        Ok(())
    }
}

/// The end that is written, and what is moved there.
struct Hand<'s> {
    config: &'s Config,
    written: Written<'s>,
    direction: Direction,
    run_id: Uuid,
    sql: &'s Sql,
}

impl<'s> Hand<'s> {
    async fn open(config: &'s Config, direction: Direction, sql: &'s Sql) -> Result<Self> {
        let written = Written::open(config, direction.target(), 0, sql).await?;
        written.with(async |ledger| ledger.require().await).await?;
        Ok(Self { config, written, direction, run_id: Uuid::now_v7(), sql })
    }

    /// Where a table stands, once nobody else can move it.
    async fn held(&self, ledger: &mut Ledger<'_>, label: &str) -> Result<TablePosition> {
        ledger.hold(label, self.direction).await?;
        let positions = ledger.positions(&[label.to_owned()], self.direction).await?;
        let changes = positions.into_iter().find(|position| position.stream == CHANGES);
        changes.ok_or_else(|| Error::new(Kind::Other, format!("{label} has no position")))
    }

    async fn set(
        &self,
        ledger: &mut Ledger<'_>,
        label: &str,
        to: Option<&str>,
        skipping: Skipping,
    ) -> Result<Result<Placed, Unset>> {
        let from = self.held(ledger, label).await?;
        let watermark = match to {
            None => None,
            Some(to) => match self.moment(ledger, to, &from, skipping).await? {
                Ok(moment) => Some(moment),
                Err(unset) => return Ok(Err(unset)),
            },
        };
        let to = TablePosition { watermark, ..from.clone() };
        self.place(ledger, "position_set", &from, &to).await?;
        Ok(Ok(Placed {
            table: label.to_owned(),
            direction: self.direction.word(),
            watermark_from: from.watermark,
            watermark: to.watermark,
        }))
    }

    async fn moment(
        &self,
        ledger: &Ledger<'_>,
        to: &str,
        position: &TablePosition,
        skipping: Skipping,
    ) -> Result<Result<String, Unset>> {
        // One of another kind is none to go on from.
        let from = Position { watermark: position.watermark.clone(), ..Position::default() }
            .of_kind(Capture::Timestamp)
            .watermark;
        let moment = match ledger {
            Ledger::Postgres(store, on) => store.moment(on, to, from.as_deref()).await?,
            Ledger::SqlServer(..) => self.moment_in_cloud(to, from.as_deref()).await?,
        };
        Ok(match moment {
            None => Err(Unset::Unreadable),
            Some(moment) if !moment.zoned => Err(Unset::Zoneless),
            Some(moment) if !moment.finite || moment.ahead => Err(Unset::Ahead),
            Some(moment) if moment.skips && skipping == Skipping::Refused => {
                Err(Unset::Skips { from: position.watermark.clone(), to: moment.text })
            }
            Some(moment) => Ok(moment.text),
        })
    }

    /// What the cloud makes of a moment: a position of reverse is one of its own.
    async fn moment_in_cloud(&self, to: &str, from: Option<&str>) -> Result<Option<Moment>> {
        let url = &self.config.cloud_url;
        let cloud = postgres::Database::new(url, End::Cloud, Purpose::Reader, 1)?;
        let connection = cloud.connection().await?;
        let begin = self.sql.render("postgres/snapshot.sql", &[("snapshot", "")]);
        connection.batch("reading the timestamp", &begin).await?;
        let moment = store(self.config, End::Cloud, self.sql).moment(&connection, to, from).await;
        connection.discard();
        moment
    }

    async fn accept(
        &self,
        ledger: &mut Ledger<'_>,
        labels: &[String],
        source: &Present<'_>,
    ) -> Result<Vec<Accepted>> {
        let mut accepted = Vec::new();
        for known in ledger.positions(labels, self.direction).await? {
            if !source.is_other_than(&known) {
                continue;
            }
            let from = self.held(ledger, &known.table).await?;
            let source_identity = Some(source.identity.clone());
            let to = TablePosition { watermark: None, source_identity, ..from.clone() };
            self.place(ledger, "source_accepted", &from, &to).await?;
            accepted.push(Accepted {
                table: from.table,
                direction: self.direction.word(),
                identity: source.identity.clone(),
                identity_from: from.source_identity.unwrap_or_default(),
                watermark_from: from.watermark,
            });
        }
        Ok(accepted)
    }

    /// Places a position that is held, and notes that in the list of runs.
    async fn place(
        &self,
        ledger: &mut Ledger<'_>,
        outcome: &str,
        from: &TablePosition,
        to: &TablePosition,
    ) -> Result<()> {
        let finished = Finished {
            outcome,
            read: 0,
            inserted: 0,
            updated: 0,
            unchanged: 0,
            withheld: 0,
            withheld_by: &BTreeMap::new(),
            mobile_before: None,
            mobile_after: None,
            watermark_from: from.watermark.as_deref(),
            watermark: to.watermark.as_deref(),
            seconds: 0.0,
            error: None,
        };
        ledger.place(self.run_id, to, &finished).await
    }
}
