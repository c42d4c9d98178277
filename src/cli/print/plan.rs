//! A plan for people: counts, rows, statements.

use crate::model::Verdict;
use crate::model::sample::Sample;
use crate::run::script::Part;
use crate::run::{RunReport, TableReport};

use super::value::{key, short};
use super::{NOT_READ, moment_or_transaction, name, plain, remarks, sentence};

/// What a run would do: a line a table, then its rows, then one sentence.
pub(in crate::cli) fn plan(report: &RunReport) {
    let columns =
        ["table", "insert", "update", "unchanged", "withheld", "read up to", "then", "outcome"];
    let mut table = plain(&columns, 1..5);
    for t in &report.tables {
        let mut cells = vec![name(report, t)];
        cells.extend([t.inserted, t.updated, t.unchanged, t.withheld].map(|n| n.to_string()));
        cells.extend(positions(t));
        cells.push(t.outcome.word().replace('_', " "));
        table.add_row(cells);
    }
    println!("{table}");
    remarks(report);
    for t in &report.tables {
        let rows = t.rehearsed.iter().filter_map(|rehearsed| rehearsed.rows.as_ref()).flatten();
        rows.for_each(|row| println!("{}", line(&name(report, t), row)));
    }
    let (direction, not_seen) = match report.direction {
        "sync" => ("sync", "; forward was rehearsed without the rows that reverse would bring"),
        direction => (direction, ""),
    };
    println!("{direction}: {}{not_seen}", sentence(report));
}

/// Where the table stands, and where a run would bring it.
fn positions(t: &TableReport) -> [String; 2] {
    let from = t.rehearsed.as_ref().and_then(|rehearsed| rehearsed.watermark_from.clone());
    let to = match &t.watermark {
        watermark if *watermark == from => "the same".to_owned(),
        Some(watermark) => moment_or_transaction(watermark),
        None => String::new(),
    };
    [from.map_or_else(|| NOT_READ.to_owned(), |from| moment_or_transaction(&from)), to]
}

/// One row in one line, as in `jobs id=5: update name "old" → "new" (why)`.
fn line(table: &str, row: &Sample) -> String {
    let what = match row.verdict {
        Verdict::Withheld(reason) => format!("withheld {}", reason.word()),
        verdict => verdict.word().to_owned(),
    };
    let changes: Vec<String> = row
        .changes
        .iter()
        .map(|(name, c)| {
            format!(" {name} {} → {}", short(c.from.as_deref()), short(c.to.as_deref()))
        })
        .collect();
    let detail = row.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{table} {}: {what}{} ({}{detail})", key(&row.key), changes.join(","), row.why)
}

/// The statements of a run, as a script to read.
pub(in crate::cli) fn script(parts: &[Part]) {
    let mut direction = "";
    for part in parts {
        if part.direction != direction {
            direction = part.direction;
            println!("-- ######## {direction} ########\n");
        }
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
            why: "it is so",
            detail: None,
            changes: changes.map(|(name, from, to)| (name.to_owned(), change(from, to))).into(),
        };
        let cut = "é".repeat(60);
        let expected = format!(
            "jobs id=5 office=\"a b\": update a null → \"null\", b \"\\u{{1b}}[2J\\n\" → null, \
             c \"{cut}…\" → \"\" (it is so)"
        );
        assert_eq!(line("jobs", &row), expected);
    }
}
