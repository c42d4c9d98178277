//! One direction of a run.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::Config;
use crate::db::postgres::{Connection, Database, Purpose};
use crate::error::{End, Error, Result};
use crate::model::{Capture, Direction, Position, TablePlan, TableSettings};
use crate::source::postgres::{PgSource, PgView};
use crate::source::{Source, View};
use crate::sql::Sql;
use crate::store::{Store, TableState};
use crate::target::postgres::PgTarget;

use super::ending::{self, Ending};
use super::opening::{self, Ends, Opening};
use super::report::{Rehearsed, TableReport};
use super::schedule::Turn;
use super::survey::{Question, Survey};
use super::{Event, Events, Run, Way, sequences};

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
    /// In a dry run: read, and gather, this row alone; its key as a JSON object, column of the cloud →
    /// text.
    pub row: Option<String>,
}

/// One direction of a run.
pub(super) struct OneWay<'o> {
    pub(super) config: &'o Config,
    pub(super) way: Way,
    pub(super) direction: Direction,
    pub(super) run_id: Uuid,
    pub(super) request: &'o Request,
    pub(super) sql: &'o Sql,
    pub(super) stop: &'o CancellationToken,
    pub(super) events: &'o Events<'o>,
}

impl OneWay<'_> {
    /// Runs once; gives every table's report, in the order of the configuration. `survey` is what
    /// both ends said of the run, if they were asked; it is left there while it holds good.
    ///
    /// # Errors
    /// Only what concerns the run as a whole; a table's own error is in the report.
    pub(super) async fn run(&self, survey: &mut Option<Survey>) -> Result<Vec<TableReport>> {
        let Self { config, direction, request, sql, .. } = *self;
        let settings = opening::selected(config, &request.tables)?;
        // All tables of a rehearsal share one transaction.
        let workers = if request.dry_run { 1 } else { config.workers };
        let database =
            |end: End, purpose| Database::new(config.url(end), end, purpose, workers + 1);
        let source = Arc::new(database(direction.source(), Purpose::Reader)?);
        let target = database(direction.target(), Purpose::Writer)?;
        let connection = target.connection().await?;
        let mut surveyed = match survey.take() {
            Some(survey) => survey,
            None => self.survey(&source, &connection, &settings).await?,
        };
        let mut opening = Opening::of(config, direction, settings, &mut surveyed);
        self.leave_out(&mut opening);
        if opening.tables.is_empty() {
            *survey = Some(surveyed);
            return Ok(self.in_order(ending::reports(direction, &opening, &[])));
        }
        let view = self.view(source, &opening).await?;
        let store = opening::store(config, direction.target(), sql);
        refuse_unsuited(&mut opening, &view);
        opening.compare(&view, &store, &connection).await?;
        count_first_loads(&store, &connection, &mut opening.tables).await?;
        (self.events)(Event::Planned { tables: opening.tables.len() });
        let pg = self.ending(PgTarget::new(&target, &store, self.run_id, view.identity()));
        let run = Run {
            view: &view,
            target: &pg,
            stop: self.stop,
            events: self.events,
            full: request.full,
            row: request.row.as_deref(),
        };
        let turns = run.work_all(&opening, workers).await;
        if direction == Direction::Reverse && turns.iter().all(Turn::is_quiet) {
            surveyed.cloud_has_come_to(view.seen());
            *survey = Some(surveyed);
        }
        let mut reports = ending::reports(direction, &opening, &turns);
        let ending = Ending { store: &store, run_id: self.run_id, view: &view };
        let recorded = match request.dry_run {
            true => {
                let reports = &mut reports;
                // What is recorded is of whole tables.
                let record = async |within: &_| match request.row {
                    Some(_) => Ok(()),
                    None => ending.record(within, &opening, &turns, reports).await,
                };
                pg.roll_back(record).await
            }
            false => {
                let record = async |on: &Connection, reports: &mut Vec<TableReport>| {
                    ending.record(on, &opening, &turns, reports).await
                };
                record_at_last(connection, &target, record, &mut reports).await
            }
        };
        // What a table met is worse than that it could not be recorded.
        if let Err(e) = recorded {
            if reports.iter().all(|report| report.error.is_none()) {
                return Err(e);
            }
            tracing::error!(error = %e, "the run could not be recorded");
        }
        self.follow_up(&opening, &view, &pg, &target, &mut reports).await;
        Ok(self.in_order(reports))
    }

    async fn survey(
        &self,
        source: &Database,
        target: &Connection,
        settings: &[TableSettings],
    ) -> Result<Survey> {
        let Self { config, way, sql, .. } = *self;
        let reader = source.connection().await?;
        let ends = match self.direction {
            Direction::Forward => Ends { desktop: &reader, cloud: target },
            Direction::Reverse => Ends { desktop: target, cloud: &reader },
        };
        Survey::of(ends, Question { config, way, settings, sql }).await
    }

    /// What is left to do when everything is recorded.
    async fn follow_up(
        &self,
        opening: &Opening,
        view: &PgView,
        pg: &PgTarget<'_>,
        target: &Database,
        reports: &mut [TableReport],
    ) {
        match (self.request.dry_run, self.direction) {
            (true, _) => tell_rehearsal(opening, pg, reports),
            (false, Direction::Forward) => {
                sequences::pass_keys(target, self.config, self.sql, reports).await;
            }
            (false, Direction::Reverse) => self.prune(view, target, reports).await,
        }
    }

    /// How batches end, and what a rehearsal shows of them.
    fn ending<'t>(&self, target: PgTarget<'t>) -> PgTarget<'t> {
        match self.request {
            Request { dry_run: false, .. } => target,
            Request { row: Some(key), .. } => target.rehearsing().showing_row(key),
            Request { rows: Some(rows), .. } => target.rehearsing().showing(*rows),
            _ => target.rehearsing(),
        }
    }

    async fn view(&self, source: Arc<Database>, opening: &Opening) -> Result<PgView> {
        let beginning = Position::default();
        let tables = opening.tables.iter().map(|(plan, state)| match self.request.full {
            true => (plan, &beginning),
            false => (plan, &state.position),
        });
        let tables: Vec<(&TablePlan, &Position)> = tables.collect();
        let reader = PgSource::new(source, self.sql);
        let reader = match opening.remembers {
            true => {
                let end = self.direction.source();
                reader.remembering(opening::store(self.config, end, self.sql).schema())
            }
            false => reader,
        };
        let reader = match &self.request.row {
            Some(key) => reader.only(key),
            None => reader,
        };
        reader.open(&tables).await
    }

    /// Forgets what of the cloud's log has come home, after a run that read any of it. That it can't
    /// is no reason to call the run failed: the next one does.
    async fn prune(&self, view: &PgView, desktop: &Database, reports: &[TableReport]) {
        let read = reports.iter().filter(|report| report.read > 0);
        let labels: Vec<String> = read.map(|report| report.table.clone()).collect();
        if labels.is_empty() || self.config.cloud_capture != Capture::Log {
            return;
        }
        let (home, away) = (End::Desktop, End::Cloud);
        let pruned = async {
            let desktop = desktop.connection().await?;
            let store = opening::store(self.config, home, self.sql);
            let prunable = store.prunable(&desktop, &labels).await?;
            let log = opening::store(self.config, away, self.sql);
            let cloud = view.connection().await?;
            for (label, below) in prunable {
                log.prune_log(&cloud, &label, &below).await?;
            }
            Ok::<_, Error>(())
        };
        if let Err(e) = pruned.await {
            tracing::warn!(error = %e, "the change log was not pruned");
        }
    }

    /// Tables of the desktop's own are none of reverse's business, unless they are asked for.
    fn leave_out(&self, opening: &mut Opening) {
        if self.request.tables.is_empty() {
            return;
        }
        opening.refused.extend(opening.forward_only.drain(..).map(|settings| {
            let column = &self.config.ownership.column;
            let e = Error::config(
                format!("the desktop's table has no ownership column {column}"),
                "All its rows are the desktop's, so it is only synced forward. Add the column there, \
                 if rows of mobile users are to come home.",
            );
            (settings, e)
        }));
    }

    fn in_order(&self, mut tables: Vec<TableReport>) -> Vec<TableReport> {
        let of_config = &self.config.tables;
        tables.sort_by_key(|r| of_config.iter().position(|t| t.cloud.to_string() == r.table));
        tables
    }
}

