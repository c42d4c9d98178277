//! Everything that needs databases: real PostgreSQL, throwaway clusters, one for each test.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod alters;
mod authority;
mod canary;
mod check;
mod commands;
mod connect;
mod demo;
mod demo_data;
mod edges;
mod extremes;
mod faults;
mod grants;
mod horizon;
mod init;
mod killed;
mod losses;
mod merging;
mod network;
mod pgbouncer;
mod plan;
mod planning;
mod pooler;
mod process;
mod proxy;
mod reading;
mod refused;
mod retry;
mod schedules;
mod sizes;
mod statements;
mod story;
mod support;
mod verify;
mod watermark;
mod whole_way;
