//! One table of a run: from its state to what came of it.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::error::{Error, Kind, Result};
use crate::model::plan::Cycles;
use crate::model::position::SetBack;
use crate::model::{Awaited, Capture, Position, Selection, TablePlan};
use crate::pipeline::{Progress, Way};
use crate::source::View;
use crate::store::TableState;
use crate::target::Target;

use super::{Event, Run};

/// A batch that is at work when a run is asked to stop has so long.
const PATIENCE: Duration = Duration::from_secs(2);

/// One table of a run, as its worker leaves it.
#[derive(Debug)]
pub(super) struct Worked {
    /// Where the run found it.
    pub(super) from: Position,
    /// How far it got.
    pub(super) progress: Progress,
    /// Withheld rows of earlier runs that are worth another try.
    pub(super) awaited: Vec<Awaited>,
    /// Whether a ring of foreign keys was broken: references are still to be set.
    pub(super) broken: bool,
    /// What ended it early.
    pub(super) error: Option<Error>,
    /// How long it took so far.
    pub(super) seconds: f64,
}

impl Worked {
    /// Whether nothing was staged: the position has not moved with any row.
    pub(super) fn is_quiet(&self) -> bool {
        self.error.is_none() && self.progress.at.generation == self.from.generation
    }
}

impl<V: View, T: Target> Run<'_, V, T> {
    /// What a table is synced with; `watch` is told after every commit.
    pub(super) fn way<'w>(
        &'w self,
        plan: &'w TablePlan,
        watch: &'w dyn Fn(&Progress),
    ) -> Way<'w, V, T> {
        Way { plan, view: self.view, target: self.target, stop: self.stop, watch }
    }

    /// Syncs what changed in one table.
    pub(super) async fn work(&self, plan: &TablePlan, state: &TableState) -> Worked {
        let start = Instant::now();
        let mut worked = Worked {
            from: state.position.clone(),
            progress: Progress { at: state.position.clone(), ..Progress::default() },
            awaited: self.awaited(plan, state),
            broken: false,
            error: None,
            seconds: 0.0,
        };
        let outcome = tokio::select! {
            outcome = self.follow(plan, state, &mut worked) => outcome,
            () = self.no_batch_edge() => Err(Error::new(
                Kind::Interrupted,
                "stopped within a batch, which was rolled back",
            )),
        };
        worked.error = outcome.err();
        worked.seconds = start.elapsed().as_secs_f64();
        worked
    }

    /// Withheld rows that are worth another try, and those that the other direction has left to
    /// this one.
    fn awaited(&self, plan: &TablePlan, state: &TableState) -> Vec<Awaited> {
        // A full run meets every row anyway; but what the log says of a withheld row lies further
        // back than it looks.
        let mut awaited = match self.full && plan.capture == Capture::Timestamp {
            true => Vec::new(),
            false => state.awaited.clone(),
        };
        let won = self.view.carried(plan).won;
        // A row that this direction has withheld as well is asked for once.
        let known: HashSet<&String> = won.iter().collect();
        awaited.retain(|a| !known.contains(&a.key));
        let won = won.into_iter().map(|key| Awaited { key, once_owned: false, since: None });
        awaited.extend(won);
        awaited.retain(|awaited| self.row.is_none_or(|row| row == awaited.key));
        awaited
    }

    /// Whether what changed since `at` can still be told; at the beginning, everything is read.
    fn can_go_on(&self, plan: &TablePlan, at: &Position) -> bool {
        let reaches = at.watermark.is_none() || self.view.reaches(plan, at);
        if !reaches {
            tracing::warn!(
                table = plan.label(),
                "the change log does not reach back to the last run; the whole table is read"
            );
        }
        reaches
    }

    /// Ends when a run that was asked to stop has not come to the edge of its batch in time: it
    /// may wait for a lock, or for a database that doesn't answer.
    async fn no_batch_edge(&self) {
        self.stop.cancelled().await;
        sleep(PATIENCE).await;
    }

    async fn follow(
        &self,
        plan: &TablePlan,
        state: &TableState,
        worked: &mut Worked,
    ) -> Result<()> {
        if !plan.drift.is_empty() {
            let columns = plan.drift.join(", ");
            tracing::warn!(table = plan.label(), columns, "the cloud lacks columns; left out");
        }
        let label = plan.label();
        let at = self.read_from(&label, state);
        let selection = match self.full || !self.can_go_on(plan, &at) {
            true => Selection::All(&at),
            false => Selection::Since(&at),
        };
        let watch = |progress: &Progress| {
            (self.events)(Event::Batch { table: &label, read: progress.account.read });
        };
        self.way(plan, &watch).follow(selection, Cycles::Wait, &mut worked.progress).await
    }

    /// Where to read from. The position itself never moves back.
    fn read_from(&self, label: &str, state: &TableState) -> Position {
        let at = &state.position;
        match state.moved.and_then(|moved| moved.set_back(self.view.clock(), at)) {
            None => at.clone(),
            Some(SetBack { by, from }) => {
                tracing::warn!(
                    table = label,
                    "{label}: the desktop's clock has been set back since the last run, or the \
                     cloud's forward, by {} or more; the watermark stays until the clock has passed \
                     it, and rows that were stamped since {from} are read again",
                    humantime::format_duration(by),
                );
                from
            }
        }
    }
}
