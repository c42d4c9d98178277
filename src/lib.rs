//! tidegate keeps a desktop database and a cloud PostgreSQL in step, both ways, without ever losing
//! a row that a mobile user made.
//!
//! The modules in reading order; data moves down the list only, and so do imports.

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

pub mod demo;

pub mod cli;
