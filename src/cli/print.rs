//! What people read on stdout.

mod plan;
mod row;
mod value;

use std::error::Error as _;
use std::path::Path;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::error::{Error, Kind, Result};
use crate::init::Proposal;
use crate::model::Direction;
use crate::run::sequences::{Deed, KeyRange, Numbers};
use crate::run::{self, Outcome, RunReport, TableReport};
use crate::store::{TablePosition, TableStatus};
use crate::verify;

use super::Output;

pub(super) use plan::{plan, script};
pub(super) use row::{conflict, inbox, row};

/// In place of the watermark of a table that has none.
const NOT_READ: &str = "not yet read";

/// One JSON document.
pub(super) fn json(document: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(document)
        .map_err(|e| Error::new(Kind::Other, "writing JSON").because(e))?;
    println!("{text}");
    Ok(())
}

/// A stable contract with its version, or what `human` prints of it.
pub(super) fn contract<T: Serialize>(
    output: Output,
    content: &T,
    human: impl FnOnce(&T),
) -> Result<()> {
    match output {
        Output::Json => json(&Document { schema_version: run::SCHEMA_VERSION, content })?,
        Output::Human => human(content),
    }
    Ok(())
}

#[derive(Serialize)]
struct Document<'d, T> {
    schema_version: u32,
    #[serde(flatten)]
    content: &'d T,
}

/// What ended the program, and what to do about it; on stderr. With `-v` also its cause.
pub(super) fn error(e: &Error) {
    eprintln!("error: {e}");
    eprintln!("  {}", e.remedy());
    if let Some(cause) = e.source() {
        tracing::info!("the cause: {cause}");
    }
}

/// What was proposed, what is left to decide, and how to go on; `named` is the file of --config.
pub(super) fn proposal(proposal: &Proposal, path: &Path, named: Option<&Path>) {
    let enabled = proposal.tables.iter().filter(|t| t.enabled).count();
    let of = match proposal.tables.len() {
        all if all == enabled => String::new(),
        all => format!(
            " of the {all} that both ends have; the others have `enabled = false` there, until what \
             keeps them back is decided or done"
        ),
    };
    let tables = if enabled == 1 { "table" } else { "tables" };
    println!("{}: syncs {enabled} {tables}{of}", path.display());
    if proposal.undecided.is_empty() {
        println!("nothing was left undecided");
    }
    if !proposal.forward_only.is_empty() {
        println!(
            "forward only, for the desktop has no column {} there: {}",
            proposal.ownership_column,
            proposal.forward_only.join(", ")
        );
    }
    for undecided in &proposal.undecided {
        let table = undecided.table.as_ref().map(|table| format!("{table}: ")).unwrap_or_default();
        println!("undecided: {table}{}\n  {}", undecided.question, undecided.remedy);
    }
    let config = named.map(|file| format!(" --config {}", file.display())).unwrap_or_default();
    let next =
        ["migrate", "grants", "check", "sync"].map(|verb| format!("`tidegate{config} {verb}`"));
    println!("next: {}", next.join(", "));
}

/// A run: a line a table, then what needs attention, then one sentence.
pub(super) fn run(report: &RunReport) {
    let columns =
        ["table", "read", "inserted", "updated", "unchanged", "withheld", "mobile rows", "outcome"];
    let mut table = plain(&columns, 1..7);
    for t in &report.tables {
        let counts =
            [t.read, t.inserted, t.updated, t.unchanged, t.withheld].map(|n| n.to_string());
        let mut cells = vec![name(report, t)];
        cells.extend(counts);
        cells.push(mobile(t));
        cells.push(t.outcome.word().replace('_', " "));
        table.add_row(cells);
    }
    println!("{table}");
    remarks(report);
    println!("{}", sentence(report));
}

/// What needs attention, a line each.
fn remarks(report: &RunReport) {
    for t in &report.tables {
        if t.withheld > 0 {
            let reasons = t.withheld_by.iter().map(|(reason, n)| format!("{n} {}", reason.word()));
            println!("{}: withheld {}", name(report, t), reasons.collect::<Vec<_>>().join(", "));
        }
        if !t.drift.is_empty() {
            println!("{}: the cloud lacks {}; left out", t.table, t.drift.join(", "));
        }
        if let Some(trouble) = &t.error {
            println!("{}: {}\n  {}", name(report, t), trouble.message, trouble.remedy);
        }
    }
}

/// The table; in both directions, every table has two lines.
fn name(report: &RunReport, t: &TableReport) -> String {
    match t.direction == report.direction {
        true => t.table.clone(),
        false => format!("{} ({})", t.table, t.direction),
    }
}

/// A table, and the direction where it is not what a table has alone.
pub(super) fn heading(table: &str, direction: &str) -> String {
    match direction == Direction::Forward.word() {
        true => table.to_owned(),
        false => format!("{table} ({direction})"),
    }
}

fn mobile(t: &TableReport) -> String {
    match (t.mobile_before, t.mobile_after) {
        (Some(before), Some(after)) if before != after => format!("{before} → {after}"),
        (_, Some(after)) => after.to_string(),
        _ => String::new(),
    }
}

fn sentence(report: &RunReport) -> String {
    let (nothing, written, list, end) = match report.dry_run {
        true => ("would be written", "would be written", "", "; everything was rolled back"),
        false => ("to write", "written", " (see _sync_withheld)", ""),
    };
    let what = match report.written() {
        0 => format!("nothing {nothing}"),
        1 => format!("1 row {written}"),
        rows => format!("{rows} rows {written}"),
    };
    let how = match report.outcome {
        Outcome::Ok => "done".to_owned(),
        outcome => outcome.word().replace('_', " "),
    };
    let withheld = match report.withheld() {
        0 => String::new(),
        withheld => format!(", {withheld} withheld{list}"),
    };
    format!("{how}: {what}{withheld}{end}")
}

