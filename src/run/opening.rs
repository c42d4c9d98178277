//! What has to be known before a run can start: both catalogues, the plans, the state.

use crate::config::Config;
use crate::db::postgres::{Connection, Database, catalogue};
use crate::error::{Error, Result};
use crate::model::plan::Given;
use crate::model::schema::TableSchema;
use crate::model::{Direction, TableName, TablePlan, TableSettings, order, planning};
use crate::sql::Sql;
use crate::store::{Store, TableState};

/// The tables of a run: how each stands, or why it can't be synced.
#[derive(Debug)]
pub(super) struct Opening {
    /// Tables that can be synced, with their state.
    pub(super) tables: Vec<(TablePlan, TableState)>,
    /// Tables that can't, with the reason.
    pub(super) refused: Vec<(TableSettings, Error)>,
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

/// What both catalogues make of the tables.
#[derive(Debug)]
pub struct Planned {
    /// Tables that can be synced.
    pub plans: Vec<TablePlan>,
    /// Tables that can't, with the reason.
    pub refused: Vec<(TableSettings, Error)>,
    /// The desktop's tables that were found.
    pub desktop: Vec<TableSchema>,
    /// The cloud's tables that were found.
    pub cloud: Vec<TableSchema>,
}

/// Reads both catalogues, and plans every table of `settings`.
///
/// # Errors
/// Only when a catalogue can't be read.
pub async fn planned(
    config: &Config,
    settings: Vec<TableSettings>,
    desktop: &Connection,
    cloud: &Connection,
    sql: &Sql,
) -> Result<Planned> {
    let sources: Vec<TableName> = settings.iter().map(|t| t.desktop.clone()).collect();
    let targets: Vec<TableName> = settings.iter().map(|t| t.cloud.clone()).collect();
    let synced: Vec<TableName> = config.tables.iter().map(|t| t.cloud.clone()).collect();
    let (desktop, cloud) = tokio::try_join!(
        catalogue::read(desktop, sql, &sources),
        catalogue::read(cloud, sql, &targets)
    )?;
    let mut plans = Vec::new();
    let mut refused = Vec::new();
    for settings in settings {
        let planned = planning::forward(Given {
            settings: &settings,
            ownership: &config.ownership,
            source: desktop.iter().find(|t| t.table() == settings.desktop),
            target: cloud.iter().find(|t| t.table() == settings.cloud),
            synced: &synced,
        });
        match planned {
            Ok(plan) => plans.push(plan),
            Err(e) => refused.push((settings, e)),
        }
    }
    order::mark_cycles(&mut plans);
    Ok(Planned { plans, refused, desktop, cloud })
}

/// Plans every table and reads its state: two round trips to the cloud.
pub(super) async fn open(
    config: &Config,
    settings: Vec<TableSettings>,
    desktop: &Database,
    cloud: &Connection,
    sql: &Sql,
) -> Result<Opening> {
    let connection = desktop.connection().await?;
    let Planned { plans, refused, .. } = planned(config, settings, &connection, cloud, sql).await?;
    let store = Store::new(sql, &config.cloud_schema);
    let direction = Direction::Forward.word();
    let state = store.state(cloud, &plans, direction, &config.ownership).await?;
    Ok(Opening { tables: plans.into_iter().zip(state.tables).collect(), refused })
}
