//! One exported snapshot that every table and worker of a run reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::OnceCell;
use tokio_postgres::types::Type;

use crate::db::postgres::statement::CopyOut;
use crate::db::postgres::{Connection, Database};
use crate::error::{Error, Kind, Result};
use crate::model::{Capture, Carried, Horizon, Lag, Position, Selection, TablePlan};
use crate::source::cut::Limits;
use crate::source::{Changes, Source, View};
use crate::sql::{Sql, ident, literal};

use super::changes;
use super::horizon::Horizons;
use super::opposite::{self, Known};
use super::render::{self, Own, Reading};
use super::still::Still;

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
    /// `None`: one of the tables could not tell.
    still: Option<Still>,
    /// Its name for other sessions, once one has asked.
    snapshot: OnceCell<String>,
    holder: Holder,
}

/// Keeps the snapshot alive. It is in a transaction as long as it lives.
#[derive(Debug)]
struct Holder(Option<Connection>);

impl Holder {
    fn get(&self) -> Result<&Connection> {
        self.0.as_ref().ok_or_else(|| Error::new(Kind::Other, "the snapshot is gone"))
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        if let Some(holder) = self.0.take() {
            holder.discard();
        }
    }
}

impl Source for PgSource {
    type View = PgView;

    async fn open(&self, tables: &[(&TablePlan, &Position)]) -> Result<PgView> {
        let view = self.look(tables, tables).await?;
        match view.still {
            Some(_) => Ok(view),
            // A table that was altered since it was planned, or is locked: whoever reads it says so,
            // and the others go on.
            None => self.look(tables, &[]).await,
        }
    }
}

impl PgSource {
    /// Opens the view of `tables`, in one flight: the server works on what is sent together in this
    /// order. Those that are `asked` say whether they have changed.
    async fn look(
        &self,
        tables: &[(&TablePlan, &Position)],
        asked: &[(&TablePlan, &Position)],
    ) -> Result<PgView> {
        let holder = Holder(Some(self.database.connection().await?));
        let (session, sql) = (holder.get()?, &self.sql);
        let doing = "taking the snapshot";
        let store = self.store.as_deref().unwrap_or_default();
        let begin = sql.render("postgres/snapshot.sql", &[("snapshot", "")]);
        let lags = lags(tables);
        let known = async {
            match &self.store {
                Some(store) => opposite::read(session, sql, store, tables).await,
                None => Ok(BTreeMap::new()),
            }
        };
        let (horizons, begun, seen, known, still) = tokio::join!(
            biased;
            Horizons::read(session, sql, &lags),
            session.batch(doing, &begin),
            session.value(doing, SEEN, &[]),
            known,
            Still::ask(session, sql, store, asked)
        );
        // In their order: what fails first makes the others fail.
        let (horizons, (), seen, known) = (horizons?, begun?, seen?, known?);
        let still = still.inspect_err(|e| tracing::debug!("all tables are read: {e}")).ok();
        Ok(PgView {
            database: Arc::clone(&self.database),
            sql: sql.clone(),
            horizons,
            store: self.store.clone(),
            only: self.only.clone(),
            known,
            seen,
            still,
            snapshot: OnceCell::new(),
            holder,
        })
    }
}

const SEEN: &str = "select pg_current_snapshot()::text";

/// The lags of the tables that are read by their stamps, each once.
fn lags(tables: &[(&TablePlan, &Position)]) -> Vec<Lag> {
    let mut lags = Vec::new();
    for (plan, _) in tables.iter().filter(|(plan, _)| plan.capture == Capture::Timestamp) {
        if !lags.contains(&plan.settings.lag) {
            lags.push(plan.settings.lag);
        }
    }
    lags
}

impl PgView {
    /// What its snapshot sees, as PostgreSQL writes it.
    pub fn seen(&self) -> &str {
        &self.seen
    }

    /// The snapshot's name. A run that reads nothing does not ask for it.
    async fn snapshot(&self) -> Result<&str> {
        let export = async {
            let doing = "sharing the snapshot";
            self.holder.get()?.value(doing, "select pg_export_snapshot()", &[]).await
        };
        self.snapshot.get_or_try_init(|| export).await.map(String::as_str)
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
        let snapshot = format!("set transaction snapshot {};", literal(self.snapshot().await?));
        let begin = self.sql.render("postgres/snapshot.sql", &[("snapshot", &snapshot)]);
        let (begun, bound, unaltered) = tokio::join!(
            biased;
            connection.batch(&doing, &begin),
            render::bind(&connection, &doing, &reading.settings),
            refuse_altered(&connection, plan, reading)
        );
        match begun.and(bound).and(unaltered) {
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
            Capture::Timestamp | Capture::Rowversion | Capture::DesktopLog => {
                self.horizons.of(plan.direction.source(), plan.settings.lag)
            }
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
        if self.still.as_ref().is_some_and(|still| still.is(plan, selection)) {
            return Ok(Changes::none());
        }
        let reading = render::reading(&self.sql, plan, selection, &self.own(plan));
        let copy = self.copy(plan, &reading).await?;
        let limits = Limits::of(plan);
        Ok(Changes::from_reader(|sink| changes::feed(copy, limits, sink)))
    }
}
