//! Who calls the pipeline: all tables of a run, parents first, in parallel where independent.

mod ending;
mod forward;
mod opening;
mod report;
mod retry;
mod schedule;
pub mod script;
pub mod watermark;
mod worker;

use tokio_util::sync::CancellationToken;

pub use forward::{Request, forward, same_source};
pub use opening::{Planned, planned, selected};
pub use report::{Outcome, Rehearsed, RunReport, SCHEMA_VERSION, TableReport, Trouble};

/// What a run tells while it is at work.
#[derive(Debug)]
pub enum Event<'e> {
    /// It knows its tables.
    Planned {
        /// How many there are.
        tables: usize,
    },
    /// A batch was committed.
    Batch {
        /// The table.
        table: &'e str,
        /// Rows read so far.
        read: u64,
    },
    /// A table's changes are through.
    Through {
        /// The table.
        table: &'e str,
    },
}

/// Told of every [`Event`].
pub type Events<'e> = dyn Fn(Event<'_>) + 'e;

/// What all workers of one run share.
struct Run<'r, V, T> {
    view: &'r V,
    target: &'r T,
    stop: &'r CancellationToken,
    events: &'r Events<'r>,
    full: bool,
}
