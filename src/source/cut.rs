//! From rows to batches: cut at row borders, each as large as it may be.

use bytes::Bytes;

use crate::error::Result;
use crate::model::{Batch, TablePlan};

use super::Sink;

/// Rows as they come, each with its field count and its fields as in a binary COPY.
pub(super) trait Rows {
    /// The next row, or `None` after the last.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>>> + Send;
}

/// When a batch is full.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    rows: u64,
    bytes: u64,
}

impl Limits {
    /// Those of `plan`'s table.
    pub(super) fn of(plan: &TablePlan) -> Self {
        Self { rows: plan.settings.batch_rows, bytes: plan.settings.batch_bytes }
    }
}

/// Fills batch after batch. A row is looked for before a batch is closed, because the last batch
/// has to say that it is the last.
pub(super) async fn cut(rows: &mut impl Rows, limits: Limits, sink: &Sink) -> Result<()> {
    let mut next = rows.next().await?;
    while next.is_some() {
        let Some(room) = sink.room().await else { return Ok(()) };
        let mut batch = Batch::default();
        while let Some(row) = next.take() {
            batch.push(&row);
            next = rows.next().await?;
            if batch.is_full(limits.rows, limits.bytes) {
                break;
            }
        }
        room.fill(batch.close(next.is_none()));
    }
    Ok(())
}
