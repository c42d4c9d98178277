//! Parents before children, as many tables at once as there are workers.

use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::model::order::parents_first;
use crate::model::{TablePlan, TableSettings, Tally};
use crate::source::View;
use crate::target::Target;

use super::opening::Opening;
use super::report::Outcome;
use super::worker::Worked;
use super::{Event, Run};

/// What became of a table's turn.
#[derive(Debug)]
pub(super) enum Turn {
    /// Its worker was at work.
    Worked(Box<Worked>),
    /// It was not tried, because a table that it refers to was not done.
    HeldBack {
        /// That table.
        parent: String,
        /// How this one ends by it.
        outcome: Outcome,
    },
}

impl Turn {
    /// What became of its rows, if it was worked on.
    pub(super) fn tally(&self) -> Option<&Tally> {
        match self {
            Turn::Worked(worked) => Some(&worked.progress.account.tally),
            Turn::HeldBack { .. } => None,
        }
    }

    /// Whether there was nothing to do.
    pub(super) fn is_quiet(&self) -> bool {
        matches!(self, Turn::Worked(worked) if worked.is_quiet())
    }

    /// How tables end that refer to this one, unless it was done.
    fn consequence(&self) -> Option<Outcome> {
        match self {
            Turn::HeldBack { outcome, .. } => Some(*outcome),
            Turn::Worked(worked) => worked.error.as_ref().map(|e| match Outcome::of(e.kind()) {
                // Neither is a failure: the other run, or the next one, does them as well.
                passing @ (Outcome::Held | Outcome::Interrupted) => passing,
                _ => Outcome::HeldBack,
            }),
        }
    }
}

impl<V: View, T: Target> Run<'_, V, T> {
    /// Works on every table, then on what was left for later; the result is in the order of
    /// `opening.tables`.
    pub(super) async fn work_all(&self, opening: &Opening, workers: usize) -> Vec<Turn> {
        let mut turns = self.take_turns(opening, workers).await;
        self.retry_all(&opening.tables, &mut turns).await;
        turns
    }

    async fn take_turns(&self, opening: &Opening, workers: usize) -> Vec<Turn> {
        let tables = &opening.tables;
        let plans: Vec<TablePlan> = tables.iter().map(|(plan, _)| plan.clone()).collect();
        let waits_for = parents_first(&plans);
        let mut turns: Vec<Option<Turn>> = tables.iter().map(|_| None).collect();
        let mut waiting: Vec<usize> = (0..tables.len()).collect();
        let mut running = FuturesUnordered::new();
        while !waiting.is_empty() || !running.is_empty() {
            let free = workers.saturating_sub(running.len());
            let is_ready = |i: &usize| waits_for[*i].iter().all(|&p| turns[p].is_some());
            let ready: Vec<usize> = waiting.iter().copied().filter(is_ready).take(free).collect();
            waiting.retain(|i| !ready.contains(i));
            for i in ready {
                match obstacle(opening, i, &waits_for[i], &turns) {
                    Some(held_back) => {
                        (self.events)(Event::Through { table: &plans[i].label() });
                        turns[i] = Some(held_back);
                    }
                    None => {
                        let (plan, state) = &tables[i];
                        running.push(async move { (i, self.work(plan, state).await) });
                    }
                }
            }
            if let Some((i, worked)) = running.next().await {
                (self.events)(Event::Through { table: &plans[i].label() });
                turns[i] = Some(Turn::Worked(Box::new(worked)));
            }
        }
        turns.into_iter().flatten().collect()
    }
}

/// Keeps a table from its turn when one that it refers to was not done.
fn obstacle(
    opening: &Opening,
    table: usize,
    waits_for: &[usize],
    turns: &[Option<Turn>],
) -> Option<Turn> {
    let undone = waits_for.iter().find_map(|&p| {
        let outcome = turns[p].as_ref()?.consequence()?;
        Some(Turn::HeldBack { parent: opening.tables[p].0.label(), outcome })
    });
    let refused = || {
        let (plan, _) = &opening.tables[table];
        let is_parent = |t: &TableSettings| plan.parents.iter().any(|p| p.table == t.cloud);
        let (settings, _) = opening.refused.iter().find(|(settings, _)| is_parent(settings))?;
        let parent = settings.cloud.to_string();
        Some(Turn::HeldBack { parent, outcome: Outcome::HeldBack })
    };
    undone.or_else(refused)
}
