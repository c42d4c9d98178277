//! `tidegate verify`.

use std::time::Duration;

use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::error::{Kind, Result};
use crate::sql::Sql;
use crate::verify::{self, Request};

use super::{Global, Output, Tables, print};

/// Compare the rows that both ends have, and explain every difference.
///
/// Counts the rows of each owner on both ends, compares them with each other, by their keys, and with
/// the last record (_sync_row_counts), and records the new counts; it writes nothing else, and may
/// run beside anything. Contents of rows are not compared.
///
/// Each difference has its explanation (rows that are withheld, not yet read, without a stamp,
/// deleted on the desktop …), or it is unexplained, which is exit code 20. Fewer rows of mobile users
/// than last recorded are explained by the change log, or unexplained. Where it does not cover the
/// time they are a warning with both numbers: nobody can tell a loss from a mobile user's own
/// deletion.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    tables: Tables,
    /// Name the rows: the first 20 keys of each difference
    #[arg(long)]
    rows: bool,
    /// Exit with 3 also when there are warnings or withheld rows and nothing else
    #[arg(long)]
    strict: bool,
    /// How long one statement may take, as in 30s or 10m
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    timeout: Duration,
}

/// The server takes a number of milliseconds that fits 31 bits, and 0 for no bound.
fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(d) if (1..=86_400_000).contains(&d.as_millis()) => Ok(d),
        _ => Err("write it as 30s or 10m; from 1ms to 1d".to_owned()),
    }
}

pub(super) async fn run(
    global: &Global,
    arguments: &Arguments,
    stop: &CancellationToken,
) -> Result<u8> {
    let config = global.load()?;
    let Arguments { tables, rows, strict, timeout } = arguments;
    let request = Request { tables: tables.names.clone(), rows: *rows, timeout: *timeout };
    let report = match verify::verify(&config, &request, &Sql::default(), stop).await {
        // Not as an error: which signal it was decides the exit code.
        Err(e) if e.kind() == Kind::Interrupted => {
            print::error(&e);
            return Ok(e.kind().exit_code());
        }
        report => report?,
    };
    match global.output {
        Output::Json => print::json(&report)?,
        Output::Human => print::verification(&report),
    }
    Ok(report.exit_code(*strict))
}
