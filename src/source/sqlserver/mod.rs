//! A SQL Server that is read by the stamps of its rows (`capture = "timestamp"`), by the versions that it
//! gives them (`"rowversion"`), or by a log that triggers keep of them (`"log"`).

mod cell;
mod encoder;
mod horizon;
mod images;
mod inventory;
mod log;
mod opposite;
mod params;
mod render;
mod rows;
mod single;
mod still;
mod view;

pub use horizon::{clock, lowest_version, original, suffices, unix_seconds};
pub use inventory::Inventory;
pub use opposite::carried;
pub use render::version;
pub use single::single_row;
pub use view::{SqlServerSource, SqlServerView};
