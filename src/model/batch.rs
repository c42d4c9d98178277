//! A bounded set of changes in PostgreSQL's binary COPY format, undecoded.

use bytes::{Buf, Bytes, BytesMut};

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

    /// The first and the second half of the rows, unless there is only one.
    pub fn halves(&self) -> Option<(Batch, Batch)> {
        if self.rows < 2 {
            return None;
        }
        let (mut first, mut second) = (Batch::default(), Batch::default());
        for piece in &self.pieces {
            let mut rest = piece.clone();
            while !rest.is_empty() {
                let row = rest.split_to(row_length(&rest));
                if first.rows < self.rows / 2 { first.push(&row) } else { second.push(&row) }
            }
        }
        Some((first.close(false), second.close(self.last)))
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

/// The bytes of the first row: the number of its fields, and each field with its length before it.
fn row_length(rows: &[u8]) -> usize {
    let mut rest = rows;
    let fields = rest.try_get_i16().unwrap_or_default();
    for _ in 0..fields {
        // NULL has the length -1 and no bytes.
        let length = rest.try_get_i32().unwrap_or_default();
        rest.advance(usize::try_from(length).unwrap_or_default().min(rest.len()));
    }
    (rows.len() - rest.len()).max(1).min(rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(fields: &[Option<&[u8]>]) -> Vec<u8> {
        let mut row = (fields.len() as i16).to_be_bytes().to_vec();
        for field in fields {
            row.extend(field.map_or(-1, |f| f.len() as i32).to_be_bytes());
            row.extend(field.unwrap_or_default());
        }
        row
    }

    #[test]
    fn a_batch_splits_between_rows() {
        let big = vec![7; PIECE];
        let rows = [row(&[Some(b"a"), None]), row(&[Some(&big)]), row(&[]), row(&[Some(b"")])];
        let mut batch = Batch::default();
        rows.iter().for_each(|row| batch.push(row));
        let (first, second) = batch.close(true).halves().unwrap();
        assert_eq!(first.pieces().concat(), rows[..2].concat());
        assert_eq!(second.pieces().concat(), rows[2..].concat());
        assert_eq!((first.rows, second.rows, first.last, second.last), (2, 2, false, true));
        let (one, _) = first.halves().unwrap();
        assert!(one.halves().is_none());
    }
}
