//! The end of a run: quiet tables move together, the others are counted, checked and recorded, and
//! every table gets its line in the report.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::model::{Direction, TablePlan, TableSettings};
use crate::source::View;
use crate::store::{Count, Finished, Quiet, TableState};

use super::counting;
use super::opening::Opening;
use super::report::{Outcome, TableReport, Trouble};
use super::schedule::Turn;
use super::worker::Worked;
use super::written::Ledger;

/// What the end of a run needs.
pub(super) struct Ending<'e, V> {
    pub(super) run_id: Uuid,
    pub(super) view: &'e V,
}

impl<V: View> Ending<'_, V> {
    /// Records what the run did, and adds it to `reports`.
    pub(super) async fn record(
        &self,
        ledger: &mut Ledger<'_>,
        opening: &Opening,
        turns: &[Turn],
        reports: &mut [TableReport],
    ) -> Result<()> {
        fail::fail_point!("before_quiet_move", |_| std::process::abort());
        let moved = self.move_quiet(ledger, opening, turns).await?;
        fail::fail_point!("after_quiet_move", |_| std::process::abort());
        let mut counts = Vec::new();
        for (table, turn) in opening.tables.iter().zip(turns) {
            let label = table.0.label();
            let Some(report) = reports.iter_mut().find(|r| r.table == label) else { continue };
            if let Some(watermark) = moved.get(&label) {
                report.watermark.clone_from(watermark);
            }
            if let Turn::Worked(worked) = turn {
                let count = self.record_table(ledger, table, worked, report).await?;
                counts.extend(count.map(|count| (label, count)));
            }
        }
        // Last: before a finding is recorded, the counts that it follows from must not be gone.
        let counted: Vec<_> = counts.iter().map(|(label, count)| count.of(label)).collect();
        ledger.record_counts(self.run_id, &counted).await
    }

    /// Where the tables with nothing to do stand now.
    async fn move_quiet(
        &self,
        ledger: &mut Ledger<'_>,
        opening: &Opening,
        turns: &[Turn],
    ) -> Result<BTreeMap<String, Option<String>>> {
        let mut quiet = Vec::new();
        for ((plan, _), turn) in opening.tables.iter().zip(turns) {
            if let Turn::Worked(worked) = turn
                && worked.is_quiet()
            {
                let horizon = self.view.horizon(plan)?;
                quiet.push(Quiet { plan, at: &worked.progress.at, horizon });
            }
        }
        let identity = self.view.identity();
        ledger.move_quiet(self.run_id, identity, &quiet).await
    }

    /// Records how a table's run ended; where it wrote, the rows are counted and checked.
    async fn record_table(
        &self,
        ledger: &mut Ledger<'_>,
        (plan, state): &(TablePlan, TableState),
        worked: &Worked,
        report: &mut TableReport,
    ) -> Result<Option<Count>> {
        let mut count = None;
        if report.inserted + report.updated > 0 {
            count = ledger.count_rows(plan).await?;
        }
        if let Some(counted) = &count {
            let now = counted.owners.get(&plan.owner.mobile).copied().unwrap_or_default();
            report.mobile_after = Some(now);
            let logged = counted.logged.as_ref();
            if let Err(e) = counting::check(&report.table, report.mobile_before, now, logged) {
                report.fail(e, worked.error.as_ref());
            }
        }
        if report.error.is_some() {
            ledger.record_failure(plan).await?;
        }
        if worked.is_quiet() || !did_something(report) {
            return Ok(count);
        }
        let finished = Finished {
            outcome: report.outcome.word(),
            read: report.read,
            inserted: report.inserted,
            updated: report.updated,
            unchanged: report.unchanged,
            withheld: report.withheld,
            withheld_by: &report.withheld_by,
            mobile_before: report.mobile_before,
            mobile_after: report.mobile_after,
            watermark_from: state.position.watermark.as_deref(),
            watermark: report.watermark.as_deref(),
            seconds: report.seconds,
            error: report.error.as_ref().map(|e| e.message.clone()),
        };
        ledger.finish_run(self.run_id, plan, &finished).await?;
        Ok(count)
    }
}

fn did_something(report: &TableReport) -> bool {
    report.inserted + report.updated + report.withheld > 0 || report.error.is_some()
}

/// Every table's line, in no order.
pub(super) fn reports(direction: Direction, opening: &Opening, turns: &[Turn]) -> Vec<TableReport> {
    let refused = opening.refused.iter().map(|(settings, e)| refused(direction, settings, e));
    let worked = opening.tables.iter().zip(turns).map(|((plan, state), turn)| match turn {
        Turn::Worked(worked) => worked_on(plan, state, worked),
        Turn::HeldBack { parent, outcome } => held_back(plan, state, parent, *outcome),
    });
    refused.chain(worked).collect()
}

fn worked_on(plan: &TablePlan, state: &TableState, worked: &Worked) -> TableReport {
    let account = &worked.progress.account;
    TableReport {
        outcome: worked.error.as_ref().map_or(Outcome::Ok, |e| Outcome::of(e.kind())),
        read: account.read,
        inserted: account.tally.inserted,
        updated: account.tally.updated,
        unchanged: account.tally.unchanged,
        withheld: account.tally.withheld_total(),
        withheld_by: account.tally.withheld.clone(),
        mobile_before: state.mobile,
        mobile_after: state.mobile,
        watermark: worked.progress.at.watermark.clone(),
        seconds: (worked.seconds * 1000.0).round() / 1000.0,
        drift: plan.drift.clone(),
        error: worked.error.as_ref().map(Trouble::from),
        ..untouched(plan.direction, &plan.settings, Outcome::Ok)
    }
}

fn held_back(plan: &TablePlan, state: &TableState, parent: &str, outcome: Outcome) -> TableReport {
    TableReport {
        mobile_before: state.mobile,
        mobile_after: state.mobile,
        watermark: state.position.watermark.clone(),
        error: Some(Trouble::held_back_by(parent)),
        ..untouched(plan.direction, &plan.settings, outcome)
    }
}

fn refused(direction: Direction, settings: &TableSettings, e: &Error) -> TableReport {
    TableReport {
        error: Some(Trouble::from(e)),
        ..untouched(direction, settings, Outcome::Refused)
    }
}

fn untouched(direction: Direction, settings: &TableSettings, outcome: Outcome) -> TableReport {
    TableReport {
        table: settings.cloud.to_string(),
        direction: direction.word(),
        outcome,
        read: 0,
        inserted: 0,
        updated: 0,
        unchanged: 0,
        withheld: 0,
        withheld_by: BTreeMap::new(),
        deleted: 0,
        mobile_before: None,
        mobile_after: None,
        watermark: None,
        seconds: 0.0,
        drift: Vec::new(),
        error: None,
        rehearsed: None,
    }
}
