//! PostgreSQL: from a URL to a verified connection, and from a driver's error to ours.

mod conninfo;
mod expiry;
mod identity;
mod look;
mod tls;
mod url;

pub mod catalogue;
pub mod connect;
pub mod failure;
pub mod sequences;
pub mod statement;

pub use connect::{Connection, Database, Purpose, Transport};
pub use failure::failed;
