//! One ordered stream a table, cut into batches at row borders without decoding a row.

use bytes::Bytes;

use crate::db::postgres::statement::CopyOut;
use crate::error::Result;
use crate::model::batch::{Batch, COPY_HEADER, COPY_TRAILER};
use crate::source::Sink;

/// When a batch is full.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// Reads `copy` to its end.
pub(super) async fn feed(copy: CopyOut, limits: Limits, sink: Sink) -> Result<()> {
    let mut rows = Rows(copy);
    cut(&mut rows, limits, &sink).await?;
    rows.0.finish().await
}

/// Fills batch after batch. A row is looked for before a batch is closed, because the last batch
/// has to say that it is the last.
async fn cut(rows: &mut Rows, limits: Limits, sink: &Sink) -> Result<()> {
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

/// The rows of a binary COPY: PostgreSQL sends one message a row.
struct Rows(CopyOut);

impl Rows {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while let Some(mut message) = self.0.next().await? {
            // The header comes with the first row, or alone.
            if message.starts_with(COPY_HEADER) {
                message = message.slice(COPY_HEADER.len()..);
            }
            if !message.is_empty() && message != COPY_TRAILER {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }
}
