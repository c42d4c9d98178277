//! One exported snapshot that every table and worker of a run reads.

use std::sync::Arc;

use tokio_postgres::types::Type;

use crate::db::postgres::statement::{CopyOut, text};
use crate::db::postgres::{Connection, Database};
use crate::error::{Error, Kind, Result};
use crate::model::{Horizon, Lag, Selection, TablePlan};
use crate::source::{Changes, Source, View};
use crate::sql::{Sql, literal};

use super::changes::{self, Limits};
use super::horizon::Horizons;
use super::render::{self, Reading};

/// How often a read is started.
const TRIES: u32 = 5;

/// A PostgreSQL that is read.
#[derive(Debug)]
pub struct PgSource {
    database: Arc<Database>,
    sql: Sql,
}

impl PgSource {
    /// Reads `database`. It needs one connection more than there are tables read at once: one
    /// holds the snapshot.
    pub fn new(database: Arc<Database>, sql: &Sql) -> Self {
        Self { database, sql: sql.clone() }
    }

    /// Names the database.
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn identity(&self) -> Result<String> {
        let connection = self.database.connection().await?;
        Ok(Horizons::read(&connection, &self.sql, &[]).await?.identity)
    }
}

/// What the source looks like at one moment.
#[derive(Debug)]
pub struct PgView {
    database: Arc<Database>,
    sql: Sql,
    horizons: Horizons,
    snapshot: String,
    /// Keeps the snapshot alive.
    holder: Option<Connection>,
}

impl Source for PgSource {
    type View = PgView;

    async fn open(&self, lags: &[Lag]) -> Result<PgView> {
        let database = Arc::clone(&self.database);
        let holder = database.connection().await?;
        let horizons = Horizons::read(&holder, &self.sql, lags).await?;
        let sql = self.sql.clone();
        let mut view =
            PgView { database, sql, horizons, snapshot: String::new(), holder: Some(holder) };
        view.snapshot = view.export().await?;
        Ok(view)
    }
}

impl PgView {
    async fn export(&self) -> Result<String> {
        let Some(holder) = &self.holder else { return Ok(String::new()) };
        let begin = self.sql.render("postgres/snapshot.sql", &[("snapshot", "")]);
        holder.batch("taking the snapshot", &begin).await?;
        holder.value("taking the snapshot", "select pg_export_snapshot()", &[]).await
    }

    /// Starts a COPY. Before its first row, it may as well be started again.
    async fn copy(&self, plan: &TablePlan, reading: &Reading) -> Result<CopyOut> {
        let doing = format!("reading {}", plan.label());
        let mut tries = 0;
        loop {
            tries += 1;
            let copy = match self.reader(plan, reading).await {
                Ok(connection) => connection.read_copy(&doing, &reading.copy).await,
                Err(e) => Err(e),
            };
            match copy {
                Err(e) if e.kind().is_transient() && tries < TRIES => {
                    tracing::warn!(table = plan.label(), error = %e, "the read is tried again");
                }
                copy => return copy,
            }
        }
    }

    /// A connection whose transaction sees what the view sees, with the settings bound.
    async fn reader(&self, plan: &TablePlan, reading: &Reading) -> Result<Connection> {
        let connection = self.database.connection().await?;
        let doing = format!("reading {}", plan.label());
        let snapshot = format!("set transaction snapshot {};", literal(&self.snapshot));
        let begin = self.sql.render("postgres/snapshot.sql", &[("snapshot", &snapshot)]);
        let prepared = async {
            connection.batch(&doing, &begin).await?;
            for (name, value) in &reading.settings {
                connection.rows(&doing, render::BIND, &[text(name), text(value)]).await?;
            }
            refuse_altered(&connection, plan, reading).await
        };
        match prepared.await {
            Ok(()) => Ok(connection),
            Err(e) => {
                connection.discard();
                Err(e)
            }
        }
    }
}

/// Reading goes by the plan, and what has been read is never read again: both need the table that was
/// planned.
async fn refuse_altered(
    connection: &Connection,
    plan: &TablePlan,
    reading: &Reading,
) -> Result<()> {
    let label = plan.label();
    let (names, types) = render::planned_columns(plan);
    let params = [(&names as _, Type::TEXT_ARRAY), (&types as _, Type::TEXT_ARRAY)];
    let doing = format!("reading {label}");
    let rows = connection.rows(&doing, &reading.unaltered, &params).await?;
    if rows.first().is_some_and(|row| row.get("unaltered")) {
        return Ok(());
    }
    let end = connection.end();
    let message = format!("{label} was altered, or emptied, on the {end} since the run began");
    Err(Error::new(Kind::Transient, message).remedied("The next run plans anew."))
}

impl View for PgView {
    fn identity(&self) -> &str {
        &self.horizons.identity
    }

    fn horizon(&self, plan: &TablePlan) -> Result<Horizon> {
        self.horizons.of(plan.settings.lag)
    }

    fn clock(&self) -> f64 {
        self.horizons.clock
    }

    async fn read(&self, plan: &TablePlan, selection: Selection<'_>) -> Result<Changes> {
        let reading = render::reading(&self.sql, plan, selection);
        let copy = self.copy(plan, &reading).await?;
        let limits = Limits { rows: plan.settings.batch_rows, bytes: plan.settings.batch_bytes };
        Ok(Changes::from_reader(|sink| changes::feed(copy, limits, sink)))
    }
}

impl Drop for PgView {
    fn drop(&mut self) {
        if let Some(holder) = self.holder.take() {
            holder.discard();
        }
    }
}
