//! What has to be known before a run can start: both catalogues, the plans, the state.

use std::mem;

use crate::config::Config;
use crate::db::Session;
use crate::db::postgres::Connection;
use crate::error::{End, Error, Result};
use crate::model::plan::{Evidence, Given};
use crate::model::schema::TableSchema;
use crate::model::{
    Capture, Direction, Horizon, TableName, TablePlan, TableSettings, order, planning,
};
use crate::source::View;
use crate::sql::Sql;
use crate::store::sqlserver::ToLog;
use crate::store::{CarriedByTable, SqlServerStore, Store, TableState};

use super::survey::Survey;
use super::written::Ledger;

/// The tables of a run: how each stands, or why it can't be synced.
#[derive(Debug)]
pub(super) struct Opening {
    /// Tables that can be synced, with their state.
    pub(super) tables: Vec<(TablePlan, TableState)>,
    /// Tables that can't, with the reason.
    pub(super) refused: Vec<(TableSettings, Error)>,
    /// Tables of the desktop's own, of which nothing comes home.
    pub(super) forward_only: Vec<TableSettings>,
    /// Whether the source holds tidegate's own tables.
    pub(super) remembers: bool,
    /// What a snapshot of the database that is written saw.
    snapshot: Horizon,
}

impl Opening {
    /// Plans every table of `settings`, by what both ends said.
    pub(super) fn of(
        config: &Config,
        direction: Direction,
        settings: Vec<TableSettings>,
        survey: &mut Survey,
    ) -> Self {
        let (snapshot, mut states) = survey.take_state(direction.target(), &settings);
        let planned = survey.catalogues.plan(config, direction, settings);
        let with_state = |plan: TablePlan| {
            let mut state = states.remove(&plan.label()).unwrap_or_default();
            state.position = state.position.of_kind(plan.capture);
            (plan, state)
        };
        let tables = planned.plans.into_iter().map(with_state).collect();
        let Planned { refused, forward_only, .. } = planned;
        let remembers = direction == Direction::Reverse || survey.catalogues.desktop_remembers;
        Self { tables, refused, forward_only, remembers, snapshot }
    }

    /// What the state says in the light of what the view of the source shows of the other direction:
    /// tables that can't be synced by it, and withheld rows that are worth another try.
    pub(super) async fn compare(
        &mut self,
        view: &impl View,
        ledger: &mut Ledger<'_>,
    ) -> Result<()> {
        let carried: CarriedByTable =
            self.tables.iter().map(|(plan, _)| (plan.label(), view.carried(plan))).collect();
        if self.tables.iter().any(|(plan, _)| is_restored(plan, &carried, &self.snapshot)) {
            // Or reverse has just been there.
            self.snapshot = ledger.snapshot().await?;
            self.refuse_restored(&carried);
        }
        let withholding: Vec<&TablePlan> =
            self.tables.iter().filter(|(_, state)| state.withholds).map(|(plan, _)| plan).collect();
        let mut awaited = ledger.awaited(&withholding, &carried).await?;
        for (plan, state) in &mut self.tables {
            state.awaited = awaited.remove(&plan.label()).unwrap_or_default();
        }
        Ok(())
    }

    fn refuse_restored(&mut self, carried: &CarriedByTable) {
        let (restored, tables): (Vec<_>, _) = mem::take(&mut self.tables)
            .into_iter()
            .partition(|(plan, _)| is_restored(plan, carried, &self.snapshot));
        self.tables = tables;
        self.refused.extend(restored.into_iter().map(|(plan, _)| {
            let e = Error::config(
                "the cloud has come less far than reverse had read it, so it was restored from a \
                 backup",
                "If that is meant, run `tidegate watermark accept`: the next reverse run then \
                 compares whole tables, and this one goes on after it.",
            );
            (plan.settings, e)
        }));
    }
}

/// What the other direction has carried says nothing of a cloud that was restored from a backup:
/// edits that were made there since would not count as pending.
fn is_restored(plan: &TablePlan, carried: &CarriedByTable, now: &Horizon) -> bool {
    let position = carried.get(&plan.label()).and_then(|c| c.position.as_ref());
    plan.evidence == Evidence::Log
        && plan.direction == Direction::Forward
        && position.is_some_and(|at| at.is_ahead_of(now))
}

/// The tables that a run is about: those that are enabled, or those that are named.
///
/// # Errors
/// [`Kind::Config`](crate::error::Kind::Config) for a name that the configuration doesn't know.
pub fn selected(config: &Config, named: &[String]) -> Result<Vec<TableSettings>> {
    if named.is_empty() {
        return Ok(config.tables.iter().filter(|t| t.enabled).cloned().collect());
    }
    let find = |name: &String| {
        let table = TableName::parse(name, "public");
        config.tables.iter().find(|t| t.cloud == table).cloned().ok_or_else(|| {
            let known: Vec<String> = config.tables.iter().map(|t| t.cloud.to_string()).collect();
            Error::config(
                format!("the configuration has no table {name}"),
                format!("It has: {}.", known.join(", ")),
            )
        })
    };
    let mut found: Vec<TableSettings> = Vec::new();
    for name in named {
        let table = find(name)?;
        if !found.contains(&table) {
            found.push(table);
        }
    }
    Ok(found)
}

