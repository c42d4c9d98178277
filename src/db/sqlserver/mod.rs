//! SQL Server: from an address to a verified connection, from its catalogue to ours, from its types to
//! PostgreSQL's, and from a driver's error to ours.

mod address;
mod draft;
mod patience;
mod session;
mod tls;

pub mod catalogue;
pub mod connect;
pub mod digest;
pub mod failure;
pub mod sets;
pub mod statement;
pub mod stream;
pub mod types;

pub use connect::{Connection, Database, Purpose, Transport};
pub use failure::failed;
pub use session::Session;
