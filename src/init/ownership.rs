//! Which column of the cloud tells whose a row is, and by which marks.

use std::collections::BTreeMap;

use crate::model::Ownership;
use crate::model::schema::{Column, TableSchema};

use super::decision::Undecided;
use super::pairing::folded;

/// What such columns are called.
const NAMES: [&str; 11] = [
    "source",
    "rowsource",
    "recordsource",
    "datasource",
    "sourcesystem",
    "origin",
    "roworigin",
    "recordorigin",
    "owner",
    "rowowner",
    "ownedby",
];

/// What marks are known: the desktop's, and the mobile app's.
const MARKS: [(&str, &str); 5] =
    [("D", "M"), ("d", "m"), ("desktop", "mobile"), ("Desktop", "Mobile"), ("DESKTOP", "MOBILE")];

const TEXTS: [u32; 3] = [25, 1042, 1043];

/// A column that could be it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Its name, the same in every table.
    pub(super) column: String,
    /// How many of the cloud's tables have it.
    pub(super) tables: usize,
    /// What it holds, as far as that could be read.
    pub(super) marks: Vec<String>,
}

/// The candidates of the cloud's tables, what most tables have first; their marks are yet to be read.
pub(super) fn candidates(cloud: &[TableSchema]) -> Vec<Candidate> {
    let is_one = |c: &&Column| {
        TEXTS.contains(&c.type_oid) && NAMES.contains(&folded(&c.name).as_str()) && !c.generated
    };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for column in cloud.iter().flat_map(|t| t.columns.iter().filter(is_one)) {
        *counts.entry(&column.name).or_default() += 1;
    }
    let candidate = |(column, tables): (&str, usize)| Candidate {
        column: column.to_owned(),
        tables,
        marks: Vec::new(),
    };
    let mut candidates: Vec<_> = counts.into_iter().map(candidate).collect();
    candidates.sort_by_key(|c| (usize::MAX - c.tables, rank(&c.column)));
    candidates
}

fn rank(column: &str) -> usize {
    let folded = folded(column);
    NAMES.iter().position(|name| *name == folded).unwrap_or(NAMES.len())
}

/// What is decided, and what is left open.
#[derive(Debug)]
pub(super) struct Choice {
    /// What goes into the file.
    pub(super) ownership: Ownership,
    /// About the column.
    pub(super) column: Option<Undecided>,
    /// About the marks.
    pub(super) marks: Option<Undecided>,
}

/// Chooses among `candidates`; `tables` is how many tables the cloud has for the desktop's.
pub(super) fn choose(candidates: &[Candidate], tables: usize) -> Choice {
    let common: Vec<&Candidate> = candidates.iter().filter(|c| c.tables * 2 >= tables).collect();
    let proven: Vec<&Candidate> = common.iter().copied().filter(|c| proven(c)).collect();
    match (proven.as_slice(), common.as_slice()) {
        ([one], _) | ([], [one]) => chosen(one),
        _ => Choice {
            ownership: ownership("source", MARKS[0]),
            column: Some(unclear(candidates)),
            marks: None,
        },
    }
}

/// Whether it holds nothing but known marks, which a column of another meaning would not.
fn proven(candidate: &Candidate) -> bool {
    let known = |mark: &String| MARKS.iter().any(|(d, m)| d == mark || m == mark);
    !candidate.marks.is_empty() && candidate.marks.iter().all(known)
}

fn ownership(column: &str, (desktop, mobile): (&str, &str)) -> Ownership {
    Ownership { column: column.into(), desktop: desktop.into(), mobile: mobile.into() }
}

fn chosen(candidate: &Candidate) -> Choice {
    let holds = |mark: &str| candidate.marks.iter().any(|m| m == mark);
    let mut met = MARKS.iter().copied().filter(|(d, m)| holds(d) || holds(m));
    let (marks, further) = (met.next(), met.next());
    let others =
        marks.is_some_and(|(d, m)| candidate.marks.iter().any(|mark| mark != d && mark != m));
    let column = &candidate.column;
    let open = match marks {
        None if candidate.marks.is_empty() => Some((
            format!("which marks {column} holds: no row that this role can read has one yet"),
            "Check that the desktop's rows will be marked 'D' and the mobile app's 'M'; otherwise \
             set desktop and mobile to what they are marked with."
                .to_owned(),
        )),
        None => Some((
            format!("which marks {column} holds: none of those that are there is known"),
            "Set desktop and mobile to the marks of the desktop's and the mobile app's rows."
                .to_owned(),
        )),
        Some((d, m)) if further.is_some() || others => Some((
            format!("what the marks in {column} other than '{d}' and '{m}' mean"),
            "Rows with them belong to nobody: they are withheld until they are marked properly."
                .to_owned(),
        )),
        Some(_) => None,
    };
    Choice {
        ownership: ownership(column, marks.unwrap_or(MARKS[0])),
        column: None,
        marks: open.map(|(question, remedy)| Undecided::of_all(question, remedy)),
    }
}

fn unclear(candidates: &[Candidate]) -> Undecided {
    if candidates.is_empty() {
        return Undecided::of_all(
            "which column of the cloud tells whose a row is: none is called like one",
            "Add one to every table, or name it with column.",
        );
    }
    let count = |c: &Candidate| match c.tables {
        1 => format!("{} (in 1 table)", c.column),
        n => format!("{} (in {n} tables)", c.column),
    };
    let list: Vec<_> = candidates.iter().map(count).collect();
    Undecided::of_all(
        format!("which column of the cloud tells whose a row is: {}", list.join(", ")),
        "Name it with column; every synced table needs it.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(column: &str, tables: usize, marks: &str) -> Candidate {
        let marks = marks.split_whitespace().map(str::to_owned).collect();
        Candidate { column: column.into(), tables, marks }
    }

    #[test]
    fn the_column_and_its_marks_are_taken_only_without_doubt() {
        for (candidates, expected, open) in [
            (vec![candidate("source", 10, "D M")], "source D M", ""),
            (vec![candidate("source", 10, "D")], "source D M", ""),
            (vec![candidate("origin", 5, "m")], "origin d m", ""),
            (vec![candidate("owner", 9, "mobile desktop")], "owner desktop mobile", ""),
            (vec![candidate("source", 10, "")], "source D M", "no row that this role can read"),
            (vec![candidate("source", 10, "x")], "source D M", "none of those that are there"),
            (vec![candidate("source", 10, "D x")], "source D M", "other than 'D' and 'M'"),
            (vec![candidate("source", 10, "D d")], "source D M", "other than 'D' and 'M'"),
            // A person's name proves nothing, a mark does.
            (vec![candidate("owner", 10, "eve"), candidate("origin", 9, "D")], "origin D M", ""),
            (
                vec![candidate("owner", 10, ""), candidate("origin", 9, "")],
                "source D M",
                "owner (in 10 tables), origin (in 9 tables)",
            ),
            (vec![candidate("source", 4, "D")], "source D M", "source (in 4 tables)"),
            (vec![], "source D M", "none is called like one"),
        ] {
            let Choice { ownership: o, column, marks } = choose(&candidates, 10);
            assert_eq!([o.column, o.desktop, o.mobile].join(" "), expected, "{candidates:?}");
            let said = column.or(marks).map(|u| u.question).unwrap_or_default();
            assert!(said.contains(open) && said.is_empty() == open.is_empty(), "{said}");
            assert!(!said.contains('x') && !said.contains("eve"), "values of rows: {said}");
        }
    }
}
