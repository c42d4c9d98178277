//! One ordered stream a table, cut into batches at row borders without decoding a row.

use bytes::Bytes;

use crate::db::postgres::statement::CopyOut;
use crate::error::Result;
use crate::model::batch::{COPY_HEADER, COPY_TRAILER};
use crate::source::Sink;
use crate::source::cut::{self, Limits};

/// Reads `copy` to its end.
pub(super) async fn feed(copy: CopyOut, limits: Limits, sink: Sink) -> Result<()> {
    let mut rows = Rows(copy);
    cut::cut(&mut rows, limits, &sink).await?;
    rows.0.finish().await
}

/// The rows of a binary COPY: PostgreSQL sends one message a row.
struct Rows(CopyOut);

impl cut::Rows for Rows {
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
