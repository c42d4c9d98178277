//! A forward run: desktop → cloud.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::Config;
use crate::db::postgres::{Connection, Database, Purpose};
use crate::error::{End, Error, Result};
use crate::model::{Direction, Lag, TablePlan};
use crate::source::postgres::{PgSource, PgView};
use crate::source::{Source, View};
use crate::sql::Sql;
use crate::store::{Store, TableState};
use crate::target::postgres::PgTarget;

use super::ending::{self, Ending};
use super::opening::{self, Opening};
use super::report::{Rehearsed, RunReport, TableReport};
use super::{Event, Events, Run};

/// What is asked of a run.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The tables, by their names in the cloud; empty means all that are enabled.
    pub tables: Vec<String>,
    /// Read whole tables, not only what changed.
    pub full: bool,
    /// Roll everything back in the end.
    pub dry_run: bool,
    /// In a dry run: gather so many rows of each table to be shown.
    pub rows: Option<usize>,
}

/// Runs forward sync once.
///
/// # Errors
/// Only what concerns the run as a whole; a table's own error is in the report.
pub async fn forward(
    config: &Config,
    request: &Request,
    sql: &Sql,
    stop: &CancellationToken,
    events: &Events<'_>,
) -> Result<RunReport> {
    let settings = opening::selected(config, &request.tables)?;
    // All tables of a rehearsal share one transaction.
    let workers = if request.dry_run { 1 } else { config.workers };
    let desktop =
        Arc::new(Database::new(&config.desktop_url, End::Desktop, Purpose::Reader, workers + 1)?);
    let cloud = Database::new(&config.cloud_url, End::Cloud, Purpose::Writer, workers + 1)?;
    let connection = cloud.connection().await?;
    let mut opening = opening::open(config, settings, &desktop, &connection, sql).await?;
    let run_id = Uuid::now_v7();
    if opening.tables.is_empty() {
        return Ok(report(config, request, run_id, ending::reports(&opening, &[])));
    }

    let view = PgSource::new(desktop, sql).open(&lags(&opening)).await?;
    let store = Store::new(sql, &config.cloud_schema);
    refuse_unsuited(&mut opening, &view);
    count_first_loads(&store, &connection, &mut opening.tables).await?;
    events(Event::Planned { tables: opening.tables.len() });
    let target = PgTarget::new(&cloud, &store, run_id, view.identity());
    let target = match (request.dry_run, request.rows) {
        (true, Some(rows)) => target.rehearsing().showing(rows),
        (true, None) => target.rehearsing(),
        (false, _) => target,
    };

    let run = Run { view: &view, target: &target, stop, events, full: request.full };
    let turns = run.work_all(&opening, workers).await;

    let mut reports = ending::reports(&opening, &turns);
    let ending = Ending { store: &store, run_id, view: &view };
    let recorded = match request.dry_run {
        true => {
            let reports = &mut reports;
            let record = async |within: &_| ending.record(within, &opening, &turns, reports).await;
            target.roll_back(record).await
        }
        false => {
            let mut recorded = ending.record(&connection, &opening, &turns, &mut reports).await;
            // The connection has been idle for the whole run; something on the way may have cut it.
            if recorded.as_ref().is_err_and(|e| e.kind().is_transient()) {
                connection.discard();
                recorded = match cloud.connection().await {
                    Ok(fresh) => ending.record(&fresh, &opening, &turns, &mut reports).await,
                    Err(e) => Err(e),
                };
            }
            recorded
        }
    };
    // What a table met is worse than that it could not be recorded.
    if let Err(e) = recorded {
        if reports.iter().all(|report| report.error.is_none()) {
            return Err(e);
        }
        tracing::error!(error = %e, "the run could not be recorded");
    }
    if request.dry_run {
        tell_rehearsal(&opening, &target, &mut reports);
    }
    Ok(report(config, request, run_id, reports))
}

/// Adds what only a rehearsal tells.
fn tell_rehearsal(opening: &Opening, target: &PgTarget<'_>, reports: &mut [TableReport]) {
    for report in reports {
        let table = opening.tables.iter().find(|(plan, _)| plan.label() == report.table);
        let watermark_from = table.and_then(|(_, state)| state.position.watermark.clone());
        let rows = target.shown(&report.table);
        report.rehearsed = Some(Rehearsed { watermark_from, rows });
    }
}

/// The run's report, its tables in the order of the configuration.
fn report(
    config: &Config,
    request: &Request,
    run_id: Uuid,
    mut tables: Vec<TableReport>,
) -> RunReport {
    let place = |table: &str| config.tables.iter().position(|t| t.cloud.to_string() == table);
    tables.sort_by_key(|report| place(&report.table));
    RunReport::new(run_id, Direction::Forward.word(), request.dry_run, tables)
}

/// The lags of the planned tables, each once.
fn lags(opening: &Opening) -> Vec<Lag> {
    let mut lags = Vec::new();
    for (plan, _) in &opening.tables {
        if !lags.contains(&plan.settings.lag) {
            lags.push(plan.settings.lag);
        }
    }
    lags
}

/// Tables that the view is no good for can't be synced.
fn refuse_unsuited(opening: &mut Opening, view: &PgView) {
    let tables = std::mem::take(&mut opening.tables);
    for (plan, state) in tables {
        let known = state.source_identity.as_deref();
        let suited = view.horizon(&plan).and_then(|_| same_source(&plan, known, view.identity()));
        match suited {
            Ok(()) => opening.tables.push((plan, state)),
            Err(e) => opening.refused.push((plan.settings, e)),
        }
    }
}

/// A position says nothing about another database, or about one restored from a backup.
///
/// # Errors
/// [`Kind::Config`](crate::error::Kind::Config) when the position is `known` to belong to another.
pub fn same_source(plan: &TablePlan, known: Option<&str>, identity: &str) -> Result<()> {
    if known.is_none_or(|known| known == identity) {
        return Ok(());
    }
    let label = plan.label();
    Err(Error::config(
        format!("{label} was read from another desktop database before"),
        format!(
            "If the desktop was moved or restored on purpose, run `tidegate watermark accept \
             --table {label}`: the next run then compares the whole table, and rows of mobile \
             users stay as they are."
        ),
    ))
}

/// Before the first load nothing has been counted yet.
async fn count_first_loads(
    store: &Store<'_>,
    connection: &Connection,
    tables: &mut [(TablePlan, TableState)],
) -> Result<()> {
    for (plan, state) in tables {
        if state.mobile.is_none() && state.position.watermark.is_none() {
            state.mobile = Some(store.count_mobile(connection, plan).await?);
        }
    }
    Ok(())
}
