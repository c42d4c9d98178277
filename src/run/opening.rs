//! What has to be known before a run can start: both catalogues, the plans, the state.

use std::mem;

use crate::config::Config;
use crate::db::postgres::{Connection, catalogue};
use crate::error::{End, Error, Result};
use crate::model::plan::{Evidence, Given};
use crate::model::schema::TableSchema;
use crate::model::{Direction, Horizon, TableName, TablePlan, TableSettings, order, planning};
use crate::source::postgres::opposite;
use crate::sql::Sql;
use crate::store::{CarriedByTable, Store, TableState};

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
}

impl Opening {
    /// What the other direction has carried says nothing of a cloud that was restored from a
    /// backup: edits that were made there since would not count as pending.
    fn refuse_restored(&mut self, carried: &CarriedByTable, snapshot: String) {
        let now = Horizon(Some(snapshot));
        let is_restored = |plan: &TablePlan| {
            let position = carried.get(&plan.label()).and_then(|c| c.position.as_ref());
            plan.evidence == Evidence::Log
                && plan.direction == Direction::Forward
                && position.is_some_and(|at| at.is_ahead_of(&now))
        };
        let (restored, tables) =
            mem::take(&mut self.tables).into_iter().partition(|(plan, _)| is_restored(plan));
        self.tables = tables;
        self.refused.extend(restored.into_iter().map(|(plan, _): (TablePlan, TableState)| {
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
    pub desktop: &'e Connection,
    /// A session of the cloud.
    pub cloud: &'e Connection,
}

impl<'e> Ends<'e> {
    /// The session of `end`.
    pub fn at(&self, end: End) -> &'e Connection {
        match end {
            End::Desktop => self.desktop,
            End::Cloud => self.cloud,
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
    /// The desktop's tables that were found.
    pub desktop: Vec<TableSchema>,
    /// The cloud's tables that were found.
    pub cloud: Vec<TableSchema>,
    /// Whether the desktop holds tidegate's own tables.
    pub desktop_remembers: bool,
}

/// Reads both catalogues, and plans every table of `settings` in one direction.
///
/// # Errors
/// Only when a catalogue can't be read.
pub async fn planned(
    config: &Config,
    direction: Direction,
    settings: Vec<TableSettings>,
    ends: Ends<'_>,
    sql: &Sql,
) -> Result<Planned> {
    let names = |end: End| -> Vec<TableName> { config.names(end, &settings) };
    let (of_desktop, of_cloud) = (names(End::Desktop), names(End::Cloud));
    let store = store(config, End::Desktop, sql);
    let (desktop, desktop_remembers, cloud) = tokio::try_join!(
        catalogue::read(ends.desktop, sql, &of_desktop),
        store.exists(ends.desktop),
        catalogue::read(ends.cloud, sql, &of_cloud)
    )?;
    let synced = config.names(direction.target(), &config.tables);
    let mut planned = Planned {
        plans: Vec::new(),
        refused: Vec::new(),
        forward_only: Vec::new(),
        desktop,
        cloud,
        desktop_remembers,
    };
    for settings in settings {
        let given = Given {
            settings: &settings,
            ownership: &config.ownership,
            cloud_capture: config.cloud_capture,
            desktop: planned.desktop.iter().find(|t| t.table() == settings.desktop),
            cloud: planned.cloud.iter().find(|t| t.table() == settings.cloud),
            synced: &synced,
            desktop_remembers,
        };
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
    Ok(planned)
}

/// tidegate's own tables at `end`.
pub fn store<'s>(config: &Config, end: End, sql: &'s Sql) -> Store<'s> {
    let schema = match end {
        End::Desktop => &config.desktop_schema,
        End::Cloud => &config.cloud_schema,
    };
    Store::at(end, sql, schema)
}

/// Plans every table of `settings`, and reads its state in the database that is written.
pub(super) async fn open(
    config: &Config,
    direction: Direction,
    settings: Vec<TableSettings>,
    ends: Ends<'_>,
    sql: &Sql,
) -> Result<Opening> {
    let planned = planned(config, direction, settings, ends, sql).await?;
    let Planned { plans, refused, desktop_remembers, forward_only, .. } = planned;
    let remembers = direction == Direction::Reverse || desktop_remembers;
    let source = store(config, direction.source(), sql);
    let mut carried = CarriedByTable::new();
    if remembers {
        source.require(ends.at(direction.source())).await?;
        carried = opposite(ends.at(direction.source()), sql, source.quoted(), &plans).await?;
    }
    let target = store(config, direction.target(), sql);
    let state = target.state(ends.at(direction.target()), &plans, &carried).await?;
    let tables = plans.into_iter().zip(state.tables).collect();
    let mut opening = Opening { tables, refused, forward_only, remembers };
    opening.refuse_restored(&carried, state.snapshot);
    Ok(opening)
}
