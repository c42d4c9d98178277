//! What `tidegate demo` and the tests stand on: throwaway PostgreSQL clusters, and the data of an
//! office.

mod cluster;
mod server;

pub use cluster::{Cluster, Shutdown};

/// The 15 tables, the same on both ends.
pub const SCHEMA: &str = include_str!("../../sql/demo/schema.sql");

/// What differs in the cloud: rows are the mobile user's unless they say otherwise. After [`SCHEMA`].
pub const CLOUD: &str = include_str!("../../sql/demo/cloud.sql");

/// Two years of an accounting practice, for the desktop. After [`SCHEMA`]; a transaction of its own.
pub const OFFICE: &str = include_str!("../../sql/demo/office.sql");

/// Placeholder.
pub async fn tell(_keep: bool) -> crate::error::Result<()> {
    Ok(())
}
