//! A PostgreSQL that is read by its stamps (`capture = "timestamp"`) or by its change log (`"log"`).

mod changes;
mod horizon;
mod inventory;
mod log;
mod opposite;
mod render;
mod single;
mod still;
mod view;

pub use horizon::Sight;
pub use inventory::{Inventory, key};
pub use opposite::carried;
pub use single::SingleRow;
pub use view::{PgSource, PgView};
