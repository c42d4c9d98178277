//! A PostgreSQL that is read by its stamps (`capture = "timestamp"`).

mod changes;
mod horizon;
mod render;
mod view;

pub use horizon::Sight;
pub use view::{PgSource, PgView};
