//! The rules of the tree that no other tool holds. Needs no database.
//!
//! A rule is a function from texts to findings, and two tests: one runs it over this tree and is
//! named after the rule, one plants the fault and sees it reported.

#![allow(clippy::unwrap_used)]

#[path = "tidy/lexer.rs"]
mod lexer;
#[path = "tidy/tree.rs"]
mod tree;

#[path = "tidy/imports.rs"]
mod imports;

#[path = "tidy/length.rs"]
mod length;

#[path = "tidy/sql.rs"]
mod sql;

#[path = "tidy/config.rs"]
mod config;

#[path = "tidy/docs.rs"]
mod docs;
