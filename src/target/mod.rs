//! 2 STAGE, 3 CLASSIFY, 4 MERGE, 6 COMMIT: one batch in the database that is written.

pub mod postgres;
pub mod sqlserver;

mod ending;
mod outcome;
mod samples;

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Result;
use crate::guard::Proof;
use crate::model::plan::Cycles;
use crate::model::write_set::{Expected, TxId, WriteSet};
use crate::model::{
    Account, Awaited, Batch, Carried, Checkpoint, InRing, Position, Reason, TablePlan, Tally,
};

pub use ending::Show;

/// A database that is written.
pub trait Target {
    /// One batch's transaction.
    type Tx<'t>: TargetTx
    where
        Self: 't;

    /// Opens the transaction of one batch, with our position locked.
    ///
    /// # Errors
    /// [`Kind::Held`](crate::error::Kind::Held) when the position is not `at` any more, or
    /// another run holds the table.
    fn begin<'t>(
        &'t self,
        plan: &'t TablePlan,
        at: &Position,
    ) -> impl Future<Output = Result<Self::Tx<'t>>>;

    /// The rows of `plan` that this run had to leave for later, each with the reason under which
    /// it is counted, and those of earlier runs that may arrive by now.
    fn left_for_later(
        &self,
        plan: &TablePlan,
    ) -> impl Future<Output = Result<Vec<(Awaited, Option<Reason>)>>>;

    /// The rows that this run left because they wait for each other in a ring of foreign keys, and
    /// for nothing else.
    fn rings(&self, plans: &[&TablePlan]) -> impl Future<Output = Result<Vec<InRing>>>;

    /// Takes rows off the list that were asked for again and that the source has no more.
    fn forget_gone(&self, plan: &TablePlan, asked: &[Awaited]) -> impl Future<Output = Result<()>>;
}

/// How rows are staged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staging {
    /// Ready to be merged.
    Typed,
    /// As bytes, but for the key: for a row that can't be staged otherwise, to be set aside.
    Raw,
}

/// One transaction of the target. Dropped without a commit, it is rolled back and its connection
/// thrown away.
pub trait TargetTx {
    /// Puts the batch into a temporary table, each key once.
    fn stage(&mut self, batch: &Batch, staging: Staging) -> impl Future<Output = Result<()>>;

    /// Decides every staged row; `carried` is how far the other direction had come when the source
    /// was read. Rows that are to be written are pinned: nobody else can change them before the
    /// commit.
    fn classify(
        &mut self,
        cycles: Cycles,
        carried: &Carried,
    ) -> impl Future<Output = Result<Tally>>;

    /// In place of classifying: withholds every staged row, because the target refused it; `detail`
    /// is what it said, without values.
    fn set_aside(&mut self, reason: Reason, detail: &str) -> impl Future<Output = Result<Tally>>;

    /// Writes the rows that are to be written, and says what that should have changed. Rows that
    /// met another in the meantime have another verdict in its tally.
    fn merge(&mut self, tally: Tally) -> impl Future<Output = Result<Expected>>;

    /// What the transaction has changed since it began, deferred triggers included.
    fn write_set(&mut self) -> impl Future<Output = Result<WriteSet>>;

    /// Lists what was withheld, moves the position, and commits all of it together. `so_far` is
    /// the table's account in this run, this batch included.
    fn commit(
        self,
        checkpoint: Checkpoint,
        proof: Proof,
        so_far: &Account,
    ) -> impl Future<Output = Result<Position>>;
}

/// Names the next transaction of this process.
fn next_transaction() -> TxId {
    static TRANSACTIONS: AtomicU64 = AtomicU64::new(1);
    TxId(TRANSACTIONS.fetch_add(1, Ordering::Relaxed))
}
