//! `tidegate plan`.

use clap::Args;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::error::Result;
use crate::run::script::{Part, Script};
use crate::run::{self, Request, RunReport};
use crate::sql::Sql;

use super::progress::Bar;
use super::{Global, Output, Tables, print};

/// The exit code when a run would write something.
const CHANGES: u8 = 21;

/// Show what a forward run would do.
///
/// The counts are true, because this is the run itself: everything is merged in one transaction,
/// which is rolled back. Until then the rows that it writes are locked for mobile users, and other
/// runs find the tables held. Exits with 21 when rows are to be inserted or updated, with 0 when none
/// are (a row that would be withheld is none), and with a run's code when a table fails.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    tables: Tables,
    /// As with `forward --full`: compare whole tables, not only what changed
    #[arg(long)]
    full: bool,
    /// Show up to N rows of each table (20 if N is left out) with their keys; of an update, the columns that
    /// differ, old → new. This prints values of rows
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "20")]
    rows: Option<usize>,
    /// Print the statements that the run would send instead, in their order; exits with 0. Values
    /// are `$1`, `$2` …; `begin` and `commit` around each batch are not shown again
    #[arg(long, conflicts_with = "rows")]
    sql: bool,
}

/// The statements of a run.
#[derive(Serialize)]
struct Document<'d> {
    schema_version: u32,
    direction: &'static str,
    parts: &'d [Part],
}

pub(super) async fn run(
    global: &Global,
    arguments: &Arguments,
    stop: &CancellationToken,
) -> Result<u8> {
    let config = global.load()?;
    let request = Request {
        tables: arguments.tables.names.clone(),
        full: arguments.full,
        dry_run: true,
        rows: arguments.rows,
        row: None,
    };
    if arguments.sql {
        return script(global, &config, &request, stop).await;
    }
    let bar = Bar::new(global.quiet);
    let sql = Sql::default();
    let report = run::forward(&config, &request, &sql, stop, &|event| bar.show(&event)).await;
    bar.clear();
    let report = report?;
    show(global, &report)?;
    Ok(match report.exit_code(false) {
        0 if report.written() > 0 => CHANGES,
        code => code,
    })
}

/// Prints a plan.
pub(super) fn show(global: &Global, report: &RunReport) -> Result<()> {
    match global.output {
        Output::Json => print::json(report)?,
        Output::Human => print::plan(report),
    }
    Ok(())
}

async fn script(
    global: &Global,
    config: &Config,
    request: &Request,
    stop: &CancellationToken,
) -> Result<u8> {
    let script = Script::default();
    let hear = |event: run::Event<'_>| script.hear(&event);
    let report = run::forward(config, request, &script.sql(), stop, &hear).await?;
    let direction = report.direction;
    let parts = script.parts();
    match global.output {
        Output::Json => {
            let schema_version = run::SCHEMA_VERSION;
            print::json(&Document { schema_version, direction, parts: &parts })?;
        }
        Output::Human => print::script(&parts),
    }
    for table in &report.tables {
        if let Some(trouble) = &table.error {
            tracing::error!(table = table.table, remedy = trouble.remedy, "{}", trouble.message);
        }
    }
    Ok(report.exit_code(false))
}
