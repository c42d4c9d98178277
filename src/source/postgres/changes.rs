//! One ordered stream a table, cut into batches at row borders without decoding a row.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::TryStreamExt;
use tokio_postgres::CopyOutStream;

use crate::db::postgres::{Connection, failed};
use crate::error::Result;
use crate::model::batch::{Batch, COPY_HEADER, COPY_TRAILER};
use crate::source::Sink;

/// When a batch is full.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// Reads `copy` to its end on `connection`, whose transaction is at the view's snapshot.
pub(super) async fn feed(
    connection: Connection,
    copy: String,
    label: String,
    limits: Limits,
    sink: Sink,
) -> Result<()> {
    let doing = format!("reading {label}");
    // The task may be aborted at any await: until the commit is answered, dropping it discards.
    let mut open = Open(Some(connection));
    let Some(connection) = &open.0 else { return Ok(()) };
    let stream = connection.read_copy(&doing, &copy).await?;
    let mut rows = Rows { stream: Box::pin(stream), doing: &doing, end: connection.end() };
    cut(&mut rows, limits, &sink).await?;
    connection.batch(&doing, "commit").await?;
    drop(open.0.take());
    Ok(())
}

/// A connection in a transaction: thrown away when dropped.
struct Open(Option<Connection>);

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            connection.discard();
        }
    }
}

/// Fills batch after batch. A row is looked for before a batch is closed, because the last batch
/// has to say that it is the last.
async fn cut(rows: &mut Rows<'_>, limits: Limits, sink: &Sink) -> Result<()> {
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
struct Rows<'r> {
    stream: Pin<Box<CopyOutStream>>,
    doing: &'r str,
    end: crate::error::End,
}

impl Rows<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while let Some(mut message) =
            self.stream.try_next().await.map_err(|e| failed(self.doing, self.end, e))?
        {
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
