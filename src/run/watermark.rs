//! Positions by hand: shown, set, and forgotten where another source database is meant.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use uuid::Uuid;

use crate::config::Config;
use crate::db::postgres::{Connection, Database, Purpose};
use crate::error::{Error, Kind, Result};
use crate::model::{Capture, Direction, Horizon, Position};
use crate::source::postgres::PgSource;
use crate::sql::Sql;
use crate::store::{Finished, Store, TablePosition};

use super::opening::{selected, store};

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
    let labels = labels(config, named)?;
    let hand = Hand::open(config, direction, sql).await?;
    hand.store.positions(&hand.connection, &labels, direction.word()).await
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
    let label = labels(config, &[table.to_owned()])?.remove(0);
    if to.is_some() && direction == Direction::Reverse && config.cloud_capture == Capture::Log {
        return Ok(Err(Unset::OfALog));
    }
    let hand = Hand::open(config, direction, sql).await?;
    match hand.set(&label, to, skipping).await {
        Ok(Ok(placed)) => hand.commit().await.map(|()| Ok(placed)),
        nothing => {
            hand.connection.discard();
            nothing
        }
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
    let labels = labels(config, named)?;
    let hand = Hand::open(config, direction, sql).await?;
    let source = Present::look(config, direction, sql).await?;
    let accepting = async {
        let accepted = hand.accept(&labels, &source).await?;
        source.begin_logs_again(&accepted).await?;
        Ok(accepted)
    };
    match accepting.await {
        Ok(accepted) => hand.commit().await.map(|()| (source.identity, accepted)),
        Err(e) => {
            hand.connection.discard();
            Err(e)
        }
    }
}

/// The stream that runs go on from.
const CHANGES: &str = "changes";

/// The tables called `named`, or all that are configured, also those that are not enabled.
fn labels(config: &Config, named: &[String]) -> Result<Vec<String>> {
    let tables = match named.is_empty() {
        true => config.tables.clone(),
        false => selected(config, named)?,
    };
    Ok(tables.iter().map(|t| t.cloud.to_string()).collect())
}

/// The source database as it is now.
struct Present<'s> {
    store: Store<'s>,
    connection: Connection,
    identity: String,
    /// What it has come to, if positions say where in its change log they are.
    seen: Option<Horizon>,
}

impl<'s> Present<'s> {
    async fn look(config: &Config, direction: Direction, sql: &'s Sql) -> Result<Self> {
        let end = direction.source();
        let (is_logged, purpose) = match direction {
            Direction::Forward => (false, Purpose::Reader),
            Direction::Reverse => (config.cloud_capture == Capture::Log, Purpose::Writer),
        };
        let database = Arc::new(Database::new(config.url(end), end, purpose, 1)?);
        let identity = PgSource::new(Arc::clone(&database), sql).identity().await?;
        let connection = database.connection().await?;
        let store = store(config, end, sql);
        let seen = match is_logged {
            true => {
                store.require(&connection).await?;
                Some(store.seen(&connection).await?)
            }
            false => None,
        };
        Ok(Self { store, connection, identity, seen })
    }

    /// Whether a position was read from another database, or from what this one was before.
    fn is_other_than(&self, of: &TablePosition) -> bool {
        let position = Position { watermark: of.watermark.clone(), ..Position::default() };
        let is_ahead = self.seen.as_ref().is_some_and(|seen| position.is_ahead_of(seen));
        is_ahead || of.source_identity.as_deref().is_some_and(|known| known != self.identity)
    }

    /// What its change log has of the time before is of another count of transactions.
    async fn begin_logs_again(&self, accepted: &[Accepted]) -> Result<()> {
        let logged = accepted.iter().filter(|_| self.seen.is_some());
        for Accepted { table, .. } in logged {
            self.store.begin_log_again(&self.connection, table).await?;
        }
        Ok(())
    }
}

/// A session at the end that is written.
struct Hand<'s> {
    store: Store<'s>,
    connection: Connection,
    direction: Direction,
    run_id: Uuid,
}

impl<'s> Hand<'s> {
    async fn open(config: &Config, direction: Direction, sql: &'s Sql) -> Result<Self> {
        let end = direction.target();
        let database = Database::new(config.url(end), end, Purpose::Writer, 1)?;
        let connection = database.connection().await?;
        let store = store(config, end, sql);
        store.require(&connection).await?;
        Ok(Self { store, connection, direction, run_id: Uuid::now_v7() })
    }

    async fn begin(&self) -> Result<()> {
        let begin = self.store.sql().render("postgres/begin.sql", &[]);
        self.connection.batch("moving positions", &begin).await
    }

    async fn commit(self) -> Result<()> {
        self.connection.batch("moving positions", "commit").await
    }

    /// Where a table stands, once nobody else can move it.
    async fn held(&self, label: &str) -> Result<TablePosition> {
        let direction = self.direction.word();
        self.store.hold(&self.connection, label, direction).await?;
        let positions =
            self.store.positions(&self.connection, &[label.to_owned()], direction).await?;
        let changes = positions.into_iter().find(|position| position.stream == CHANGES);
        changes.ok_or_else(|| Error::new(Kind::Other, format!("{label} has no position")))
    }

    async fn set(
        &self,
        label: &str,
        to: Option<&str>,
        skipping: Skipping,
    ) -> Result<Result<Placed, Unset>> {
        self.begin().await?;
        let from = self.held(label).await?;
        let watermark = match to {
            None => None,
            Some(to) => match self.moment(to, &from, skipping).await? {
                Ok(moment) => Some(moment),
                Err(unset) => return Ok(Err(unset)),
            },
        };
        let to = TablePosition { watermark, ..from.clone() };
        self.place("position_set", &from, &to).await?;
        Ok(Ok(Placed {
            table: label.to_owned(),
            direction: self.direction.word(),
            watermark_from: from.watermark,
            watermark: to.watermark,
        }))
    }

    async fn moment(
        &self,
        to: &str,
        position: &TablePosition,
        skipping: Skipping,
    ) -> Result<Result<String, Unset>> {
        let from = position.watermark.as_deref();
        let moment = self.store.moment(&self.connection, to, from).await?;
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

    async fn accept(&self, labels: &[String], source: &Present<'_>) -> Result<Vec<Accepted>> {
        let mut accepted = Vec::new();
        let direction = self.direction.word();
        self.begin().await?;
        for known in self.store.positions(&self.connection, labels, direction).await? {
            if !source.is_other_than(&known) {
                continue;
            }
            let from = self.held(&known.table).await?;
            let source_identity = Some(source.identity.clone());
            let to = TablePosition { watermark: None, source_identity, ..from.clone() };
            self.place("source_accepted", &from, &to).await?;
            accepted.push(Accepted {
                table: from.table,
                direction,
                identity: source.identity.clone(),
                identity_from: from.source_identity.unwrap_or_default(),
                watermark_from: from.watermark,
            });
        }
        Ok(accepted)
    }

    /// Places a position that is held, and notes that in the list of runs.
    async fn place(&self, outcome: &str, from: &TablePosition, to: &TablePosition) -> Result<()> {
        self.store.place(&self.connection, self.run_id, to).await?;
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
        self.store.note_run(&self.connection, self.run_id, to, &finished).await
    }
}
