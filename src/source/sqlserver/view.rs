//! One look at the database that every table and worker of a run shares: SQL Server has no snapshot
//! that several sessions could read, so one session reads table after table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync;

use crate::db::sqlserver::failure::is_strange_text;
use crate::db::sqlserver::types::Zone;
use crate::db::sqlserver::{Connection, Database};
use crate::error::Result;
use crate::model::plan::Note;
use crate::model::{Carried, Horizon, Position, Selection, TablePlan};
use crate::source::cut::Limits;
use crate::source::{Changes, Source, View};
use crate::sql::{Sql, tsql};

use super::encoder::Encoder;
use super::horizon::Horizons;
use super::images::Asked;
use super::log::{Logs, Pages, Questions};
use super::opposite;
use super::render::{Asking, Texts};
use super::rows;
use super::still::Still;

/// A SQL Server that is read.
#[derive(Debug)]
pub struct SqlServerSource {
    database: Arc<Database>,
    sql: Sql,
    store: Option<String>,
    only: Option<String>,
}

impl SqlServerSource {
    /// Reads `database`, in one session.
    pub fn new(database: Arc<Database>, sql: &Sql) -> Self {
        Self { database, sql: sql.clone(), store: None, only: None }
    }

    /// The same; tidegate's own tables stand in `schema` of the database.
    pub fn remembering(self, schema: &str) -> Self {
        Self { store: Some(schema.to_owned()), ..self }
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
        let mut connection = self.database.connection().await?;
        Ok(Horizons::read(&mut connection, &self.sql, &[]).await?.identity)
    }
}

/// What the database looks like: at one moment where it allows snapshots, otherwise what is committed
/// when each table is read.
#[derive(Debug)]
pub struct SqlServerView {
    sql: Sql,
    horizons: Horizons,
    only: Option<String>,
    store: Option<String>,
    carried: BTreeMap<String, Carried>,
    still: Still,
    logs: Logs,
    zones: BTreeMap<String, Arc<Zone>>,
    holder: Arc<sync::Mutex<Holder>>,
    /// Tables of which the driver could not read a text.
    careful: Arc<Mutex<BTreeSet<String>>>,
}

/// The session, while nobody reads in it.
#[derive(Debug)]
pub(super) struct Holder {
    database: Arc<Database>,
    begin: String,
    connection: Option<Connection>,
}

impl Holder {
    /// The session, to read in. One that was lost is replaced: what is seen from then on is later than
    /// the horizon still.
    pub(super) async fn take(&mut self) -> Result<Connection> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => begun(&self.database, &self.begin).await,
        }
    }

    /// Gives it back.
    pub(super) fn give_back(&mut self, connection: Connection) {
        self.connection = Some(connection);
    }
}

/// A session that has begun to read.
pub(super) async fn begun(database: &Database, begin: &str) -> Result<Connection> {
    let mut connection = database.connection().await?;
    connection.begin_with("beginning to read", begin).await?;
    Ok(connection)
}

impl Source for SqlServerSource {
    type View = SqlServerView;

