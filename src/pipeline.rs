//! One table, one run: the six steps. Everything else in this crate serves this page.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Kind, Result};
use crate::guard;
use crate::model::plan::{Cycles, Parent};
use crate::model::{Account, Batch, Checkpoint, Position, Reason, Selection, TablePlan, Tally};
use crate::source::View;
use crate::target::{Staging, Target, TargetTx};

/// How often a batch is tried that meets an obstacle which passes.
const TRIES: usize = 6;
/// So many rows of a batch are waited for one after the other, each for a lock timeout.
const MAX_BUSY: u64 = 20;

/// Where the tests of crashes kill the program; nothing in a release.
macro_rules! passed {
    ($step:literal) => {
        fail::fail_point!($step, |_| std::process::abort())
    };
}

/// Where one table stands in a run.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// How far it has been read and committed.
    pub at: Position,
    /// What became of its rows.
    pub account: Account,
}

/// What one table is synced with.
pub struct Way<'w, V, T> {
    /// How the table is to be synced.
    pub plan: &'w TablePlan,
    /// Where its rows come from.
    pub view: &'w V,
    /// Where they go.
    pub target: &'w T,
    /// Asks to stop at the next batch edge.
    pub stop: &'w CancellationToken,
    /// Told after every commit.
    pub watch: &'w dyn Fn(&Progress),
}

