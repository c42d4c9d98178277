//! The end of a run: withheld rows are tried again, by their keys, while that helps.

use std::collections::{BTreeMap, HashSet};

use crate::error::Result;
use crate::model::plan::{Cycles, Parent};
use crate::model::{Awaited, Reason, Selection, TablePlan};
use crate::pipeline::Progress;
use crate::source::View;
use crate::store::TableState;
use crate::target::Target;

use super::Run;
use super::schedule::Turn;
use super::worker::Worked;

impl<V: View, T: Target> Run<'_, V, T> {
    /// Tries again while that brings something. A cycle of foreign keys that waits for itself is
    /// broken only when waiting has brought nothing; the round after that sets what was left out.
    pub(super) async fn retry_all(&self, tables: &[(TablePlan, TableState)], turns: &mut [Turn]) {
        let mut before = None;
        loop {
            self.round(tables, turns, Cycles::Wait).await;
            let still = waiting_rows(turns);
            if still == 0 {
                return;
            }
            if before == Some(still) {
                break;
            }
            before = Some(still);
        }
        if tables.iter().any(|(plan, _)| plan.parents.iter().any(Parent::is_breakable)) {
            self.round(tables, turns, Cycles::Break).await;
            self.round(tables, turns, Cycles::Break).await;
        }
    }

    async fn round(&self, tables: &[(TablePlan, TableState)], turns: &mut [Turn], cycles: Cycles) {
        for ((plan, _), turn) in tables.iter().zip(turns) {
            if let Turn::Worked(worked) = turn
                && worked.error.is_none()
            {
                worked.error = self.retry(plan, worked, cycles).await.err();
            }
        }
    }

    async fn retry(&self, plan: &TablePlan, worked: &mut Worked, cycles: Cycles) -> Result<()> {
        let earlier = std::mem::take(&mut worked.awaited);
        // What a broken cycle left out is on the list, though its row counts as inserted.
        let mut keys = match worked.progress.account.tally.waiting() > 0 || cycles == Cycles::Break
        {
            true => self.take_back(plan, worked).await?,
            false => Vec::new(),
        };
        // A row that an earlier run left and this run met again is on both lists.
        let known: HashSet<String> = keys.iter().map(|a| a.key.clone()).collect();
        keys.extend(earlier.iter().filter(|a| !known.contains(&a.key)).cloned());
        if keys.is_empty() {
            return Ok(());
        }
        let watch = |_: &Progress| {};
        let way = self.way(plan, &watch);
        way.follow(Selection::Keys(&keys), cycles, &mut worked.progress).await?;
        self.target.forget_gone(plan, &earlier).await
    }

    /// The rows of this run that were left for later; they count again with their next verdict.
    async fn take_back(&self, plan: &TablePlan, worked: &mut Worked) -> Result<Vec<Awaited>> {
        let left = self.target.left_for_later(plan).await?;
        let mut by_reason: BTreeMap<Reason, u64> = BTreeMap::new();
        for (_, reason) in &left {
            *by_reason.entry(*reason).or_default() += 1;
        }
        let account = &mut worked.progress.account;
        for (reason, rows) in by_reason {
            account.read -= account.tally.take_back(reason, rows);
        }
        Ok(left.into_iter().map(|(awaited, _)| awaited).collect())
    }
}

fn waiting_rows(turns: &[Turn]) -> u64 {
    let waiting = |turn: &Turn| match turn {
        Turn::Worked(worked) => worked.progress.account.tally.waiting(),
        Turn::HeldBack { .. } => 0,
    };
    turns.iter().map(waiting).sum()
}