/// A verification: a line a table, then every difference, then one sentence.
pub(super) fn verification(report: &verify::Report) {
    let columns =
        ["table", "on the desktop", "in the cloud", "mobile rows", "of nobody", "outcome"];
    let mut table = plain(&columns, 1..5);
    for t in &report.tables {
        let cells = [
            t.desktop.map(|c| c.desktop),
            t.cloud.map(|c| c.desktop),
            t.cloud.map(|c| c.mobile),
            t.cloud.map(|c| c.other),
        ];
        let mut row = vec![t.table.clone()];
        row.extend(cells.map(|n| n.map(|n| n.to_string()).unwrap_or_default()));
        row.push(t.outcome.word().to_owned());
        table.add_row(row);
    }
    println!("{table}");
    for t in &report.tables {
        for sentence in t.sentences() {
            println!("{}: {sentence}", t.table);
        }
        if let Some(trouble) = &t.error {
            println!("{}: {}\n  {}", t.table, trouble.message, trouble.remedy);
        }
    }
    println!("{}", judgement(report));
}

fn judgement(report: &verify::Report) -> String {
    let differences = || report.tables.iter().flat_map(|t| &t.differences);
    let unexplained = |d: &&verify::Difference| d.explained_by == verify::Explanation::Unexplained;
    let unexplained: u64 = differences().filter(unexplained).map(|d| d.rows).sum();
    let failed = report.tables.iter().filter(|t| t.error.is_some()).count();
    let what = match (unexplained, failed, differences().next()) {
        (0, 0, None) => "no difference".to_owned(),
        (0, 0, Some(_)) => "every difference is explained".to_owned(),
        (0, 1, _) => "1 table could not be verified".to_owned(),
        (0, n, _) => format!("{n} tables could not be verified"),
        (1, ..) => "1 row is unexplained".to_owned(),
        (n, ..) => format!("{n} rows are unexplained"),
    };
    format!("{}: {what}", report.outcome.word())
}

/// The status page: for each table a line a direction.
pub(super) fn status<'t>(tables: impl Iterator<Item = &'t TableStatus> + Clone) {
    let columns =
        ["table", "direction", "read up to", "lag", "rows by owner", "withheld", "last run"];
    let mut table = plain(&columns, 3..4);
    for t in tables.clone() {
        let counts = t.counts.iter().map(|(owner, n)| match owner.as_str() {
            "" => format!("nobody {n}"),
            owner => format!("{owner} {n}"),
        });
        let withheld = t.withheld_by.iter().map(|(reason, n)| format!("{n} {reason}"));
        table.add_row([
            t.table.clone(),
            t.direction.clone(),
            t.watermark.as_deref().map_or_else(|| NOT_READ.to_owned(), moment_or_transaction),
            t.lag_seconds.map(lag).unwrap_or_default(),
            counts.collect::<Vec<_>>().join(", "),
            withheld.collect::<Vec<_>>().join(", "),
            last_run(t),
        ]);
    }
    println!("{table}");
    for t in tables {
        for refused in &t.refused {
            let table = heading(&t.table, &t.direction);
            println!("{table}: {} withheld: {}", refused.rows, refused.detail);
        }
    }
}

/// A watermark; in a change log it is a number.
fn moment_or_transaction(watermark: &str) -> String {
    match watermark.bytes().all(|b| b.is_ascii_digit()) {
        true => format!("transaction {watermark}"),
        false => watermark.to_owned(),
    }
}

/// What became of the sequence of a table's key.
pub(super) fn key_range(range: &KeyRange) {
    let table = &range.table;
    let sequence = range.sequence.as_deref().unwrap_or_default();
    match (&range.numbers, range.deed) {
        (Some(Numbers { from, next, left }), deed) => {
            let how = match deed {
                Deed::Moved => format!("{sequence} stood at {from}"),
                _ => format!("{sequence} was there"),
            };
            println!("{table}: mobile keys go on at {next} ({how}; {left} are left)");
        }
        (None, Deed::CountsDown) => {
            println!("{table}: left alone, because {sequence} counts down");
        }
        (None, _) => println!("{table}: left alone, because its key is not drawn from a sequence"),
    }
}

/// Positions: a line a table, direction and stream.
pub(super) fn positions(positions: &[TablePosition]) {
    let columns = [
        "table",
        "direction",
        "stream",
        "read up to",
        "after",
        "generation",
        "moved",
        "read from",
        "by run",
    ];
    let mut table = plain(&columns, 5..6);
    for p in positions {
        let known = |value: &Option<String>| value.clone().unwrap_or_default();
        table.add_row([
            p.table.clone(),
            p.direction.clone(),
            p.stream.clone(),
            p.watermark.as_deref().map_or_else(|| NOT_READ.to_owned(), moment_or_transaction),
            p.after_key.as_ref().map(ToString::to_string).unwrap_or_default(),
            p.generation.to_string(),
            known(&p.last_sync),
            known(&p.source_identity),
            known(&p.run_id),
        ]);
    }
    println!("{table}");
}

fn last_run(t: &TableStatus) -> String {
    let Some(run) = &t.last_run else { return String::new() };
    let failures = match t.consecutive_failures {
        0 => String::new(),
        n => format!(", {n} failed in a row"),
    };
    let outcome = run.outcome.replace('_', " ");
    format!("{outcome}: {} inserted, {} updated{failures}", run.inserted, run.updated)
}

fn lag(seconds: i64) -> String {
    let seconds = std::time::Duration::from_secs(seconds.unsigned_abs());
    humantime::format_duration(seconds).to_string()
}

fn plain(columns: &[&str], right: std::ops::Range<usize>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(columns.to_vec());
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if right.contains(&i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