/// Records on `connection`, or on a fresh one: it has been idle for the whole run, and something on
/// the way may have cut it.
async fn record_at_last(
    connection: Connection,
    target: &Database,
    record: impl AsyncFn(&Connection, &mut Vec<TableReport>) -> Result<()>,
    reports: &mut Vec<TableReport>,
) -> Result<()> {
    let recorded = record(&connection, reports).await;
    if recorded.as_ref().is_err_and(|e| e.kind().is_transient()) {
        connection.discard();
        return record(&target.connection().await?, reports).await;
    }
    recorded
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

/// Tables that the view is no good for can't be synced.
fn refuse_unsuited(opening: &mut Opening, view: &PgView) {
    let tables = std::mem::take(&mut opening.tables);
    for (plan, state) in tables {
        let known = state.source_identity.as_deref();
        let suited = view.horizon(&plan).and_then(|horizon| {
            same_source(&plan, known, view.identity())?;
            match plan.capture == Capture::Log && state.position.is_ahead_of(&horizon) {
                true => Err(other_source(&plan)),
                false => Ok(()),
            }
        });
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
    match known.is_none_or(|known| known == identity) {
        true => Ok(()),
        false => Err(other_source(plan)),
    }
}

fn other_source(plan: &TablePlan) -> Error {
    let (label, end) = (plan.label(), plan.direction.source());
    Error::config(
        format!("{label} was read from another {end} database before"),
        format!(
            "If the {end} was moved or restored on purpose, run `tidegate watermark accept \
             --table {label}`: the next run then compares the whole table, and rows of mobile \
             users stay as they are."
        ),
    )
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
