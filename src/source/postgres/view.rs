//! One exported snapshot that every table and worker of a run reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_postgres::types::Type;

use crate::db::postgres::statement::{CopyOut, text};
use crate::db::postgres::{Connection, Database};
use crate::error::{Error, Kind, Result};
use crate::model::{Capture, Carried, Horizon, Lag, Position, Selection, TablePlan};
use crate::source::{Changes, Source, View};
use crate::sql::{Sql, ident, literal};

use super::changes::{self, Limits};
use super::horizon::Horizons;
use super::opposite::{self, Known};
use super::render::{self, Own, Reading};

/// How often a read is started.
const TRIES: u32 = 5;

/// A PostgreSQL that is read.
#[derive(Debug)]
pub struct PgSource {
    database: Arc<Database>,
    sql: Sql,
    store: Option<String>,
    only: Option<String>,
}

impl PgSource {
    /// Reads `database`. It needs one connection more than there are tables read at once: one
    /// holds the snapshot.
    pub fn new(database: Arc<Database>, sql: &Sql) -> Self {
        Self { database, sql: sql.clone(), store: None, only: None }
    }

    /// The same; tidegate's own tables stand in `schema` of the database.
    pub fn remembering(self, schema: &str) -> Self {
        Self { store: Some(ident(schema)), ..self }
    }

    /// The same; of every selection only the row with this key is read, a JSON object, column of the
    /// cloud → text.
    pub fn only(self, key: &str) -> Self {
        Self { only: Some(key.to_owned()), ..self }
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
    store: Option<String>,
    only: Option<String>,
    known: BTreeMap<String, Known>,
    /// What its snapshot sees, as PostgreSQL writes it.
    seen: String,
    snapshot: String,
    /// Keeps the snapshot alive.
    holder: Option<Connection>,
}

impl Source for PgSource {
    type View = PgView;

    async fn open(&self, plans: &[TablePlan]) -> Result<PgView> {
        let database = Arc::clone(&self.database);
        let holder = database.connection().await?;
        let horizons = Horizons::read(&holder, &self.sql, &lags(plans)).await?;
        let mut view = PgView {
            database,
            sql: self.sql.clone(),
            horizons,
            store: self.store.clone(),
            only: self.only.clone(),
            known: BTreeMap::new(),
            seen: String::new(),
            snapshot: String::new(),
            holder: Some(holder),
        };
        view.take(plans).await?;
        Ok(view)
    }
}

/// The lags of the tables that are read by their stamps, each once.
fn lags(plans: &[TablePlan]) -> Vec<Lag> {
    let mut lags = Vec::new();
    for plan in plans.iter().filter(|plan| plan.capture == Capture::Timestamp) {
        if !lags.contains(&plan.settings.lag) {
            lags.push(plan.settings.lag);
        }
    }
    lags
}

impl PgView {
    /// Takes the snapshot, and asks in it what is known of the other direction.
    async fn take(&mut self, plans: &[TablePlan]) -> Result<()> {
        let Some(holder) = &self.holder else { return Ok(()) };
        let doing = "taking the snapshot";
        let begin = self.sql.render("postgres/snapshot.sql", &[("snapshot", "")]);
        holder.batch(doing, &begin).await?;
        let export = "select pg_export_snapshot(), pg_current_snapshot()::text";
        let rows = holder.rows(doing, export, &[]).await?;
        let row = rows.first().ok_or_else(|| Error::new(Kind::Other, doing))?;
        (self.snapshot, self.seen) = (row.get(0), row.get(1));
        if let Some(store) = &self.store {
            self.known = opposite::read(holder, &self.sql, store, plans).await?;
        }
        Ok(())
    }

    /// Another session of the database, outside of the snapshot.
    ///
    /// # Errors
    /// When none can be had.
    pub async fn connection(&self) -> Result<Connection> {
        self.database.connection().await
    }

    fn own(&self, plan: &TablePlan) -> Own<'_> {
        let known = self.known.get(&plan.label());
        Own {
            store: self.store.as_deref().unwrap_or_default(),
            logged: known.and_then(|known| known.logged.as_ref()),
            only: self.only.as_deref(),
        }
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
        match plan.capture {
            Capture::Timestamp => self.horizons.of(plan.direction.source(), plan.settings.lag),
            Capture::Log => Ok(Horizon(Some(self.seen.clone()))),
        }
    }

    fn carried(&self, plan: &TablePlan) -> Carried {
        self.known.get(&plan.label()).map(|known| known.carried.clone()).unwrap_or_default()
    }

    fn reaches(&self, plan: &TablePlan, at: &Position) -> bool {
        plan.capture == Capture::Timestamp
            || self.own(plan).logged.is_some_and(|logged| logged.reaches(at))
    }

    fn clock(&self) -> f64 {
        self.horizons.clock
    }

    async fn read(&self, plan: &TablePlan, selection: Selection<'_>) -> Result<Changes> {
        let reading = render::reading(&self.sql, plan, selection, &self.own(plan));
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
