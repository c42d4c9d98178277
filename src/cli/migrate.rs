//! `tidegate migrate`.

use clap::Args;
use serde::Serialize;

use crate::error::Result;
use crate::run;
use crate::run::sequences::KeyRange;
use crate::run::setup::{self, EndReport, SetUp, SetUpReport};
use crate::sql::Sql;
use crate::store::Installed;

use super::{Global, Output, Side, print};

/// Create or upgrade tidegate's own tables at both ends, and the triggers of the change logs.
///
/// Changes nothing where they are up to date, and never asks. The roles need the right to create
/// schemas, in the cloud to own the synced tables, on the desktop to alter those with capture =
/// "log"; runs need none of it. What a role may not do is said as a warning where forward runs work
/// without it.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only this end; what its role may not do there is then an error
    #[arg(long, value_enum)]
    end: Option<Side>,
    /// Install no triggers; those that are there stay. Reverse needs them, unless the configuration says
    /// capture = "timestamp" under [cloud], and forward where it says capture = "log"
    #[arg(long)]
    without_triggers: bool,
    /// Let the keys that mobile users' rows draw from sequences begin at N, above all that the desktop
    /// will make; or below zero, where they then stay, if the desktop's are an IDENTITY of SQL Server. A
    /// sequence that is beyond stays, and keys that are taken are passed over
    #[arg(long, value_name = "N", conflicts_with = "sql", allow_negative_numbers = true)]
    mobile_keys_from: Option<i64>,
    /// Print the statements for a cloud that has nothing of tidegate's, or with `--end desktop` for such
    /// a desktop, instead of running them
    #[arg(long)]
    sql: bool,
}

/// The cloud's part is at the top; with `--end desktop` the desktop's.
#[derive(Serialize)]
struct Document<'d> {
    schema_version: u32,
    end: &'static str,
    #[serde(flatten)]
    tables: Option<&'d EndReport>,
    triggers: Option<&'d Installed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    desktop_triggers: Option<&'d Installed>,
    desktop: Option<&'d EndReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequences: Option<&'d [KeyRange]>,
    warnings: Vec<Warning>,
}

#[derive(Serialize)]
struct Warning {
    message: String,
    remedy: String,
}

pub(super) async fn run(global: &Global, arguments: &Arguments) -> Result<u8> {
    let config = global.load()?;
    let sql = Sql::default();
    let wanted = SetUp {
        end: arguments.end.map(Side::end),
        without_triggers: arguments.without_triggers,
        mobile_keys_from: arguments.mobile_keys_from,
    };
    if arguments.sql {
        print!("{}", setup::script(&config, &wanted, &sql).await);
        return Ok(0);
    }
    let report = wanted.migrate(&config, &sql).await?;
    match global.output {
        Output::Json => print::json(&document(&report))?,
        Output::Human => say(&report),
    }
    Ok(wanted.exit_code(&report))
}

fn warnings(report: &SetUpReport) -> Vec<Warning> {
    let triggers = report.triggers.iter().chain(&report.desktop_triggers);
    let skipped = triggers.flat_map(|triggers| &triggers.skipped);
    let skipped = skipped.map(|table| Warning {
        message: format!("{}: its changes are not logged: {}", table.table, table.reason),
        remedy: table.remedy.clone(),
    });
    let desktop = report.warning.iter();
    let desktop =
        desktop.map(|e| Warning { message: e.to_string(), remedy: e.remedy().to_owned() });
    skipped.chain(desktop).collect()
}

fn document(report: &SetUpReport) -> Document<'_> {
    let (end, tables, desktop) = match &report.cloud {
        Some(cloud) => ("cloud", Some(cloud), report.desktop.as_ref()),
        None => ("desktop", report.desktop.as_ref(), None),
    };
    Document {
        schema_version: run::SCHEMA_VERSION,
        end,
        tables,
        triggers: report.triggers.as_ref(),
        desktop_triggers: report.desktop_triggers.as_ref(),
        desktop,
        sequences: report.sequences.as_deref(),
        warnings: warnings(report),
    }
}

fn say(report: &SetUpReport) {
    for (end, tables) in [("cloud", &report.cloud), ("desktop", &report.desktop)] {
        match tables {
            Some(EndReport { schema, from, to }) if from == to => {
                println!("{end}, schema {schema}: up to date (version {to})");
            }
            Some(EndReport { schema, from, to }) => {
                println!("{end}, schema {schema}: migrated from version {from} to {to}");
            }
            None => {}
        }
    }
    for (end, triggers) in [("cloud", &report.triggers), ("desktop", &report.desktop_triggers)] {
        let Some(Installed { installed, present, .. }) = triggers else { continue };
        match installed.len() {
            0 => println!("{end}, change log: up to date ({} tables)", present.len()),
            _ => println!("{end}, change log: triggers installed on {}", installed.join(", ")),
        }
    }
    report.sequences.iter().flatten().for_each(print::key_range);
    for Warning { message, remedy } in warnings(report) {
        println!("warning: {message}\n  {remedy}");
    }
}
