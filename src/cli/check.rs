//! `tidegate check`.

use clap::Args;

use crate::check::{self, Level, Report};
use crate::error::Result;
use crate::sql::Sql;

use super::{Directions, Global, Output, Tables, print};

/// Look whether everything is there that runs need, and say what to do where it isn't.
///
/// One line a finding: ok, warning or failure, the last two with what to do. Looks at both ends
/// (reachability, version, TLS, clocks, rights too few and too many, horizon, tidegate's own tables) and
/// at every table (key, columns, owners, stamps, triggers, sequences, indexes), for both directions:
/// nothing comes home to a desktop without tidegate's tables. Reads only; counts each table once, for at
/// most 30 seconds. Warnings alone are exit code 0; of several failures the lowest code from 10 to 13
/// counts, and where there is none of these it is 1.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    tables: Tables,
    #[command(flatten)]
    directions: Directions,
}

pub(super) async fn run(global: &Global, arguments: &Arguments) -> Result<u8> {
    let config = global.load()?;
    let report =
        check::check(&config, arguments.directions.way(), &arguments.tables.names, &Sql::default())
            .await?;
    match global.output {
        Output::Json => print::json(&report)?,
        Output::Human => tell(&report),
    }
    Ok(report.exit_code())
}

fn tell(report: &Report) {
    for finding in &report.findings {
        println!("{finding}");
        if let Some(remedy) = &finding.remedy {
            println!("         {remedy}");
        }
    }
    let counted = |level: Level, one: &str, many: &str| match report.count(level) {
        0 => format!("no {one}"),
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    };
    println!(
        "{}, {}",
        counted(Level::Failure, "failure", "failures"),
        counted(Level::Warning, "warning", "warnings")
    );
}