/// Both ends, as the verbs that plan look at them.
#[derive(Debug, Clone, Copy)]
pub struct Ends<'e> {
    /// A session of the desktop.
    pub desktop: Session<'e>,
    /// A session of the cloud.
    pub cloud: &'e Connection,
}

impl<'e> Ends<'e> {
    /// The session of `end`.
    pub fn at(&self, end: End) -> Session<'e> {
        match end {
            End::Desktop => self.desktop,
            End::Cloud => self.cloud.into(),
        }
    }
}

/// What both ends say of the tables.
#[derive(Debug)]
pub struct Catalogues {
    /// The desktop's tables that were found.
    pub desktop: Vec<TableSchema>,
    /// The cloud's tables that were found.
    pub cloud: Vec<TableSchema>,
    /// Whether the desktop holds tidegate's own tables.
    pub desktop_remembers: bool,
}

/// Whether the desktop holds tidegate's own tables.
async fn has_store(config: &Config, sql: &Sql, desktop: Session<'_>) -> Result<bool> {
    match desktop {
        Session::Postgres(connection) => store(config, End::Desktop, sql).exists(connection).await,
        Session::SqlServer(session) => {
            sql_server_store(config, sql).exists(&mut *session.lock().await).await
        }
    }
}

/// What both catalogues make of the tables.
#[derive(Debug)]
pub struct Planned {
    /// Tables that can be synced.
    pub plans: Vec<TablePlan>,
    /// Tables that can't, with the reason.
    pub refused: Vec<(TableSettings, Error)>,
    /// Tables of the desktop's own, of which nothing comes home.
    pub forward_only: Vec<TableSettings>,
}

impl Catalogues {
    /// Reads both.
    ///
    /// # Errors
    /// Only when one can't be read.
    pub async fn read(
        config: &Config,
        settings: &[TableSettings],
        ends: Ends<'_>,
        sql: &Sql,
    ) -> Result<Self> {
        let names = |end: End| -> Vec<TableName> { config.names(end, settings) };
        let (of_desktop, of_cloud) = (names(End::Desktop), names(End::Cloud));
        let (desktop, desktop_remembers, cloud) = tokio::try_join!(
            ends.desktop.catalogue(sql, &of_desktop),
            has_store(config, sql, ends.desktop),
            ends.at(End::Cloud).catalogue(sql, &of_cloud)
        )?;
        Ok(Self { desktop, cloud, desktop_remembers })
    }

    fn given<'g>(
        &'g self,
        config: &'g Config,
        settings: &'g TableSettings,
        synced: &'g [TableName],
    ) -> Given<'g> {
        Given {
            settings,
            ownership: &config.ownership,
            cloud_capture: config.cloud_capture,
            desktop: self.desktop.iter().find(|t| t.table() == settings.desktop),
            cloud: self.cloud.iter().find(|t| t.table() == settings.cloud),
            synced,
            desktop_remembers: self.desktop_remembers,
        }
    }

    /// What the logs of those of the configured tables have to be that a log of the desktop captures.
    pub(super) fn to_log(&self, config: &Config) -> Vec<ToLog> {
        let synced = config.names(End::Cloud, &config.tables);
        let logged = config.tables.iter().filter(|t| t.capture == Capture::DesktopLog);
        logged
            .map(|settings| {
                let given = self.given(config, settings, &synced);
                (settings.cloud.to_string(), planning::logging(given))
            })
            .collect()
    }

    /// Plans every table of `settings` in one direction.
    pub fn plan(
        &self,
        config: &Config,
        direction: Direction,
        settings: Vec<TableSettings>,
    ) -> Planned {
        let synced = config.names(direction.target(), &config.tables);
        let mut planned =
            Planned { plans: Vec::new(), refused: Vec::new(), forward_only: Vec::new() };
        for settings in settings {
            let given = self.given(config, &settings, &synced);
            if direction == Direction::Reverse && planning::is_forward_only(given) {
                planned.forward_only.push(settings);
                continue;
            }
            match planning::plan(direction, given) {
                Ok(plan) => planned.plans.push(plan),
                Err(e) => planned.refused.push((settings, e)),
            }
        }
        order::mark_cycles(&mut planned.plans);
        planned
    }
}

/// tidegate's own tables on a desktop that is a SQL Server.
pub fn sql_server_store<'s>(config: &Config, sql: &'s Sql) -> SqlServerStore<'s> {
    SqlServerStore::new(sql, &config.desktop_schema)
}

/// tidegate's own tables at `end`, a PostgreSQL.
pub fn store<'s>(config: &Config, end: End, sql: &'s Sql) -> Store<'s> {
    let schema = match end {
        End::Desktop => &config.desktop_schema,
        End::Cloud => &config.cloud_schema,
    };
    Store::at(end, sql, schema)
}
