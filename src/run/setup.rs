//! Sets the databases up for runs, and takes away again what was set up.

use serde::Serialize;

use crate::config::{Config, DesktopKind};
use crate::db::{self, Database, Purpose, Session};
use crate::error::{End, Error, Kind, Result};
use crate::model::{Capture, TableName};
use crate::sql::Sql;
use crate::store::Installed;
use crate::store::sqlserver::ToLog;

use super::opening::{Catalogues, Ends, sql_server_store, store};
use super::sequences::{Beginning, KeyRange};
use super::written::Written;

/// What is to be set up.
#[derive(Debug, Clone, Copy, Default)]
pub struct SetUp {
    /// Only this end; then what it lacks is an error.
    pub end: Option<End>,
    /// Without the change log's triggers in the cloud; those that are there stay.
    pub without_triggers: bool,
    /// Where the cloud's sequences begin that make mobile users' keys.
    pub mobile_keys_from: Option<i64>,
}

/// What was set up.
#[derive(Debug, Default)]
pub struct SetUpReport {
    /// The cloud, if it was asked for.
    pub cloud: Option<EndReport>,
    /// The desktop, if it was asked for and could be.
    pub desktop: Option<EndReport>,
    /// What became of the triggers, if they were wanted.
    pub triggers: Option<Installed>,
    /// Where mobile users' keys begin, if that was asked for.
    pub sequences: Option<Vec<KeyRange>>,
    /// What became of the triggers of the desktop's log, if any table is captured by it.
    pub desktop_triggers: Option<Installed>,
    /// Why the desktop could not be set up.
    pub warning: Option<Error>,
}

/// Which version tidegate's tables had and have.
#[derive(Debug, Clone, Serialize)]
pub struct EndReport {
    /// Their schema.
    pub schema: String,
    /// The version before; 0 where there were none.
    pub from: i32,
    /// The version now.
    pub to: i32,
}

impl SetUp {
    fn includes(&self, end: End) -> bool {
        self.end.is_none_or(|only| only == end)
    }

    /// Creates or upgrades what runs need.
    ///
    /// # Errors
    /// When an end can't be reached, before anything is changed; when the cloud's tables can't be
    /// made; of the desktop's only if it is the end that was named.
    pub async fn migrate(&self, config: &Config, sql: &Sql) -> Result<SetUpReport> {
        let (cloud, desktop) = tokio::try_join!(
            self.connection(config, End::Cloud),
            self.connection(config, End::Desktop)
        )?;
        let mut report = SetUpReport::default();
        if let Some(cloud) = &cloud {
            let cloud = cloud.session().postgres()?;
            let store = store(config, End::Cloud, sql);
            let beginning = match self.mobile_keys_from {
                Some(from) => Some(Beginning::at(from, config, cloud, sql).await?),
                None => None,
            };
            report.cloud = Some(migrated(config, cloud.into(), sql).await?);
            if let Some(beginning) = beginning {
                report.sequences = Some(beginning.apply(cloud).await?);
            }
            if !self.without_triggers && logs_changes(config) {
                let column = &config.ownership.column;
                report.triggers = Some(store.install_log(cloud, &tables(config), column).await?);
            }
        }
        if let Some(desktop) = &desktop {
            match migrated(config, desktop.session(), sql).await {
                Err(e) if e.kind() == Kind::Unauthorised && self.end.is_none() => {
                    report.warning = Some(needed_by_reverse(&e));
                }
                outcome => {
                    report.desktop = Some(outcome?);
                    report.desktop_triggers = self.log_desktop(config, desktop, cloud, sql).await?;
                }
            }
        }
        Ok(report)
    }

    /// Installs the triggers of the desktop's log, where a table is captured by it.
    async fn log_desktop(
        &self,
        config: &Config,
        desktop: &db::Connection,
        cloud: Option<db::Connection>,
        sql: &Sql,
    ) -> Result<Option<Installed>> {
        let Session::SqlServer(session) = desktop.session() else { return Ok(None) };
        if self.without_triggers || !logs_desktop(config) {
            return Ok(None);
        }
        let tables = to_log(config, desktop, cloud, sql).await?;
        let store = sql_server_store(config, sql);
        store.install_log(&mut *session.lock().await, tables).await.map(Some)
    }

    /// The exit code of what was done: not all of it may have been possible.
    pub fn exit_code(&self, report: &SetUpReport) -> u8 {
        const IN_PART: u8 = 3;
        let triggers = report.triggers.iter().chain(&report.desktop_triggers);
        let skipped = triggers.flat_map(|triggers| &triggers.skipped);
        let kinds: Vec<Kind> = skipped.filter_map(|table| table.kind).collect();
        match () {
            () if self.end.is_some() && kinds.contains(&Kind::Unauthorised) => {
                Kind::Unauthorised.exit_code()
            }
            () if kinds.contains(&Kind::Busy) => IN_PART,
            () => 0,
        }
    }

