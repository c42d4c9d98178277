//! The T-SQL server of the tests, held against the driver that it is made for.

mod changes;
mod connecting;
mod rewrite;
mod sessions;
pub mod support;
mod tables;
mod triggers;
mod values;
