//! One direction of a run.

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::Config;
use crate::db::{Database, Purpose};
use crate::error::{End, Error, Result};
use crate::model::{Capture, Direction, Position, TablePlan, TableSettings};
use crate::source::sqlserver::version;
use crate::source::{AnySource, AnyView, Source, View};
use crate::sql::Sql;
use crate::store::TableState;
use crate::target::Show;

use super::ending::{self, Ending};
use super::opening::{self, Ends, Opening};
use super::report::{Rehearsed, TableReport};
use super::schedule::Turn;
use super::survey::{Question, Survey};
use super::target::AnyTarget;
use super::written::{Ledger, Written};
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
        let source = Database::of(config, direction.source(), Purpose::Reader, workers + 1)?;
        let written = Written::open(config, direction.target(), workers, sql).await?;
        let mut surveyed = match survey.take() {
            Some(survey) => survey,
            None => self.survey(&source, &written, &settings).await?,
        };
        let mut opening = Opening::of(config, direction, settings, &mut surveyed);
        self.leave_out(&mut opening);
        if opening.tables.is_empty() {
            *survey = Some(surveyed);
            return Ok(self.in_order(ending::reports(direction, &opening, &[])));
        }
        let view = self.view(source, &opening).await?;
        refuse_unsuited(&mut opening, &view);
        let prepare = async |ledger: &mut Ledger<'_>| {
            opening.compare(&view, ledger).await?;
            count_first_loads(ledger, &mut opening.tables).await
        };
        written.with(prepare).await?;
        (self.events)(Event::Planned { tables: opening.tables.len() });
        let target = self.ending(AnyTarget::of(&written, self.run_id, view.identity()));
        let run = Run {
            view: &view,
            target: &target,
            stop: self.stop,
            events: self.events,
            full: request.full,
            row: request.row.as_deref(),
        };
        let turns = run.work_all(&opening, workers).await;
        if direction == Direction::Reverse && turns.iter().all(Turn::is_quiet) {
            if let Some(cloud) = view.postgres() {
                surveyed.cloud_has_come_to(cloud.seen());
            }
            *survey = Some(surveyed);
        }
        target.settle().await;
        let mut reports = ending::reports(direction, &opening, &turns);
        let ending = Ending { run_id: self.run_id, view: &view };
        let record = async |ledger: &mut Ledger<'_>, reports: &mut Vec<TableReport>| {
            // What is recorded is of whole tables.
            match request.row {
                Some(_) => Ok(()),
                None => ending.record(ledger, &opening, &turns, reports).await,
            }
        };
        let recorded = match request.dry_run {
            true => target.roll_back(async |ledger| record(ledger, &mut reports).await).await,
            false => self.record_at_last(&written, record, &mut reports).await,
        };
        // What a table met is worse than that it could not be recorded.
        if let Err(e) = recorded {
            if reports.iter().all(|report| report.error.is_none()) {
                return Err(e);
            }
            tracing::error!(error = %e, "the run could not be recorded");
        }
        self.follow_up(&opening, &view, (&target, &written), &mut reports).await;
        Ok(self.in_order(reports))
    }

    async fn survey(
        &self,
        source: &Database,
        target: &Written<'_>,
        settings: &[TableSettings],
    ) -> Result<Survey> {
        let Self { config, way, sql, .. } = *self;
        let reader = source.connection().await?;
        let ends = match self.direction {
            Direction::Forward => {
                Ends { desktop: reader.session(), cloud: target.session().postgres()? }
            }
            Direction::Reverse => {
                Ends { desktop: target.session(), cloud: reader.session().postgres()? }
            }
        };
        Survey::of(ends, Question { config, way, settings, sql }).await
    }

    /// Records in the session of `written`, or in a fresh one: it has been idle for the whole run, and
    /// something on the way may have cut it.
    async fn record_at_last(
        &self,
        written: &Written<'_>,
        record: impl AsyncFn(&mut Ledger<'_>, &mut Vec<TableReport>) -> Result<()>,
        reports: &mut Vec<TableReport>,
    ) -> Result<()> {
        let recorded = written.with(async |ledger| record(ledger, reports).await).await;
        if recorded.as_ref().is_err_and(|e| e.kind().is_transient()) {
            let fresh = Written::open(self.config, self.direction.target(), 0, self.sql).await?;
            return fresh.with(async |ledger| record(ledger, reports).await).await;
        }
        recorded
    }

    /// What is left to do when everything is recorded.
    async fn follow_up(
        &self,
        opening: &Opening,
        view: &AnyView,
        (target, written): (&AnyTarget<'_>, &Written<'_>),
        reports: &mut [TableReport],
    ) {
        match (self.request.dry_run, self.direction, written) {
            (true, ..) => tell_rehearsal(opening, target, reports),
            (false, Direction::Forward, Written::Postgres(end)) => {
                self.prune_desktop(opening, view, reports).await;
                sequences::pass_keys(&end.database, self.config, self.sql, reports).await;
            }
            (false, Direction::Reverse, _) => self.prune(view, written, reports).await,
            (false, Direction::Forward, Written::SqlServer(_)) => {}
        }
    }

    /// How batches end, and what a rehearsal shows of them.
    fn ending<'t>(&self, target: AnyTarget<'t>) -> AnyTarget<'t> {
        match self.request {
            Request { dry_run: false, .. } => target,
            Request { row: Some(key), .. } => target.rehearsing(Show::Row(key.clone())),
            Request { rows: Some(rows), .. } => target.rehearsing(Show::Rows(*rows)),
            _ => target.rehearsing(Show::Nothing),
        }
    }

    async fn view(&self, source: Database, opening: &Opening) -> Result<AnyView> {
        let beginning = Position::default();
        let tables = opening.tables.iter().map(|(plan, state)| match self.request.full {
            true => (plan, &beginning),
            false => (plan, &state.position),
        });
        let tables: Vec<(&TablePlan, &Position)> = tables.collect();
        let reader = AnySource::new(source, self.sql);
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
    async fn prune(&self, view: &AnyView, desktop: &Written<'_>, reports: &[TableReport]) {
        let Some(view) = view.postgres() else { return };
        let read = reports.iter().filter(|report| report.read > 0);
        let labels: Vec<String> = read.map(|report| report.table.clone()).collect();
        if labels.is_empty() || self.config.cloud_capture != Capture::Log {
            return;
        }
        let pruned = async {
            let prunable = desktop.with(async |ledger| ledger.prunable(&labels).await).await?;
            let log = opening::store(self.config, End::Cloud, self.sql);
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

    /// Forgets what of the desktop's log has arrived, after a run that read any of it.
    async fn prune_desktop(&self, opening: &Opening, view: &AnyView, reports: &[TableReport]) {
        let AnyView::SqlServer(view) = view else { return };
        let is_logged = |label: &str| {
            let mut plans = opening.tables.iter().map(|(plan, _)| plan);
            plans.any(|plan| plan.capture == Capture::DesktopLog && plan.label() == label)
        };
        let read = reports.iter().filter(|report| report.read > 0 && is_logged(&report.table));
        let passed = read.filter_map(|report| Some((&*report.table, report.watermark.as_deref()?)));
        let passed: Vec<(&str, &str)> = passed.collect();
        if passed.is_empty() {
            return;
        }
        let pruned = async {
            let log = opening::sql_server_store(self.config, self.sql);
            let mut desktop = view.connection().await?;
            for (label, watermark) in passed {
                log.prune_log(&mut desktop, label, &version(watermark)?).await?;
            }
            Ok::<_, Error>(())
        };
        if let Err(e) = pruned.await {
            tracing::warn!(error = %e, "the desktop's change log was not pruned");
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

/// Adds what only a rehearsal tells.
fn tell_rehearsal(opening: &Opening, target: &AnyTarget<'_>, reports: &mut [TableReport]) {
    for report in reports {
        let table = opening.tables.iter().find(|(plan, _)| plan.label() == report.table);
        let watermark_from = table.and_then(|(_, state)| state.position.watermark.clone());
        let rows = target.shown(&report.table);
        report.rehearsed = Some(Rehearsed { watermark_from, rows });
    }
}

/// Tables that the view is no good for can't be synced.
fn refuse_unsuited(opening: &mut Opening, view: &AnyView) {
    let tables = std::mem::take(&mut opening.tables);
    for (plan, state) in tables {
        let known = state.source_identity.as_deref();
        let suited = view.horizon(&plan).and_then(|horizon| {
            same_source(&plan, known, view.identity())?;
            match plan.capture != Capture::Timestamp && state.position.is_ahead_of(&horizon) {
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
    ledger: &mut Ledger<'_>,
    tables: &mut [(TablePlan, TableState)],
) -> Result<()> {
    for (plan, state) in tables {
        if state.mobile.is_none() && state.position.watermark.is_none() {
            state.mobile = ledger.count_mobile(plan).await?;
        }
    }
    Ok(())
}