    async fn open(&self, tables: &[(&TablePlan, &Position)]) -> Result<SqlServerView> {
        let plans: Vec<&TablePlan> = tables.iter().map(|(plan, _)| *plan).collect();
        let zones = zones(&plans)?;
        let mut connection = self.database.connection().await?;
        let horizons = Horizons::read(&mut connection, &self.sql, &plans).await?;
        let begin = horizons.begin(&self.sql);
        connection.begin_with("beginning to read", &begin).await?;
        let carried = match &self.store {
            Some(store) => opposite::read(&mut connection, &self.sql, store, &plans).await?,
            None => BTreeMap::new(),
        };
        let asked: Vec<(Asking<'_>, &Position)> = tables
            .iter()
            .map(|(plan, at)| {
                let zone = zones.get(&plan.label()).map(AsRef::as_ref);
                let (sql, only) = (&self.sql, self.only.as_deref());
                (Asking { sql, plan, zone, only, texts: Texts::Plain }, *at)
            })
            .collect();
        let store = self.store.as_deref();
        let still = Still::ask(&mut connection, &self.sql, store, &asked).await?;
        let logs = Logs::read(&mut connection, &self.sql, store, &plans).await?;
        let database = Arc::clone(&self.database);
        let holder = Holder { database, begin, connection: Some(connection) };
        Ok(SqlServerView {
            sql: self.sql.clone(),
            horizons,
            only: self.only.clone(),
            store: self.store.clone(),
            carried,
            still,
            logs,
            zones,
            holder: Arc::new(sync::Mutex::new(holder)),
            careful: Arc::default(),
        })
    }
}

/// The zones of the tables whose stamps have none, by label.
fn zones(plans: &[&TablePlan]) -> Result<BTreeMap<String, Arc<Zone>>> {
    let named = plans.iter().filter_map(|plan| {
        let name = plan.settings.assume_timezone.as_deref()?;
        Some((plan.label(), name))
    });
    named.map(|(label, name)| Ok((label, Arc::new(Zone::named(name)?)))).collect()
}

impl SqlServerView {
    /// Another session of the same database.
    pub async fn connection(&self) -> Result<Connection> {
        // Whoever reads has the holder.
        let database = Arc::clone(&self.holder.lock().await.database);
        database.connection().await
    }

    /// What has to be known of what the desktop makes of rows, if it may make anything else of them.
    fn asked(&self, plan: &TablePlan) -> Option<Asked> {
        let store = self.store.as_ref().filter(|_| plan.has_note(Note::Counterpart))?;
        let slots = [("store", &*tsql::ident(store))];
        let sql = self.sql.render("sqlserver/images_of_table.sql", &slots);
        Some(Asked { sql, label: plan.label() })
    }

    fn texts(&self, label: &str) -> Texts {
        let careful = self.careful.lock().unwrap_or_else(PoisonError::into_inner);
        match careful.contains(label) {
            true => Texts::AsBytes,
            false => Texts::Plain,
        }
    }
}

impl View for SqlServerView {
    fn identity(&self) -> &str {
        &self.horizons.identity
    }

    fn horizon(&self, plan: &TablePlan) -> Result<Horizon> {
        self.logs.require(plan)?;
        self.horizons.of(plan)
    }

    fn carried(&self, plan: &TablePlan) -> Carried {
        self.carried.get(&plan.label()).cloned().unwrap_or_default()
    }

    fn reaches(&self, plan: &TablePlan, at: &Position) -> bool {
        self.logs.reach(plan, at)
    }

    fn clock(&self) -> f64 {
        self.horizons.clock()
    }

    async fn read(&self, plan: &TablePlan, selection: Selection<'_>) -> Result<Changes> {
        if self.still.is(plan, selection) {
            return Ok(Changes::none());
        }
        let label = plan.label();
        let zone = self.zones.get(&label);
        let asking = Asking {
            sql: &self.sql,
            plan,
            zone: zone.map(AsRef::as_ref),
            only: self.only.as_deref(),
            texts: self.texts(&label),
        };
        let store = self.store.as_deref();
        let questions = match Pages::of(&asking, zone.cloned(), store, selection)? {
            Some(pages) => Questions::Logged(Box::new(pages)),
            None => Questions::Known(asking.readings(selection)?.into()),
        };
        let encoder = Encoder::of(plan, zone.cloned())?;
        let asked = self.asked(plan);
        let limits = Limits::of(plan);
        let careful = Arc::clone(&self.careful);
        // Whoever reads has the session for himself.
        let holder = Arc::clone(&self.holder).lock_owned().await;
        Ok(Changes::from_reader(async move |sink| {
            rows::feed(holder, questions, (encoder, asked), limits, sink).await.inspect_err(|e| {
                if is_strange_text(e) {
                    careful.lock().unwrap_or_else(PoisonError::into_inner).insert(label);
                }
            })
        }))
    }
}
