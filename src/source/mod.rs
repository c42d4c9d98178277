//! 1 READ: one consistent view of the database that is read, and streams of changes out of it.

pub mod postgres;
pub mod sqlserver;

mod cut;
mod inventory;
mod kind;

pub use inventory::{Age, Keyed};
pub use kind::{AnySource, AnyView};

use std::future::Future;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::error::{Error, Kind, Result};
use crate::model::{Batch, Carried, Horizon, Position, Selection, TablePlan};

/// A database that is read.
pub trait Source {
    /// What it looks like at one moment.
    type View: View;

    /// Opens the one view of a run over `tables`: the horizons are read first, then the snapshot is
    /// taken, then, in that snapshot, how far the other direction had come, and which tables have
    /// changed since the position at which the run goes on.
    fn open(&self, tables: &[(&TablePlan, &Position)]) -> impl Future<Output = Result<Self::View>>;
}

/// One consistent snapshot that all tables and workers of a run share.
pub trait View {
    /// Names the source database: another one under the same address is noticed by it.
    fn identity(&self) -> &str;

    /// Up to where it is safe to read `plan`'s table.
    ///
    /// # Errors
    /// [`Kind::Config`] when nothing bounds the transactions that are still open.
    fn horizon(&self, plan: &TablePlan) -> Result<Horizon>;

    /// How far the other direction had come with `plan`'s table: an edit of the other side that it
    /// has not brought here is pending.
    fn carried(&self, plan: &TablePlan) -> Carried;

    /// Whether every change of `plan`'s table since `at` can be told; otherwise the whole table has
    /// to be read.
    fn reaches(&self, plan: &TablePlan, at: &Position) -> bool;

    /// The source's clock when the horizon was read, in seconds since 1970.
    fn clock(&self) -> f64;

    /// One ordered stream of the selected rows.
    fn read(
        &self,
        plan: &TablePlan,
        selection: Selection<'_>,
    ) -> impl Future<Output = Result<Changes>>;
}

/// A stream of changes, cut into batches. The next batch is read while the last one merges: at
/// most two of them are in memory.
#[derive(Debug)]
pub struct Changes {
    batches: mpsc::Receiver<Batch>,
    reader: JoinSet<Result<()>>,
}

/// Where a reader puts its batches.
#[derive(Debug)]
pub(crate) struct Sink(mpsc::Sender<Batch>);

/// Room for one batch. Asked for before the batch is read, so that a waiting batch and a growing
/// one are never both in memory beside the one that merges.
pub(crate) struct Room<'s>(mpsc::Permit<'s, Batch>);

impl Changes {
    /// Starts `reader` on its own; it ends when the stream is dropped.
    pub(crate) fn from_reader<F, R>(reader: R) -> Self
    where
        R: FnOnce(Sink) -> F,
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let (sender, batches) = mpsc::channel(1);
        let mut tasks = JoinSet::new();
        tasks.spawn(reader(Sink(sender)));
        Self { batches, reader: tasks }
    }

    /// A stream of nothing.
    pub(crate) fn none() -> Self {
        Self::from_reader(|_| async { Ok(()) })
    }

    /// The next batch, or `None` when all has been read.
    ///
    /// # Errors
    /// Whatever ended the reader: a stream that broke is never taken for one that ended.
    pub async fn next_batch(&mut self) -> Result<Option<Batch>> {
        if let Some(batch) = self.batches.recv().await {
            return Ok(Some(batch));
        }
        match self.reader.join_next().await {
            Some(Ok(outcome)) => outcome.map(|()| None),
            Some(Err(e)) => Err(Error::new(Kind::Other, "the reader broke off").because(e)),
            None => Ok(None),
        }
    }
}

impl Sink {
    /// Waits until there is room for one more batch; `None` when nobody wants it any more.
    pub(crate) async fn room(&self) -> Option<Room<'_>> {
        self.0.reserve().await.ok().map(Room)
    }
}

impl Room<'_> {
    /// Hands the batch over.
    pub(crate) fn fill(self, batch: Batch) {
        self.0.send(batch);
    }
}
