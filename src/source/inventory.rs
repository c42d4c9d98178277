//! A row as `verify` asks for it, of whichever kind of database.

/// Whether a position has passed a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// It has.
    Read,
    /// It has not yet.
    Newer,
    /// It never will: the row has no stamp.
    Unstamped,
}

/// One row.
#[derive(Debug, Clone)]
pub struct Keyed {
    /// A JSON object, column of the cloud → text.
    pub key: String,
    /// Its mark; empty for none.
    pub owner: String,
    /// Whether the position has passed it.
    pub age: Age,
}
