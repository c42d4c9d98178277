//! What becomes of the transactions: each is committed, or all of a rehearsal are one, which is
//! rolled back.

use std::mem;
use std::sync::PoisonError;

use tokio::sync::Mutex;

use crate::db::sqlserver::Connection;
use crate::error::{Error, Kind, Result};
use crate::model::TablePlan;
use crate::sql::tsql;

use super::SqlServerTarget;

/// What becomes of the transactions.
#[derive(Debug)]
pub(super) enum Ending {
    /// Each batch is committed.
    Commit,
    /// All batches of a rehearsal share one transaction, which is never committed: children see
    /// their parents and the counts are true.
    Rehearse(Mutex<Rehearsal>),
}

/// Where a rehearsal's one transaction is.
#[derive(Debug, Default)]
pub(super) enum Rehearsal {
    /// Not begun.
    #[default]
    Before,
    /// Between two batches.
    Between(Box<Connection>),
    /// A batch has it.
    Within,
}

impl SqlServerTarget<'_> {
    /// The connection of the next batch, in its transaction.
    pub(super) async fn open(&self, plan: &TablePlan) -> Result<Connection> {
        let (label, target) = (plan.label(), tsql::table(&plan.target));
        let doing = format!("beginning with {label}");
        let mut connection = self.enter(&doing).await?;
        let touch = self.sql.render("sqlserver/touch.sql", &[("target", &target)]);
        match connection.batch(&doing, &touch).await {
            Ok(()) => Ok(connection),
            Err(e) => {
                self.give_up(connection);
                // Whoever holds the whole table must not be taken for somebody who holds a row.
                Err(match e.kind() {
                    Kind::Busy => {
                        Error::new(Kind::Transient, format!("somebody locks all of {label}"))
                    }
                    _ => e,
                })
            }
        }
    }

    /// A connection in a transaction, or in the rehearsal's.
    async fn enter(&self, doing: &str) -> Result<Connection> {
        let rehearsal = match &self.ending {
            Ending::Commit => Rehearsal::Before,
            Ending::Rehearse(slot) => mem::replace(&mut *slot.lock().await, Rehearsal::Within),
        };
        match rehearsal {
            Rehearsal::Between(connection) => Ok(*connection),
            Rehearsal::Within => Err(rehearsal_lost()),
            Rehearsal::Before => {
                self.settle().await;
                let mut connection = self.database.connection().await?;
                let begin = self.sql.render("sqlserver/begin.sql", &[]);
                match connection.begin_with(doing, &begin).await {
                    Ok(()) => Ok(connection),
                    Err(e) => {
                        self.give_up(connection);
                        Err(e)
                    }
                }
            }
        }
    }

    /// Waits until what failed before is rolled back: until then its locks stand in our own way.
    pub async fn settle(&self) {
        let failed = mem::take(&mut *self.failed.lock().unwrap_or_else(PoisonError::into_inner));
        failed.join_all().await;
    }

    /// Takes back the connection of a batch that failed, and rolls it back meanwhile: a server takes its
    /// time to notice that a connection was closed. All of a rehearsal is lost with it, which begins anew
    /// with the next batch.
    pub(super) fn give_up(&self, mut connection: Connection) {
        let sql = self.sql.render("sqlserver/roll_back.sql", &[]);
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).spawn(async move {
            // What can't be rolled back is when it is closed.
            if !connection.is_lost()
                && let Err(e) = connection.batch("rolling back", &sql).await
            {
                tracing::debug!("a transaction ends with its connection: {e}");
            }
            connection.discard();
        });
        if let Ending::Rehearse(slot) = &self.ending
            && let Ok(mut slot) = slot.try_lock()
        {
            tracing::warn!(
                "a batch of this dry run failed, and what was rehearsed before it is forgotten: \
                 counts of rows that depend on it may differ from those of a run"
            );
            *slot = Rehearsal::Before;
        }
    }

    /// Asks between two batches. A rehearsal has to see what it wrote.
    pub(super) async fn look<R: Default>(
        &self,
        ask: impl AsyncFnOnce(&mut Connection) -> Result<R>,
    ) -> Result<R> {
        let Ending::Rehearse(slot) = &self.ending else {
            self.settle().await;
            return ask(&mut self.database.connection().await?).await;
        };
        // Before its first batch there is nothing to see.
        if let Rehearsal::Before | Rehearsal::Within = *slot.lock().await {
            return Ok(R::default());
        }
        let mut connection = self.enter("looking at what was rehearsed").await?;
        let answer = ask(&mut connection).await;
        match answer.is_ok() {
            true => *slot.lock().await = Rehearsal::Between(Box::new(connection)),
            false => self.give_up(connection),
        }
        answer
    }

    /// Ends a rehearsal: `last` still sees all of it; then nothing remains.
    ///
    /// # Errors
    /// What `last` met.
    pub async fn roll_back(
        &self,
        last: impl AsyncFnOnce(&mut Connection) -> Result<()>,
    ) -> Result<()> {
        let Ending::Rehearse(slot) = &self.ending else { return Ok(()) };
        if matches!(*slot.lock().await, Rehearsal::Within) {
            return Ok(());
        }
        let mut connection = self.enter("ending a rehearsal").await?;
        let outcome = last(&mut connection).await;
        connection.discard();
        outcome
    }
}

fn rehearsal_lost() -> Error {
    Error::new(Kind::Other, "a batch before this one lost the connection, which ended the dry run")
        .remedied("Run it again.")
}
