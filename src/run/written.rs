//! The end that is written, of whichever kind: a session of its own, and tidegate's tables there.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::config::Config;
use crate::db::{self, Purpose, Session, postgres, sqlserver};
use crate::error::{End, Kind, Result};
use crate::model::settings::Ownership;
use crate::model::{Awaited, Direction, Horizon, TablePlan};
use crate::sql::Sql;
use crate::store::{CarriedByTable, Count, Counted, Finished, Quiet, SqlServerStore, State, Store};

use crate::target::sqlserver::held_digests;

use super::opening::{sql_server_store, store};

/// The end that is written.
pub(super) enum Written<'s> {
    /// A PostgreSQL.
    Postgres(Postgres<'s>),
    /// A SQL Server.
    SqlServer(SqlServer<'s>),
}

/// A PostgreSQL that is written.
pub(super) struct Postgres<'s> {
    pub(super) database: Arc<postgres::Database>,
    pub(super) store: Store<'s>,
    connection: Box<postgres::Connection>,
}

/// A SQL Server that is written.
pub(super) struct SqlServer<'s> {
    pub(super) database: Arc<sqlserver::Database>,
    pub(super) store: SqlServerStore<'s>,
    session: sqlserver::Session,
}

/// tidegate's own tables in a session: what a run asks of them and records there.
pub(super) enum Ledger<'l> {
    /// Of a PostgreSQL.
    Postgres(&'l Store<'l>, &'l postgres::Connection),
    /// Of a SQL Server.
    SqlServer(&'l SqlServerStore<'l>, &'l mut sqlserver::Connection),
}

impl<'s> Written<'s> {
    /// Connects to `end`, which is written by at most `workers` at once.
    pub(super) async fn open(
        config: &Config,
        end: End,
        workers: usize,
        sql: &'s Sql,
    ) -> Result<Self> {
        Ok(match db::Database::of(config, end, Purpose::Writer, workers + 1)? {
            db::Database::Postgres(database) => {
                let connection = Box::new(database.connection().await?);
                Self::Postgres(Postgres { database, store: store(config, end, sql), connection })
            }
            db::Database::SqlServer(database) => {
                let mut connection = Box::pin(database.connection()).await?;
                let patient = sql.render("sqlserver/patient.sql", &[]);
                connection.batch("beginning", &patient).await?;
                let session = sqlserver::Session::new(connection);
                let store = sql_server_store(config, sql);
                Self::SqlServer(SqlServer { database, store, session })
            }
        })
    }

    /// Its session.
    pub(super) fn session(&self) -> Session<'_> {
        match self {
            Self::Postgres(end) => Session::Postgres(&end.connection),
            Self::SqlServer(end) => Session::SqlServer(&end.session),
        }
    }

    /// Asks tidegate's tables, or records there.
    pub(super) async fn with<R>(
        &self,
        ask: impl AsyncFnOnce(&mut Ledger<'_>) -> Result<R>,
    ) -> Result<R> {
        match self {
            Self::Postgres(end) => ask(&mut Ledger::Postgres(&end.store, &end.connection)).await,
            Self::SqlServer(end) => {
                let mut connection = end.session.lock().await;
                ask(&mut Ledger::SqlServer(&end.store, &mut connection)).await
            }
        }
    }
}

impl Ledger<'_> {
    /// Whether they are there, of the present version.
    pub(super) async fn is_present(&mut self) -> Result<bool> {
        match self {
            Self::Postgres(store, on) => store.is_present(on).await,
            Self::SqlServer(store, on) => store.is_present(on).await,
        }
    }

    /// That they are there, of the present version.
    pub(super) async fn require(&mut self) -> Result<()> {
        match self {
            Self::Postgres(store, on) => store.require(on).await,
            Self::SqlServer(store, on) => store.require(on).await,
        }
    }

    /// What the tables called `labels` were left as.
    pub(super) async fn state(
        &mut self,
        direction: Direction,
        labels: &[String],
        ownership: &Ownership,
    ) -> Result<State> {
        match self {
            Self::Postgres(store, on) => store.state(on, direction, labels, ownership).await,
            Self::SqlServer(store, on) => store.state(on, direction, labels, ownership).await,
        }
    }

    /// What the database's snapshot sees now, if positions of the other direction can be told by it.
    pub(super) async fn snapshot(&mut self) -> Result<Horizon> {
        match self {
            Self::Postgres(store, on) => store.snapshot(on).await,
            Self::SqlServer(..) => Ok(Horizon(None)),
        }
    }

    /// The withheld rows of `plans` that are worth another try, by table.
    pub(super) async fn awaited(
        &mut self,
        plans: &[&TablePlan],
        carried: &CarriedByTable,
    ) -> Result<BTreeMap<String, Vec<Awaited>>> {
        match self {
            Self::Postgres(store, on) => store.awaited(on, plans, carried).await,
            Self::SqlServer(store, on) => {
                let sql = store.sql();
                let held =
                    async |on: &mut sqlserver::Connection, plan: &TablePlan, keys: &[String]| {
                        held_digests(on, sql, plan, keys).await
                    };
                store.awaited(on, plans, carried, held).await
            }
        }
    }

    /// Mobile rows of the target, counted now; `None` where users of a SQL Server stand in the way.
    pub(super) async fn count_mobile(&mut self, plan: &TablePlan) -> Result<Option<u64>> {
        match self {
            Self::Postgres(store, on) => store.count_mobile(on, plan).await.map(Some),
            Self::SqlServer(store, on) => unless_busy(store.count_mobile(on, plan).await),
        }
    }

    /// Counts the rows of each owner, also of one that has none; `None` where users of a SQL Server
    /// stand in the way.
    pub(super) async fn count_rows(&mut self, plan: &TablePlan) -> Result<Option<Count>> {
        match self {
            Self::Postgres(store, on) => store.count_rows(on, plan).await.map(Some),
            Self::SqlServer(store, on) => unless_busy(store.count_rows(on, plan).await),
        }
    }

    /// Records what `run` counted.
    pub(super) async fn record_counts(&mut self, run: Uuid, counted: &[Counted<'_>]) -> Result<()> {
        match self {
            Self::Postgres(store, on) => store.record_counts(on, run, counted).await,
            Self::SqlServer(store, on) => store.record_counts(on, run, counted).await,
        }
    }

    /// Counts one more failure in a row.
    pub(super) async fn record_failure(&mut self, plan: &TablePlan) -> Result<()> {
        match self {
            Self::Postgres(store, on) => store.record_failure(on, plan).await,
            Self::SqlServer(store, on) => store.record_failure(on, plan).await,
        }
    }

    /// Notes how a table's run ended.
    pub(super) async fn finish_run(
        &mut self,
        run: Uuid,
        plan: &TablePlan,
        finished: &Finished<'_>,
    ) -> Result<()> {
        match self {
            Self::Postgres(store, on) => store.finish_run(on, run, plan, finished).await,
            Self::SqlServer(store, on) => store.finish_run(on, run, plan, finished).await,
        }
    }

    /// Moves tables with nothing to do to the horizon.
    pub(super) async fn move_quiet(
        &mut self,
        run: Uuid,
        source_identity: &str,
        quiet: &[Quiet<'_>],
    ) -> Result<BTreeMap<String, Option<String>>> {
        match self {
            Self::Postgres(store, on) => store.move_quiet(on, run, source_identity, quiet).await,
            Self::SqlServer(store, on) => store.move_quiet(on, run, source_identity, quiet).await,
        }
    }

    /// The tables called `labels` and the transactions below which the cloud's log of them is not
    /// needed any more.
    pub(super) async fn prunable(&mut self, labels: &[String]) -> Result<Vec<(String, String)>> {
        match self {
            Self::Postgres(store, on) => store.prunable(on, labels).await,
            Self::SqlServer(store, on) => store.prunable(on, labels).await,
        }
    }

    /// The statements that take everything of tidegate's away.
    pub(super) async fn removal(&mut self) -> Result<Vec<String>> {
        match self {
            Self::Postgres(store, on) => store.removal(on).await,
            Self::SqlServer(store, on) => store.removal(on).await,
        }
    }

    /// Runs them.
    pub(super) async fn remove(&mut self, steps: &[String]) -> Result<()> {
        match self {
            Self::Postgres(store, on) => store.remove(on, steps).await,
            Self::SqlServer(store, on) => store.remove(on, steps).await,
        }
    }
}

/// What was counted. On a SQL Server readers wait for writers, and one who holds a row for long must not
/// stop the run: the last count stands, and the next one is compared with it.
fn unless_busy<T>(counted: Result<T>) -> Result<Option<T>> {
    match counted {
        Err(e) if e.kind() == Kind::Busy => {
            tracing::warn!(error = %e, "rows are not counted in this run");
            Ok(None)
        }
        counted => counted.map(Some),
    }
}
