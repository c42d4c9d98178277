//! How far a source has been read, and what is asked of it next.

use std::fmt;

/// How far one table has been read in one direction: what `_sync_metadata` holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    /// A stamp in the source's own precision, as text; `None` before the first load.
    pub watermark: Option<String>,
    /// The key (a JSON object) of the last row read at exactly that stamp: go on strictly after
    /// it. `None`: the watermark is a horizon, and rows at it are read again.
    pub after: Option<String>,
    /// Grows with every commit; another value in the database means another run is at work.
    pub generation: i64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.watermark.as_deref().unwrap_or("the beginning"))
    }
}

/// The upper bound that is safe to read up to: nothing below it can still commit. `None` while
/// the source holds a prepared transaction, whose age is unknown: no step forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Horizon(pub Option<String>);

/// What a view can be asked for.
#[derive(Debug, Clone, Copy)]
pub enum Selection<'a> {
    /// The whole table, without any predicate.
    All,
    /// What changed since a position; the whole table if that is the beginning.
    Since(&'a Position),
    /// Single rows: what a retry reads again.
    Keys(&'a [Awaited]),
}

/// A row that was withheld and is to be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// Its key as a JSON object, column of the target → text.
    pub key: String,
    /// `true`: only its owner at the source can have changed, so it is read only if that is the
    /// writer's now.
    pub once_owned: bool,
}

/// A withheld row that waits for others in a ring of foreign keys, and for nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InRing {
    /// The label of its table.
    pub table: String,
    /// Its key as a JSON object, column of the target → text.
    pub key: String,
}

/// Where the position goes when a batch commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checkpoint {
    /// In the middle of a table: the batch's last row, but never beyond the horizon.
    LastRow(Horizon),
    /// At the end of a table: the horizon.
    End(Horizon),
    /// Nowhere: the rows were read by their keys.
    Stay,
}