impl<V: View, T: Target> Way<'_, V, T> {
    /// Brings the selected rows to the target.
    ///
    /// # Errors
    /// What was committed before stays committed, and `progress` says how far that is.
    pub async fn follow(
        &self,
        selection: Selection<'_>,
        cycles: Cycles,
        progress: &mut Progress,
    ) -> Result<()> {
        let horizon = self.view.horizon(self.plan)?;
        let checkpoint = |batch: &Batch| match selection {
            Selection::Keys(_) => Checkpoint::Stay,
            Selection::Since(_) | Selection::All(_) => batch.checkpoint(&horizon),
        };
        let goes_on = matches!(selection, Selection::Since(from) if *from == progress.at);
        let mut pauses = pauses();
        let mut changes = self.view.read(self.plan, selection).await?; //     1 read
        loop {
            match changes.next_batch().await {
                Ok(Some(batch)) => self.merge(batch, &checkpoint, cycles, progress).await?,
                Ok(None) => return Ok(()),
                Err(e) => {
                    let pause = pauses.next().filter(|_| e.kind().is_transient());
                    let Some(pause) = pause else { return Err(e) };
                    tracing::warn!(table = self.plan.label(), "the read is tried again: {e}");
                    self.rest(pause).await;
                    let at = progress.at.clone();
                    let rest = if goes_on { Selection::Since(&at) } else { selection };
                    changes = self.view.read(self.plan, rest).await?;
                }
            }
        }
    }

    /// Waits, unless somebody asks to stop.
    async fn rest(&self, pause: Duration) {
        tokio::select! {
            () = sleep(pause) => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// Merges a batch. One that the target refuses is halved until the row that it refuses stands
    /// alone; that row is set aside, and the others go on.
    async fn merge(
        &self,
        batch: Batch,
        checkpoint: &impl Fn(&Batch) -> Checkpoint,
        cycles: Cycles,
        progress: &mut Progress,
    ) -> Result<()> {
        let mut waiting = vec![batch];
        let mut busy = 0;
        while let Some(batch) = waiting.pop() {
            let to = checkpoint(&batch);
            let merged = self.patiently(&batch, &to, Deed::Merge(cycles), progress).await;
            let Err(e) = merged else { continue };
            match (blame(e.kind()), batch.halves()) {
                (Blame::Batch | Blame::Row(_), Some((first, second))) => {
                    tracing::debug!(table = self.plan.label(), rows = batch.rows(), "halved: {e}");
                    waiting.extend([second, first]);
                }
                (Blame::Row(reason), None) => {
                    busy += u64::from(reason == Reason::Busy);
                    if busy > MAX_BUSY {
                        return Err(e);
                    }
                    tracing::warn!(table = self.plan.label(), "a row is withheld: {e}");
                    self.set_aside(&batch, &to, (reason, &e.to_string()), progress).await?;
                }
                _ => return Err(e),
            }
        }
        Ok(())
    }

    /// Withholds a row that the target refuses.
    async fn set_aside(
        &self,
        row: &Batch,
        to: &Checkpoint,
        why: (Reason, &str),
        progress: &mut Progress,
    ) -> Result<()> {
        let typed = Deed::SetAside(why, Staging::Typed);
        match self.patiently(row, to, typed, progress).await {
            // Not even the stage takes it.
            Err(e) if e.kind() == Kind::BadValue => {
                let raw = Deed::SetAside(why, Staging::Raw);
                self.patiently(row, to, raw, progress).await
            }
            outcome => outcome,
        }
    }

    /// Tries again, later and later, where that may help.
    async fn patiently(
        &self,
        batch: &Batch,
        to: &Checkpoint,
        deed: Deed<'_>,
        progress: &mut Progress,
    ) -> Result<()> {
        let mut pauses = pauses();
        for tried in 1.. {
            if self.stop.is_cancelled() {
                return Err(Error::new(Kind::Interrupted, "stopped at the edge of a batch"));
            }
            match self.once(batch, to, deed, progress).await {
                Ok(next) => {
                    *progress = next;
                    (self.watch)(progress);
                    break;
                }
                Err(e) => match pauses.next().filter(|_| tried < tries(e.kind())) {
                    Some(pause) => {
                        tracing::warn!(table = self.plan.label(), "the batch is tried again: {e}");
                        self.rest(pause).await;
                    }
                    None => return Err(e),
                },
            }
        }
        Ok(())
    }

    async fn once(
        &self,
        batch: &Batch,
        to: &Checkpoint,
        deed: Deed<'_>,
        progress: &Progress,
    ) -> Result<Progress> {
        let mut account = progress.account.clone();
        let mut tx = self.target.begin(self.plan, &progress.at).await?;
        passed!("after_begin");
        let tally = match deed {
            Deed::Merge(cycles) => {
                tx.stage(batch, Staging::Typed).await?; //                    2 stage
                passed!("after_stage");
                tx.classify(cycles, &self.view.carried(self.plan)).await? //  3 classify
            }
            Deed::SetAside((reason, detail), staging) => {
                tx.stage(batch, staging).await?;
                tx.set_aside(reason, detail).await?
            }
        };
        passed!("after_classify");
        let expected = tx.merge(tally).await?; //                             4 merge
        passed!("after_merge");
        self.count(&mut account, &expected.tally)?;
        let proof = guard::check(&expected, &tx.write_set().await?)?; //      5 check
        passed!("after_check");
        let at = tx.commit(to.clone(), proof, &account).await?; //            6 commit
        passed!("after_commit");
        Ok(Progress { at, account })
    }

    /// Adds what was decided to the account, unless that shows that the table is bad as a whole.
    fn count(&self, account: &mut Account, tally: &Tally) -> Result<()> {
        // Not the batch's rows: of two versions of one key only the later one was staged.
        account.read += tally.total();
        account.tally += tally;
        // Rows of a cycle may well wait for each other until the end of the run.
        if !self.plan.parents.iter().any(Parent::is_breakable) {
            refuse_bad_table(self.plan, account)?;
        }
        Ok(())
    }
}

/// What is to be done with a batch.
#[derive(Debug, Clone, Copy)]
enum Deed<'d> {
    /// Classify and merge its rows.
    Merge(Cycles),
    /// Withhold its only row, for this reason and what the target said.
    SetAside((Reason, &'d str), Staging),
}

/// What an error says of the batch that met it.
enum Blame {
    /// A row of it; withheld with this reason once it stands alone.
    Row(Reason),
    /// Its size.
    Batch,
    /// Nothing.
    Nobody,
}

fn blame(kind: Kind) -> Blame {
    match kind {
        Kind::BadValue => Blame::Row(Reason::BadValue),
        Kind::Taken => Blame::Row(Reason::Unique),
        Kind::Busy => Blame::Row(Reason::Busy),
        Kind::Slow => Blame::Batch,
        _ => Blame::Nobody,
    }
}

/// Between one try and the next: six seconds in all, for a server that starts again.
fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_times(TRIES - 1)
        .with_jitter()
        .build()
}

/// How often a batch is tried that meets an error of `kind`.
fn tries(kind: Kind) -> usize {
    match kind {
        // A mismatch may be a lost race: an insert that met another counts as insert and delete.
        // Who took a value in the meantime is seen by the next look.
        Kind::Verification | Kind::Taken => 2,
        // Mid-run, a server that is not there is most likely starting again.
        Kind::Transient | Kind::Unreachable(_) => TRIES,
        _ => 1,
    }
}

/// Many rows with bad data mean that the table is bad as a whole.
///
/// # Errors
/// [`Kind::Data`] when more rows are withheld for their data than `max_withheld` allows.
pub fn refuse_bad_table(plan: &TablePlan, account: &Account) -> Result<()> {
    let (bad, limit) = (account.tally.bad(), plan.settings.max_withheld);
    if bad <= limit {
        return Ok(());
    }
    Err(Error::new(Kind::Data, format!("{bad} rows of this run would be withheld")).remedied(
        format!(
            "See the reasons in tidegate status: sync the tables that these rows refer to, correct \
             the rows at their source, or raise max_withheld, which is {limit}."
        ),
    ))
}
