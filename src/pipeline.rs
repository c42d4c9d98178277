//! One table, one run: the six steps. Everything else in this crate serves this page.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Kind, Result};
use crate::guard;
use crate::model::plan::{Cycles, Parent};
use crate::model::{Account, Batch, Checkpoint, Position, Selection, TablePlan};
use crate::source::View;
use crate::target::{Target, TargetTx};

/// A batch that met a passing obstacle is merged again from its beginning, so many times.
const TRIES: u32 = 3;
/// Before the second try; the third waits twice as long.
const PAUSE: Duration = Duration::from_millis(200);

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
        let mut changes = self.view.read(self.plan, selection).await?; //     1 read
        while let Some(batch) = changes.next_batch().await? {
            let checkpoint = match selection {
                Selection::Keys(_) => Checkpoint::Stay,
                Selection::Since(_) | Selection::All => batch.checkpoint(&horizon),
            };
            self.merge(&batch, &checkpoint, cycles, progress).await?;
        }
        Ok(())
    }

    /// Merges one batch; tries again where that may help.
    async fn merge(
        &self,
        batch: &Batch,
        checkpoint: &Checkpoint,
        cycles: Cycles,
        progress: &mut Progress,
    ) -> Result<()> {
        let mut tries = 0;
        loop {
            if self.stop.is_cancelled() {
                return Err(Error::new(Kind::Interrupted, "stopped at the edge of a batch"));
            }
            tries += 1;
            let label = self.plan.label();
            match self.merge_once(batch, checkpoint, cycles, progress).await {
                Ok(next) => {
                    *progress = next;
                    (self.watch)(progress);
                    return Ok(());
                }
                Err(e) if tries < tries_of(e.kind()) => {
                    tracing::warn!(table = label, error = %e, "the batch is tried again");
                    sleep(PAUSE * tries).await;
                }
                Err(e) => return Err(e),
            }
        }
    }

    async fn merge_once(
        &self,
        batch: &Batch,
        checkpoint: &Checkpoint,
        cycles: Cycles,
        progress: &Progress,
    ) -> Result<Progress> {
        let mut account = progress.account.clone();
        let mut tx = self.target.begin(self.plan, &progress.at).await?;
        tx.stage(batch).await?; //                                            2 stage
        let tally = tx.classify(cycles).await?; //                            3 classify
        // Not the batch's rows: of two versions of one key only the later one was staged.
        account.read += tally.total();
        account.tally += &tally;
        // Rows of a cycle may well wait for each other until the end of the run.
        if !self.plan.parents.iter().any(Parent::is_breakable) {
            refuse_bad_table(self.plan, &account)?;
        }
        let expected = tx.merge(tally).await?; //                             4 merge
        let proof = guard::check(&expected, &tx.write_set().await?)?; //      5 check
        let at = tx.commit(checkpoint.clone(), proof, &account).await?; //    6 commit
        Ok(Progress { at, account })
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
            "Rows that they refer to are missing in the cloud: sync those tables as well, or raise \
             max_withheld, which is {limit}."
        ),
    ))
}

/// A mismatch may be a lost race (an insert that met another is counted as insert and delete), so
/// it is tried once more; passing obstacles twice more.
fn tries_of(kind: Kind) -> u32 {
    match kind {
        Kind::Verification => 2,
        kind if kind.is_transient() => TRIES,
        _ => 1,
    }
}
