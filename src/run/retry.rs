//! The end of a run: withheld rows are tried again, by their keys, while that helps.

use std::collections::HashSet;

use crate::error::Result;
use crate::model::plan::{Cycles, Parent};
use crate::model::{Awaited, InRing, Reason, Selection, TableName, TablePlan, Tally};
use crate::pipeline::{Progress, refuse_bad_table};
use crate::source::View;
use crate::store::TableState;
use crate::target::Target;

use super::Run;
use super::schedule::Turn;
use super::worker::Worked;

impl<V: View, T: Target> Run<'_, V, T> {
    /// Tries again while that brings something. A ring of foreign keys that waits for itself is
    /// broken only then; the rounds after that set what was left out.
    pub(super) async fn retry_all(&self, tables: &[(TablePlan, TableState)], turns: &mut [Turn]) {
        self.rounds(tables, turns).await;
        let rings = self.rings(tables, turns).await;
        for ((plan, _), worked) in worked(tables, turns) {
            let keys: HashSet<&str> = keys_of(&rings, &plan.label()).collect();
            let outcome = self.break_rings(plan, worked, &keys).await;
            worked.error = outcome.err();
        }
        if !rings.is_empty() {
            self.rounds(tables, turns).await;
        }
        for ((plan, _), worked) in worked(tables, turns) {
            worked.error = refuse_bad_table(plan, &worked.progress.account).err();
        }
    }

    async fn rounds(&self, tables: &[(TablePlan, TableState)], turns: &mut [Turn]) {
        loop {
            let before = written(turns);
            for i in 0..tables.len() {
                let (plan, state) = &tables[i];
                let may_arrive = state.withholds && parent_was_written(plan, tables, turns);
                if let Turn::Worked(worked) = &mut turns[i]
                    && worked.error.is_none()
                {
                    worked.error = self.retry(plan, worked, may_arrive).await.err();
                }
            }
            if written(turns) == before {
                return;
            }
        }
    }

    /// Asks for withheld rows again: those of earlier runs, those of this one, and those that
    /// may arrive by what it has written.
    async fn retry(&self, plan: &TablePlan, worked: &mut Worked, may_arrive: bool) -> Result<()> {
        let earlier = std::mem::take(&mut worked.awaited);
        let is_waiting = worked.progress.account.tally.waiting() > 0 || worked.broken;
        // Those that only wait for another owner say nothing of others, and are there in quiet runs.
        let is_due = earlier.iter().any(|a| !a.once_owned);
        let mut keys = match is_waiting || may_arrive || is_due {
            true => self.take_back(worked, self.target.left_for_later(plan).await?),
            false => Vec::new(),
        };
        // A row that an earlier run left and this run met again is on both lists.
        let known: HashSet<String> = keys.iter().map(|a| a.key.clone()).collect();
        keys.extend(earlier.iter().filter(|a| !known.contains(&a.key)).cloned());
        self.ask(plan, worked, &keys, Cycles::Wait).await?;
        self.target.forget_gone(plan, &earlier).await
    }

    async fn ask(
        &self,
        plan: &TablePlan,
        worked: &mut Worked,
        keys: &[Awaited],
        cycles: Cycles,
    ) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let watch = |_: &Progress| {};
        let way = self.way(plan, &watch);
        way.follow(Selection::Keys(keys), cycles, &mut worked.progress).await
    }

    /// The waiting rows that stand in a ring, if a reference of some table can be left out.
    async fn rings(&self, tables: &[(TablePlan, TableState)], turns: &mut [Turn]) -> Vec<InRing> {
        let is_breakable = |plan: &TablePlan| plan.parents.iter().any(Parent::is_breakable);
        if waiting_rows(turns) == 0 || !tables.iter().any(|(plan, _)| is_breakable(plan)) {
            return Vec::new();
        }
        let plans: Vec<&TablePlan> = tables.iter().map(|(plan, _)| plan).collect();
        self.target.rings(&plans).await.unwrap_or_else(|e| {
            tracing::warn!(error = %e, "rows that wait for each other are left for the next run");
            Vec::new()
        })
    }

    /// Inserts the rows under `keys` without the references that they wait for.
    async fn break_rings(
        &self,
        plan: &TablePlan,
        worked: &mut Worked,
        keys: &HashSet<&str>,
    ) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut left = self.target.left_for_later(plan).await?;
        left.retain(|(awaited, _)| keys.contains(awaited.key.as_str()));
        let left = self.take_back(worked, left);
        // What was left out is on the list, though its row counts as inserted.
        worked.broken = true;
        self.ask(plan, worked, &left, Cycles::Break).await
    }

    /// Rows that are asked for again count with their next verdict.
    fn take_back(&self, worked: &mut Worked, left: Vec<(Awaited, Option<Reason>)>) -> Vec<Awaited> {
        let account = &mut worked.progress.account;
        for reason in left.iter().filter_map(|(_, reason)| reason.as_ref()) {
            account.read -= account.tally.take_back(*reason, 1);
        }
        left.into_iter().map(|(awaited, _)| awaited).collect()
    }
}

/// The tables that were worked on without an error.
fn worked<'t>(
    tables: &'t [(TablePlan, TableState)],
    turns: &'t mut [Turn],
) -> impl Iterator<Item = (&'t (TablePlan, TableState), &'t mut Worked)> {
    tables.iter().zip(turns).filter_map(|(table, turn)| match turn {
        Turn::Worked(worked) if worked.error.is_none() => Some((table, &mut **worked)),
        _ => None,
    })
}

fn keys_of<'r>(rings: &'r [InRing], label: &str) -> impl Iterator<Item = &'r str> {
    rings.iter().filter(move |row| row.table == label).map(|row| row.key.as_str())
}

fn parent_was_written(
    plan: &TablePlan,
    tables: &[(TablePlan, TableState)],
    turns: &[Turn],
) -> bool {
    let is_parent = |table: &TableName| plan.parents.iter().any(|p| p.table == *table);
    let parents = tables.iter().zip(turns).filter(|((plan, _), _)| is_parent(&plan.target));
    parents.into_iter().any(|(_, turn)| turn.tally().is_some_and(|tally| tally.written() > 0))
}

fn written(turns: &[Turn]) -> u64 {
    turns.iter().filter_map(Turn::tally).map(Tally::written).sum()
}

fn waiting_rows(turns: &[Turn]) -> u64 {
    turns.iter().filter_map(Turn::tally).map(Tally::waiting).sum()
}
