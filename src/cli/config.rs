//! `tidegate config`.

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::config::Shown;
use crate::error::Result;
use crate::run::SCHEMA_VERSION;

use super::{Global, Output, print};

/// Show what the configuration says, and where from.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show every key with its value and its origin, as TOML.
    ///
    /// A table's section has what it sets itself; everything else of it is as in [sync] and [deletes].
    /// What a reference (${env:NAME}, ${file:/path}, ${cred:name}) stands for is never shown, nor the
    /// password of a URL. Checks the file; asks no database.
    Show,
}

#[derive(Serialize)]
struct Document {
    schema_version: u32,
    #[serde(flatten)]
    shown: Shown,
}

pub(super) fn run(global: &Global, arguments: &Arguments) -> Result<u8> {
    let What::Show = arguments.what;
    let shown = Shown::load(global.config.as_deref())?;
    match global.output {
        Output::Json => print::json(&Document { schema_version: SCHEMA_VERSION, shown })?,
        Output::Human => print!("{shown}"),
    }
    Ok(0)
}
