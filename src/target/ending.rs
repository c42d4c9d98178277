//! What becomes of the transactions of a run: each is committed, or all of a rehearsal are one, which
//! is rolled back.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Kind, Result};
use crate::model::TablePlan;
use crate::model::sample::Sample;

use super::samples::Samples;

/// The rows of a rehearsal that people look at.
#[derive(Debug, Clone)]
pub enum Show {
    /// None.
    Nothing,
    /// Up to so many of each table.
    Rows(usize),
    /// The row with this key, a JSON object, whatever becomes of it.
    Row(String),
}

/// What becomes of the transactions, on connections of the kind `C`.
#[derive(Debug)]
pub(super) enum Ending<C> {
    /// Each batch is committed.
    Commit,
    /// All batches share one transaction, which is never committed: children see their parents and
    /// the counts are true.
    Rehearse {
        /// Where that transaction is.
        place: Mutex<Place<C>>,
        /// Rows to be shown; `None` where nobody wants to see any.
        samples: Option<Samples>,
    },
}

/// Where a rehearsal's one transaction is.
#[derive(Debug)]
pub(super) enum Place<C> {
    /// Not begun.
    Before,
    /// Between two batches.
    Between(Box<C>),
    /// A batch has it.
    Within,
    /// After a batch that failed.
    Failed(Box<C>),
}

impl<C> Ending<C> {
    /// A rehearsal.
    pub(super) fn rehearse(show: Show) -> Self {
        let samples = match show {
            Show::Nothing => None,
            Show::Rows(limit) => Some(Samples::new(limit)),
            Show::Row(key) => Some(Samples::of(key)),
        };
        Self::Rehearse { place: Mutex::new(Place::Before), samples }
    }

    /// Whether nothing remains.
    pub(super) fn is_rehearsal(&self) -> bool {
        matches!(self, Self::Rehearse { .. })
    }

    /// Where rows to be shown are gathered, if somebody wants to see them.
    pub(super) fn samples(&self) -> Option<&Samples> {
        match self {
            Self::Commit => None,
            Self::Rehearse { samples, .. } => samples.as_ref(),
        }
    }

    /// The rows of a table that were kept to be shown; `None` where nobody asked for them.
    pub(super) fn shown(&self, label: &str) -> Option<Vec<Sample>> {
        self.samples().map(|samples| samples.take(label))
    }

    /// Leaves the rehearsal's transaction to the next batch.
    pub(super) fn put(&self, place: Place<C>) {
        if let Self::Rehearse { place: slot, .. } = self {
            *lock(slot) = place;
        }
    }

    fn take(&self) -> Place<C> {
        match self {
            Self::Commit => Place::Before,
            Self::Rehearse { place, .. } => mem::replace(&mut *lock(place), Place::Within),
        }
    }
}

/// A database that is written, at the edges of its transactions.
pub(super) trait Edges {
    /// A session of it.
    type Connection;

    /// What becomes of the transactions.
    fn ending(&self) -> &Ending<Self::Connection>;

    /// The statement that keeps the definition of the table as it is while a batch is written, or
    /// finds out whether somebody holds all of it.
    fn hold(&self, plan: &TablePlan) -> String;

    /// A session outside any transaction.
    async fn idle(&self) -> Result<Self::Connection>;

    /// A session in a transaction, after `statement`, if there is one: a new transaction, or what is
    /// left of the rehearsal's. `place` is not [`Place::Within`].
    async fn start(
        &self,
        doing: &str,
        place: Place<Self::Connection>,
        statement: &str,
    ) -> Result<Self::Connection>;

    /// Takes back the connection of a batch that failed.
    fn give_up(&self, connection: Self::Connection);

    /// Throws the connection away, and with it what was not committed.
    fn discard(connection: Self::Connection);

    /// The connection of the next batch, in its transaction.
    async fn open(&self, plan: &TablePlan) -> Result<Self::Connection> {
        let label = plan.label();
        let opened = self.enter(&format!("beginning with {label}"), &self.hold(plan)).await;
        // Whoever holds the whole table must not be taken for somebody who holds a row.
        opened.map_err(|e| match e.kind() {
            Kind::Busy => Error::new(Kind::Transient, format!("somebody locks all of {label}")),
            _ => e,
        })
    }

    /// A session in a transaction, after `statement`.
    async fn enter(&self, doing: &str, statement: &str) -> Result<Self::Connection> {
        match self.ending().take() {
            Place::Within => Err(rehearsal_lost()),
            place => self.start(doing, place, statement).await,
        }
    }

    /// Asks between two batches. A rehearsal has to see what it wrote.
    async fn look<R: Default>(
        &self,
        ask: impl AsyncFnOnce(&mut Self::Connection) -> Result<R>,
    ) -> Result<R> {
        let Ending::Rehearse { place, .. } = self.ending() else {
            return ask(&mut self.idle().await?).await;
        };
        // Before its first batch, or after its end, there is nothing to see.
        if let Place::Before | Place::Within = *lock(place) {
            return Ok(R::default());
        }
        let mut connection = self.enter("looking at what was rehearsed", "").await?;
        let answer = ask(&mut connection).await;
        match answer.is_ok() {
            true => self.ending().put(Place::Between(Box::new(connection))),
            false => self.give_up(connection),
        }
        answer
    }

    /// Ends a rehearsal: `last` still sees all of it; then nothing remains.
    async fn end(&self, last: impl AsyncFnOnce(&mut Self::Connection) -> Result<()>) -> Result<()> {
        let Ending::Rehearse { place, .. } = self.ending() else { return Ok(()) };
        if matches!(*lock(place), Place::Within) {
            return Ok(());
        }
        let mut connection = self.enter("ending a rehearsal", "").await?;
        let outcome = last(&mut connection).await;
        Self::discard(connection);
        outcome
    }
}

fn lock<C>(place: &Mutex<Place<C>>) -> MutexGuard<'_, Place<C>> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

fn rehearsal_lost() -> Error {
    Error::new(Kind::Other, "a batch before this one lost the connection, which ended the dry run")
        .remedied("Run it again.")
}
