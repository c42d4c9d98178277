//! `tidegate plan`.

use clap::{Args, ValueEnum};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::error::Result;
use crate::model::Direction;
use crate::run::script::{Part, Script};
use crate::run::{self, Request, RunReport, Trouble, Way};
use crate::sql::Sql;

use super::progress::Bar;
use super::{Global, Output, Tables, print};

/// The exit code when a run would write something.
const CHANGES: u8 = 21;

/// Show what a run would do.
///
/// The counts are true, because this is the run itself: everything is merged in one transaction,
/// which is rolled back. Until then the rows that it writes are locked for mobile users, and other
/// runs find the tables held. Exits with 21 when rows are to be inserted or updated, with 0 when none
/// are (a row that would be withheld is none), and with a run's code when a table fails. Of a sync,
/// reverse is rehearsed first, and then forward, but without the rows that reverse would bring.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    tables: Tables,
    /// Of which run
    #[arg(long, value_enum, default_value_t = Of::Forward)]
    direction: Of,
    /// As with the run's `--full`: compare whole tables, not only what changed
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

/// The verb of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Of {
    /// The desktop's changes, to the cloud.
    Forward,
    /// What mobile users did, home to the desktop.
    Reverse,
    /// Both.
    Sync,
}

impl Of {
    fn way(self) -> Way {
        match self {
            Of::Forward => Way::One(Direction::Forward),
            Of::Reverse => Way::One(Direction::Reverse),
            Of::Sync => Way::Both,
        }
    }
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
        return script(global, &config, arguments.direction.way(), &request, stop).await;
    }
    let bar = Bar::new(global.quiet);
    let sql = Sql::default();
    let way = arguments.direction.way();
    let report = run::run(&config, way, &request, &sql, stop, &|event| bar.show(&event)).await;
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
    way: Way,
    request: &Request,
    stop: &CancellationToken,
) -> Result<u8> {
    let script = Script::default();
    let hear = |event: run::Event<'_>| script.hear(&event);
    let report = run::run(config, way, request, &script.sql(), stop, &hear).await?;
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
            let Trouble { message, remedy, .. } = trouble;
            let direction = table.direction;
            tracing::error!(table = table.table, direction, remedy, "{message}");
        }
    }
    Ok(report.exit_code(false))
}
