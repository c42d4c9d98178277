//! A PostgreSQL that is read by its stamps (`capture = "timestamp"`).

mod changes;
mod horizon;
mod inventory;
mod render;
mod view;

pub use horizon::Sight;
pub use inventory::{Inventory, key};
pub use view::{PgSource, PgView};
