//! A bounded set of changes in PostgreSQL's binary COPY format, undecoded.

use bytes::{Bytes, BytesMut};

use super::position::{Checkpoint, Horizon};

/// What a binary COPY begins with: signature, no flags, no extension.
pub const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What a binary COPY ends with: a row of -1 fields.
pub const COPY_TRAILER: &[u8] = b"\xff\xff";

/// Rows are gathered into pieces of about this size, which are sent as they are.
const PIECE: usize = 64 * 1024;

/// Rows in the order in which the source gave them, without header and trailer.
#[derive(Debug, Default)]
pub struct Batch {
    pieces: Vec<Bytes>,
    open: BytesMut,
    rows: u64,
    bytes: u64,
    last: bool,
}

impl Batch {
    /// Appends one row: its field count and its fields.
    pub fn push(&mut self, row: &[u8]) {
        self.open.extend_from_slice(row);
        self.rows += 1;
        self.bytes += row.len() as u64;
        if self.open.len() >= PIECE {
            self.pieces.push(self.open.split().freeze());
        }
    }

    /// Closes the batch; `last` says that the source has nothing more.
    pub fn close(mut self, last: bool) -> Self {
        if !self.open.is_empty() {
            self.pieces.push(self.open.split().freeze());
        }
        self.last = last;
        self
    }

    /// Whether the batch has reached `rows` or `bytes`.
    pub fn is_full(&self, rows: u64, bytes: u64) -> bool {
        self.rows >= rows || self.bytes >= bytes
    }

    /// The number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The rows, a few at a time; cheap to clone.
    pub fn pieces(&self) -> &[Bytes] {
        &self.pieces
    }

    /// Where the position goes once this batch is committed.
    pub fn checkpoint(&self, horizon: &Horizon) -> Checkpoint {
        if self.last {
            Checkpoint::End(horizon.clone())
        } else {
            Checkpoint::LastRow(horizon.clone())
        }
    }
}
