//! The nouns, without I/O.

pub mod batch;
pub mod conflict;
pub mod names;
pub mod order;
pub mod plan;
pub mod planning;
pub mod policy;
pub mod position;
pub mod sample;
pub mod schema;
pub mod settings;
pub mod verdict;
pub mod write_set;

pub use batch::Batch;
pub use names::TableName;
pub use plan::{Capture, Direction, TablePlan};
pub use position::{
    Awaited, Carried, Checkpoint, Horizon, InRing, Logged, Moved, Position, Selection,
};
pub use settings::{Lag, Ownership, TableSettings};
pub use verdict::{Account, Reason, Tally, Verdict};
