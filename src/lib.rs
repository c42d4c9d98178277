//! tidegate keeps a desktop database and a cloud PostgreSQL in step without ever losing a row that a
//! mobile user made. This version goes one way, desktop → cloud.
//!
//! The modules in reading order; each sees those above it only.

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
pub mod init;
pub mod verify;

pub mod demo;

pub mod cli;
