//! A plan for people: counts, rows, statements.

use serde_json::Value;

use crate::model::Verdict;
use crate::model::sample::Sample;
use crate::run::script::Part;
use crate::run::{RunReport, TableReport};

use super::{NOT_READ, plain, remarks, sentence};

/// A longer value is cut.
const VALUE_CHARS: usize = 60;

/// What a run would do: a line a table, then its rows, then one sentence.
pub(in crate::cli) fn plan(report: &RunReport) {
    let columns =
        ["table", "insert", "update", "unchanged", "withheld", "read up to", "then", "outcome"];
    let mut table = plain(&columns, 1..5);
    for t in &report.tables {
        let mut cells = vec![t.table.clone()];
        cells.extend([t.inserted, t.updated, t.unchanged, t.withheld].map(|n| n.to_string()));
        cells.extend(positions(t));
        cells.push(t.outcome.word().replace('_', " "));
        table.add_row(cells);
    }
    println!("{table}");
    remarks(report);
    for t in &report.tables {
        let rows = t.rehearsed.iter().filter_map(|rehearsed| rehearsed.rows.as_ref()).flatten();
        rows.for_each(|row| println!("{}", line(&t.table, row)));
    }
    println!("{}", sentence(report));
}

/// Where the table stands, and where a run would bring it.
fn positions(t: &TableReport) -> [String; 2] {
    let from = t.rehearsed.as_ref().and_then(|rehearsed| rehearsed.watermark_from.clone());
    let to = match &t.watermark {
        watermark if *watermark == from => "the same".to_owned(),
        Some(watermark) => watermark.clone(),
        None => String::new(),
    };
    [from.unwrap_or_else(|| NOT_READ.to_owned()), to]
}

/// One row in one line, as in `jobs id=5: update name "old" → "new"`.
fn line(table: &str, row: &Sample) -> String {
    let key = row.key.as_object().into_iter().flatten();
    let key: Vec<String> = key.map(|(name, value)| format!("{name}={}", part(value))).collect();
    let what = match row.verdict {
        Verdict::Withheld(reason) => format!("withheld {}", reason.word()),
        verdict => verdict.word().to_owned(),
    };
    let changes: Vec<String> = row
        .changes
        .iter()
        .map(|(name, c)| {
            format!(" {name} {} → {}", shown(c.from.as_deref()), shown(c.to.as_deref()))
        })
        .collect();
    format!("{table} {}: {what}{}", key.join(" "), changes.join(","))
}

/// A part of a key.
fn part(value: &Value) -> String {
    match value.as_str() {
        Some(text) if !text.contains(|c: char| c.is_whitespace() || c.is_control()) => cut(text),
        text => shown(text),
    }
}

/// A value: no text of a row may move the cursor of a terminal.
fn shown(value: Option<&str>) -> String {
    value.map_or_else(|| "null".to_owned(), |text| format!("{:?}", cut(text)))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The statements of a run, as a script to read.
pub(in crate::cli) fn script(parts: &[Part]) {
    for part in parts {
        match &part.table {
            Some(table) => println!("-- ==== {table:?} ====\n"),
            None => println!("-- ==== around the tables ====\n"),
        }
        for statement in &part.statements {
            let times = match statement.times {
                1 => String::new(),
                times => format!(", {times} times"),
            };
            println!(
                "-- {}{times}\n{};\n",
                statement.name,
                statement.sql.trim_end().trim_end_matches(';')
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sample::Change;

    #[test]
    fn a_row_is_one_line_whatever_it_holds() {
        let change = |from: Option<&str>, to: Option<&str>| Change {
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        };
        let long = "é".repeat(61);
        let changes = [
            ("a", None, Some("null")),
            ("b", Some("\u{1b}[2J\n"), None),
            ("c", Some(&*long), Some("")),
        ];
        let row = Sample {
            key: serde_json::json!({"id": "5", "office": "a b"}),
            verdict: Verdict::Update,
            changes: changes.map(|(name, from, to)| (name.to_owned(), change(from, to))).into(),
        };
        let cut = "é".repeat(60);
        let expected = format!(
            "jobs id=5 office=\"a b\": update a null → \"null\", b \"\\u{{1b}}[2J\\n\" → null, \
             c \"{cut}…\" → \"\""
        );
        assert_eq!(line("jobs", &row), expected);
    }
}
