//! What becomes of the transactions: each is committed, or all of a rehearsal are one, which is
//! rolled back.

use std::mem;

use tokio::sync::Mutex;

use crate::db::postgres::Connection;
use crate::error::{Error, Kind, Result};
use crate::model::TablePlan;
use crate::sql::table;

use super::PgTarget;

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
    /// After a batch that failed.
    Failed(Box<Connection>),
}

/// From here on what a batch does in a rehearsal can be undone.
const SAVEPOINT: &str = "savepoint tidegate_batch";
const UNDO: &str = "rollback to savepoint tidegate_batch";

impl PgTarget<'_> {
    /// The connection of the next batch, in its transaction. Nobody changes the table's definition
    /// from here on.
    pub(super) async fn open(&self, plan: &TablePlan) -> Result<Connection> {
        // Whoever holds the whole table must not be taken for somebody who holds a row.
        let lock = format!("lock table {} in row exclusive mode", table(&plan.target));
        let label = plan.label();
        self.enter(&format!("beginning with {label}"), &lock).await.map_err(|e| match e.kind() {
            Kind::Busy => Error::new(Kind::Transient, format!("somebody locks all of {label}")),
            _ => e,
        })
    }

    /// A connection in a transaction, or in what is left of the rehearsal's, after `statement`.
    async fn enter(&self, doing: &str, statement: &str) -> Result<Connection> {
        let rehearsal = match &self.ending {
            Ending::Commit => Rehearsal::Before,
            Ending::Rehearse(slot) => mem::replace(&mut *slot.lock().await, Rehearsal::Within),
        };
        let render = |name| self.sql.render(name, &[]);
        let (connection, start) = match (rehearsal, &self.ending) {
            (Rehearsal::Before, ending) => {
                let begin = render("postgres/begin.sql");
                let savepoint = if matches!(ending, Ending::Commit) { "" } else { SAVEPOINT };
                (self.database.connection().await?, begin + savepoint)
            }
            (Rehearsal::Between(connection), _) => {
                (*connection, render("postgres/own_output.sql") + &render("postgres/clear.sql"))
            }
            (Rehearsal::Failed(connection), _) => (*connection, UNDO.to_owned()),
            (Rehearsal::Within, _) => return Err(rehearsal_lost()),
        };
        match connection.batch(doing, &format!("{start};\n{statement}")).await {
            Ok(()) => Ok(connection),
            Err(e) => {
                self.give_up(connection);
                Err(e)
            }
        }
    }

    /// Takes back the connection of a batch that failed.
    pub(super) fn give_up(&self, connection: Connection) {
        match &self.ending {
            Ending::Rehearse(slot)
                if !connection.is_lost()
                    && let Ok(mut slot) = slot.try_lock() =>
            {
                *slot = Rehearsal::Failed(Box::new(connection));
            }
            _ => connection.discard(),
        }
    }
    /// Asks between two batches. A rehearsal has to see what it wrote.
    pub(super) async fn look<R: Default>(
        &self,
        ask: impl AsyncFnOnce(&Connection) -> Result<R>,
    ) -> Result<R> {
        match &self.ending {
            Ending::Commit => ask(&self.database.connection().await?).await,
            Ending::Rehearse(slot) => {
                // Before its first batch, or after its end, there is nothing to see.
                if let Rehearsal::Before | Rehearsal::Within = *slot.lock().await {
                    return Ok(R::default());
                }
                let connection = self.enter("looking at what was rehearsed", "").await?;
                let answer = ask(&connection).await;
                match answer.is_ok() {
                    true => *slot.lock().await = Rehearsal::Between(Box::new(connection)),
                    false => self.give_up(connection),
                }
                answer
            }
        }
    }

    /// Ends a rehearsal: `last` still sees all of it; then nothing remains.
    ///
    /// # Errors
    /// What `last` met.
    pub async fn roll_back(&self, last: impl AsyncFnOnce(&Connection) -> Result<()>) -> Result<()> {
        let Ending::Rehearse(slot) = &self.ending else { return Ok(()) };
        if matches!(*slot.lock().await, Rehearsal::Within) {
            return Ok(());
        }
        let connection = self.enter("ending a rehearsal", "").await?;
        let outcome = last(&connection).await;
        connection.discard();
        outcome
    }
}

fn rehearsal_lost() -> Error {
    Error::new(Kind::Other, "a batch before this one lost the connection, which ended the dry run")
        .remedied("Run it again.")
}
