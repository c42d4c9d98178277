//! tidegate keeps a desktop database and a cloud PostgreSQL in step without losing a row that a mobile
//! user made. Both directions are one pipeline with the ends exchanged: forward, desktop → cloud, and
//! reverse, cloud → desktop.
//!
//! The modules in reading order; each sees only modules of the groups above its own. `pipeline` is the
//! page to begin with.

pub mod error;

pub mod model;

pub mod sql;

pub mod config;

pub mod db;

pub mod source;

pub mod store;

pub mod guard;

pub mod target;

pub mod pipeline;

pub mod run;

pub mod check;
pub mod conflicts;
pub mod explain;
pub mod init;
pub mod verify;

pub mod demo;

pub mod cli;
