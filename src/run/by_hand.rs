//! What people ask of tidegate's tables, and move there by hand.

use uuid::Uuid;

use crate::config::Config;
use crate::error::Result;
use crate::model::Direction;
use crate::sql::Sql;
use crate::store::{Finished, TablePosition, TableStatus};

use super::written::{Ledger, Written};

const MOVING: &str = "moving positions";

/// How the tables called `labels` stand, as the end has it that is written.
///
/// # Errors
/// [`Kind::Config`](crate::error::Kind::Config) when `migrate` has to run first.
pub async fn status(
    config: &Config,
    direction: Direction,
    labels: &[String],
    sql: &Sql,
) -> Result<Vec<TableStatus>> {
    let written = Written::open(config, direction.target(), 0, sql).await?;
    written.with(async |ledger| ledger.status(labels, direction).await).await
}

impl Ledger<'_> {
    async fn status(
        &mut self,
        labels: &[String],
        direction: Direction,
    ) -> Result<Vec<TableStatus>> {
        match self {
            Self::Postgres(store, on) => store.status(on, labels, direction).await,
            Self::SqlServer(store, on) => store.status(on, labels, direction).await,
        }
    }

    /// Where the tables called `labels` stand, in their order.
    pub(super) async fn positions(
        &mut self,
        labels: &[String],
        direction: Direction,
    ) -> Result<Vec<TablePosition>> {
        let direction = direction.word();
        match self {
            Self::Postgres(store, on) => store.positions(on, labels, direction).await,
            Self::SqlServer(store, on) => store.positions(on, labels, direction).await,
        }
    }

    /// Begins to move positions.
    pub(super) async fn begin(&mut self) -> Result<()> {
        match self {
            Self::Postgres(store, on) => {
                on.batch(MOVING, &store.sql().render("postgres/begin.sql", &[])).await
            }
            Self::SqlServer(store, on) => {
                on.begin_with(MOVING, &store.sql().render("sqlserver/begin.sql", &[])).await
            }
        }
    }

    /// Keeps what was moved.
    pub(super) async fn commit(&mut self) -> Result<()> {
        match self {
            Self::Postgres(_, on) => on.batch(MOVING, "commit").await,
            Self::SqlServer(store, on) => {
                on.end_with(MOVING, &store.sql().render("sqlserver/commit.sql", &[])).await
            }
        }
    }

    /// Leaves everything as it was. A session that can't has ended, and its server does so.
    pub(super) async fn roll_back(&mut self) {
        match self {
            Self::Postgres(_, on) => drop(on.batch(MOVING, "rollback").await),
            Self::SqlServer(store, on) => {
                let sql = store.sql().render("sqlserver/roll_back.sql", &[]);
                drop(on.end_with(MOVING, &sql).await);
            }
        }
    }

    /// Locks a table as a batch of a run does, and its position, which is made if need be.
    ///
    /// # Errors
    /// [`Kind::Held`](crate::error::Kind::Held) when a run is at work on the table.
    pub(super) async fn hold(&mut self, label: &str, direction: Direction) -> Result<()> {
        match self {
            Self::Postgres(store, on) => store.hold(on, label, direction.word()).await,
            Self::SqlServer(store, on) => store.hold(on, label, direction).await,
        }
    }

    /// Places the position of a table that is held, and notes that in the list of runs.
    pub(super) async fn place(
        &mut self,
        run: Uuid,
        to: &TablePosition,
        finished: &Finished<'_>,
    ) -> Result<()> {
        match self {
            Self::Postgres(store, on) => {
                store.place(on, run, to).await?;
                store.note_run(on, run, to, finished).await
            }
            Self::SqlServer(store, on) => {
                store.place(on, run, to).await?;
                store.note_run(on, run, to, finished).await
            }
        }
    }
}
