//! The nouns, without I/O.

pub mod batch;
pub mod conflict;
pub mod instant;
pub mod jsonb;
pub mod logging;
pub mod names;
pub mod order;
pub mod plan;
pub mod planning;
pub mod policy;
pub mod position;
pub mod reached;
pub mod sample;
pub mod schema;
pub mod settings;
pub mod types;
pub mod verdict;
pub mod write_set;

pub use batch::Batch;
pub use instant::Instant;
pub use names::TableName;
pub use plan::{Direction, TablePlan};
pub use position::{
    Awaited, Carried, Checkpoint, Horizon, InRing, Logged, Moved, Position, Selection,
};
pub use reached::{LastRow, Reached, ReadUntil, Step};
pub use settings::{Capture, Lag, Ownership, TableSettings};
pub use verdict::{Account, Reason, Tally, Verdict};
