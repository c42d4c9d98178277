//! `tidegate uninstall`.

use clap::Args;
use serde::Serialize;

use crate::error::{End, Result};
use crate::run::{self, setup::Removal};
use crate::sql::Sql;

use super::{Global, Output, Side, print};

/// Remove tidegate's triggers, functions and tables from the databases.
///
/// Prints what it would remove, and removes nothing unless --yes is given. The synced tables stay as
/// they are; what tidegate knows of positions, withheld rows and changes is lost. The schema goes
/// too, unless something else is in it.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only at this end
    #[arg(long, value_enum)]
    end: Option<Side>,
    /// Remove it, instead of printing what would be removed
    #[arg(long)]
    yes: bool,
}

#[derive(Serialize)]
struct Document<'d> {
    schema_version: u32,
    removed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    desktop: Option<&'d [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud: Option<&'d [String]>,
}

pub(super) async fn run(global: &Global, arguments: &Arguments) -> Result<u8> {
    let config = global.load()?;
    let sql = Sql::default();
    let mut removals = Vec::new();
    for end in [End::Cloud, End::Desktop] {
        if arguments.end.is_none_or(|only| only.end() == end) {
            removals.push((end, Removal::of(&config, end, &sql).await?));
        }
    }
    if arguments.yes {
        for (_, removal) in &removals {
            removal.run().await?;
        }
    }
    let at = |end: End| removals.iter().find(|(of, _)| *of == end).map(|(_, r)| &*r.steps);
    match global.output {
        Output::Json => print::json(&Document {
            schema_version: run::SCHEMA_VERSION,
            removed: arguments.yes,
            desktop: at(End::Desktop),
            cloud: at(End::Cloud),
        })?,
        Output::Human => {
            for (end, removal) in &removals {
                let said = match (removal.steps.is_empty(), arguments.yes) {
                    (true, _) => "nothing of tidegate's is here",
                    (false, true) => "removed",
                    (false, false) => "would be removed (with --yes)",
                };
                println!("-- {end}: {said}\n{}", removal.steps.concat());
            }
        }
    }
    Ok(0)
}