    async fn connection(&self, config: &Config, end: End) -> Result<Option<db::Connection>> {
        match self.includes(end) {
            true => connection(config, end).await.map(Some),
            false => Ok(None),
        }
    }
}

/// The statements for a database that has nothing of tidegate's: the cloud, if it is wanted, with
/// the triggers of the tables that it has now. Without an answer of the cloud they are left out, as
/// a comment says.
pub async fn script(config: &Config, wanted: &SetUp, sql: &Sql) -> String {
    if !wanted.includes(End::Cloud) {
        return match config.desktop_kind {
            DesktopKind::Postgres => store(config, End::Desktop, sql).migration_sql(),
            DesktopKind::SqlServer => desktop_script(config, wanted, sql).await,
        };
    }
    let store = store(config, End::Cloud, sql);
    let tables = store.migration_sql();
    if wanted.without_triggers || !logs_changes(config) {
        return tables;
    }
    let triggers = async {
        let cloud = connection(config, End::Cloud).await?;
        let cloud = cloud.session().postgres()?;
        store.log_sql(cloud, &self::tables(config), &config.ownership.column).await
    };
    match triggers.await {
        Ok(triggers) => tables + &triggers,
        Err(e) => format!("{tables}-- The triggers of the change log are not here: {e}\n"),
    }
}

async fn desktop_script(config: &Config, wanted: &SetUp, sql: &Sql) -> String {
    let store = sql_server_store(config, sql);
    let tables = store.migration_sql();
    if wanted.without_triggers || !logs_desktop(config) {
        return tables;
    }
    let triggers = async {
        let desktop = connection(config, End::Desktop).await?;
        to_log(config, &desktop, None, sql).await
    };
    match triggers.await {
        Ok(triggers) => tables + &store.log_sql(&triggers),
        Err(e) => format!("{tables}-- The triggers of the change log are not here: {e}\n"),
    }
}

/// The tables that the desktop's log captures, as both catalogues show them: the keys are the cloud's.
async fn to_log(
    config: &Config,
    desktop: &db::Connection,
    cloud: Option<db::Connection>,
    sql: &Sql,
) -> Result<Vec<ToLog>> {
    let cloud = match cloud {
        Some(cloud) => cloud,
        None => connection(config, End::Cloud).await?,
    };
    let ends = Ends { desktop: desktop.session(), cloud: cloud.session().postgres()? };
    Ok(Catalogues::read(config, &config.tables, ends, sql).await?.to_log(config))
}

/// Whether changes of any table of the desktop are taken from a log.
fn logs_desktop(config: &Config) -> bool {
    config.tables.iter().any(|table| table.capture == Capture::DesktopLog)
}

/// What `uninstall` does at one end: looks, and if it was told to, removes.
pub struct Removal<'r> {
    written: Written<'r>,
    /// The statements, in order.
    pub steps: Vec<String>,
}

impl<'r> Removal<'r> {
    /// Looks what there is to be removed at `end`.
    pub async fn of(config: &Config, end: End, sql: &'r Sql) -> Result<Self> {
        let written = Written::open(config, end, 0, sql).await.map_err(advised)?;
        let steps = written.with(async |ledger| ledger.removal().await).await?;
        Ok(Self { written, steps })
    }

    /// Removes it.
    pub async fn run(&self) -> Result<()> {
        self.written.with(async |ledger| ledger.remove(&self.steps).await).await
    }
}

/// Whether the cloud's changes are taken from a log.
pub(crate) fn logs_changes(config: &Config) -> bool {
    config.cloud_capture == Capture::Log
}

async fn migrated(config: &Config, session: Session<'_>, sql: &Sql) -> Result<EndReport> {
    let (migrated, schema) = match session {
        Session::Postgres(connection) => {
            let store = store(config, session.end(), sql);
            (store.migrate(connection).await?, store.schema().to_owned())
        }
        Session::SqlServer(session) => {
            let store = sql_server_store(config, sql);
            (store.migrate(&mut *session.lock().await).await?, store.schema().to_owned())
        }
    };
    Ok(EndReport { schema, from: migrated.from, to: migrated.to })
}

async fn connection(config: &Config, end: End) -> Result<db::Connection> {
    let reached = async { Database::of(config, end, Purpose::Writer, 1)?.connection().await };
    reached.await.map_err(advised)
}

fn advised(e: Error) -> Error {
    match e.kind() {
        Kind::Unreachable(_) => {
            let remedy = format!("{} To do without it for now, name the other --end.", e.remedy());
            e.remedied(remedy)
        }
        _ => e,
    }
}

fn tables(config: &Config) -> Vec<TableName> {
    config.names(End::Cloud, &config.tables)
}

fn needed_by_reverse(e: &Error) -> Error {
    Error::new(
        Kind::Unauthorised,
        format!("the desktop has no room for tidegate's tables: {e}; reverse runs need them"),
    )
    .remedied(
        "To let mobile work come home, migrate as a role that may create a schema there, as in \
         DESKTOP_URL=… tidegate migrate --end desktop. Forward runs don't need it.",
    )
}
