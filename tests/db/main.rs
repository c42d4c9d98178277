//! Everything that needs databases: real PostgreSQL, throwaway clusters, one for each test.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod demo;
mod faults;
mod horizon;
mod merging;
mod planning;
mod reading;
mod retry;
mod story;
mod support;
