//! Parents before children, as many tables at once as there are workers.

use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::model::TablePlan;
use crate::model::order::parents_first;
use crate::source::View;
use crate::store::TableState;
use crate::target::Target;

use super::worker::Worked;
use super::{Event, Run};

/// What became of a table's turn.
#[derive(Debug)]
pub(super) enum Turn {
    /// Its worker was at work.
    Worked(Box<Worked>),
    /// It was not tried: this table, which it refers to, failed.
    HeldBack(String),
}

impl<V: View, T: Target> Run<'_, V, T> {
    /// Works on every table; the result is in the order of `tables`.
    pub(super) async fn work_all(
        &self,
        tables: &[(TablePlan, TableState)],
        unavailable: &[String],
        workers: usize,
    ) -> Vec<Turn> {
        let plans: Vec<TablePlan> = tables.iter().map(|(plan, _)| plan.clone()).collect();
        let waits_for = parents_first(&plans);
        let mut turns: Vec<Option<Turn>> = tables.iter().map(|_| None).collect();
        let mut started = vec![false; tables.len()];
        let mut running = FuturesUnordered::new();
        loop {
            for i in 0..tables.len() {
                let ready = waits_for[i].iter().all(|&p| turns[p].is_some());
                if started[i] || !ready || running.len() >= workers {
                    continue;
                }
                started[i] = true;
                match self.obstacle(&plans[i], &waits_for[i], &plans, &turns, unavailable) {
                    Some(parent) => turns[i] = Some(Turn::HeldBack(parent)),
                    None => {
                        let (plan, state) = &tables[i];
                        running.push(async move { (i, self.work(plan, state).await) });
                    }
                }
            }
            match running.next().await {
                Some((i, worked)) => {
                    (self.events)(Event::Through { table: &plans[i].label() });
                    turns[i] = Some(Turn::Worked(Box::new(worked)));
                }
                None if started.iter().all(|s| *s) => break,
                None => {}
            }
        }
        turns.into_iter().flatten().collect()
    }

    /// A table that `plan` refers to and that failed, was held back, or can't be synced at all.
    fn obstacle(
        &self,
        plan: &TablePlan,
        waits_for: &[usize],
        plans: &[TablePlan],
        turns: &[Option<Turn>],
        unavailable: &[String],
    ) -> Option<String> {
        let failed = |turn: &Option<Turn>| match turn {
            Some(Turn::Worked(worked)) => worked.error.is_some(),
            Some(Turn::HeldBack(_)) => true,
            None => false,
        };
        let refused = plan.parents.iter().map(|p| p.table.to_string());
        waits_for
            .iter()
            .find(|&&p| failed(&turns[p]))
            .map(|&p| plans[p].label())
            .or_else(|| refused.into_iter().find(|parent| unavailable.contains(parent)))
    }
}
