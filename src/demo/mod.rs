//! `tidegate demo`, and what it shares with the tests: throwaway PostgreSQL clusters, and the data
//! of an office.

mod cluster;
mod office;
mod old_way;
mod rows;
mod server;
mod story;
mod way_home;
mod way_out;

pub use cluster::{Cluster, Shutdown};
pub use office::Kept;
pub use story::{Listener, Told, tell};

/// The 15 tables, the same on both ends.
pub const SCHEMA: &str = include_str!("../../sql/demo/schema.sql");

/// What differs in the cloud: rows are the mobile user's unless they say otherwise. After [`SCHEMA`].
pub const CLOUD: &str = include_str!("../../sql/demo/cloud.sql");

/// Two years of an accounting practice, for the desktop. After [`SCHEMA`]; a transaction of its own.
pub const OFFICE: &str = include_str!("../../sql/demo/office.sql");

/// The tables of [`SCHEMA`], parents first.
pub const TABLES: [&str; 15] = [
    "orgmaster",
    "conmaster",
    "taskmaster",
    "locmaster",
    "mbstaff",
    "jobmaster",
    "climaster",
    "cliunimaster",
    "jobshead",
    "jobtasks",
    "taskchecklist",
    "workdiary",
    "reminder",
    "remdetail",
    "learequest",
];
