//! `tidegate forward`, `tidegate reverse` and `tidegate sync`: the runs.

use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::error::Result;
use crate::run::{self, Request, Way};
use crate::sql::Sql;

use super::progress::Bar;
use super::{Global, Output, Tables, plan, print};

// Each verb's help stands at the verb.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    tables: Tables,
    /// Compare whole tables, not only what changed
    #[arg(long)]
    full: bool,
    /// Print what `plan` prints, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Exit with 3 also when rows were withheld and nothing else went wrong
    #[arg(long)]
    strict: bool,
}

pub(super) async fn run(
    global: &Global,
    way: Way,
    arguments: &Arguments,
    stop: &CancellationToken,
) -> Result<u8> {
    let config = global.load()?;
    let request = Request {
        tables: arguments.tables.names.clone(),
        full: arguments.full,
        dry_run: arguments.dry_run,
        ..Request::default()
    };
    let bar = Bar::new(global.quiet);
    let sql = Sql::default();
    let report = run::run(&config, way, &request, &sql, stop, &|event| bar.show(&event)).await;
    bar.clear();
    let report = report?;
    match global.output {
        _ if report.dry_run => plan::show(global, &report)?,
        Output::Json => print::json(&report)?,
        Output::Human => print::run(&report),
    }
    Ok(report.exit_code(arguments.strict))
}
