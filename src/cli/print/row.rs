//! Single rows for people: what is known of one, and what both sides did to it.

use comfy_table::{Cell, Color, Table};

use crate::config;
use crate::conflicts::{Entry, Inbox, Shown, State};
use crate::explain::{Explained, Next, Side, Withheld};
use crate::model::Verdict;
use crate::model::sample::Sample;
use crate::store::Values;

use super::{plain, value};

/// Names a column in which versions differ.
const MARK: &str = "* ";

/// The inbox: a line an entry, then how many there are.
pub(in crate::cli) fn inbox(inbox: &Inbox) {
    let columns = ["id", "table", "key", "kind", "since", "state", "what happens next"];
    let mut table = plain(&columns, 0..0);
    for entry in &inbox.entries {
        table.add_row([
            entry.id.to_string(),
            entry.table.clone(),
            value::key(&entry.key),
            entry.kind.replace('_', " "),
            entry.since.clone(),
            state(entry),
            entry.next.to_owned(),
        ]);
    }
    if !inbox.entries.is_empty() {
        println!("{table}");
    }
    let (open, decided) = (inbox.open, inbox.decided);
    let shown = match inbox.entries.len() as u64 {
        all if all == open + decided => String::new(),
        some => format!("; {some} are shown, --limit shows more"),
    };
    println!("{open} open, {decided} decided by runs{shown}");
}

fn state(entry: &Entry) -> String {
    match (entry.state, entry.attempts) {
        (State::Decided, _) => "decided".to_owned(),
        (State::Open, Some(1) | None) => "open, met once".to_owned(),
        (State::Open, Some(attempts)) => format!("open, met {attempts} times"),
    }
}

/// One entry of the inbox.
pub(in crate::cli) fn conflict(shown: &Shown) {
    let entry = &shown.entry;
    let kind = entry.kind.replace('_', " ");
    println!("{}: {} {}: {kind}", entry.id, entry.table, value::key(&entry.key));
    println!("why: {}", shown.why);
    if let Some(detail) = &shown.detail {
        println!("said: {detail}");
    }
    let met = shown.last_seen.as_ref().filter(|last| **last != entry.since);
    let last = met.map(|last| format!(", last met {last}")).unwrap_or_default();
    println!("{}: since {}{last}, by a {} run", state(entry), entry.since, entry.direction);
    println!("runs: {}", shown.runs.join(", "));
    let mut versions = vec![("desktop", shown.desktop.as_ref()), ("mobile", shown.mobile.as_ref())];
    versions.extend(shown.base.as_ref().map(|base| ("before", Some(base))));
    let mut names: Vec<&String> =
        versions[..2].iter().filter_map(|(_, v)| *v).flat_map(Values::keys).collect();
    names.sort();
    names.dedup();
    println!("{}", columns(&names, &versions, &shown.differs));
    println!("next: {}", entry.next);
    println!("{}", shown.way_out);
}

/// A line a column, those that differ marked.
fn columns(names: &[&String], versions: &[(&str, Option<&Values>)], differs: &[String]) -> Table {
    let header: Vec<&str> =
        [""].into_iter().chain(versions.iter().map(|(name, _)| *name)).collect();
    let mut table = plain(&header, 0..0);
    if config::no_color() {
        table.force_no_tty();
    }
    for &name in names {
        let is_marked = differs.contains(name);
        let mark = if is_marked { MARK } else { "" };
        let of = |values: Option<&Values>| match values {
            Some(values) => {
                values.get(name).map_or_else(String::new, |v| value::whole(v.as_deref()))
            }
            None => "no such row".to_owned(),
        };
        let cells = versions.iter().map(|(_, values)| of(*values));
        let cells =
            [format!("{mark}{name}")].into_iter().chain(cells).map(|text| match is_marked {
                true => Cell::new(text).fg(Color::Yellow),
                false => Cell::new(text),
            });
        table.add_row(cells);
    }
    table
}

/// One row; with `all` its columns that are the same, too.
pub(in crate::cli) fn row(explained: &Explained, all: bool) {
    let Explained { desktop, cloud, .. } = explained;
    println!("{} {}", explained.table, value::key(&explained.key));
    if explained.exists() {
        let both = desktop.values.is_some() && cloud.values.is_some();
        let shows = |name: &&String| all || !both || explained.differs.contains(name);
        let names: Vec<&String> = explained.columns.iter().filter(shows).collect();
        let versions = [("desktop", desktop.values.as_ref()), ("cloud", cloud.values.as_ref())];
        if !names.is_empty() {
            println!("{}", columns(&names, &versions, &explained.differs));
        }
        match explained.columns.len() - names.len() {
            0 => {}
            1 => println!("1 column is the same at both ends; --all shows it"),
            same => println!("{same} columns are the same at both ends; --all shows them"),
        }
    } else {
        println!("there is no such row at either end");
    }
    println!("on the desktop: {}", side(desktop));
    println!("in the cloud: {}", side(cloud));
    changes(explained);
    for side in [desktop, cloud] {
        side.withheld.iter().for_each(|w| println!("{}: {}", w.id, withheld(w)));
        for lost in &side.lost {
            let kind = lost.reason.replace('_', " ");
            println!("{}: {kind}, decided {} by run {}", lost.id, lost.since, lost.run_id);
        }
    }
    println!("the next reverse run: {}", next(&explained.reverse));
    println!("the next forward run: {}", next(&explained.forward));
}

fn side(side: &Side) -> String {
    let Some(owner) = side.owner else { return "no such row".to_owned() };
    let by = match &side.written_by {
        Some(by) => format!("by the {} run {} of {}", by.direction, by.run_id, by.started_at),
        None if side.tells_writers => {
            "by no run that is on record, so by a user or long ago".to_owned()
        }
        None => return format!("belongs to {}", owner.word()),
    };
    format!("belongs to {}; written {by}", owner.word())
}

/// What the change log says.
fn changes(explained: &Explained) {
    let Some(last) = explained.changes.first() else {
        let what =
            if explained.logged { "has nothing about it" } else { "does not know the table" };
        return println!("change log: {what}");
    };
    let what = match last.operation.as_str() {
        "overwritten" => "a run wrote over a mobile edit",
        "queued" => "a run asked for it to be sent once more",
        "insert" => "inserted by a mobile user",
        "delete" => "deleted by a mobile user",
        _ => "edited by a mobile user",
    };
    let pending = if explained.pending { ", which the desktop has not got yet" } else { "" };
    println!("change log: last {what} at {}{pending}", last.changed_at);
}

fn withheld(w: &Withheld) -> String {
    let reason = &w.reason;
    let contested = if w.contested { ", both sides edited it" } else { "" };
    let detail = w.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let tries = if w.attempts == 1 { String::new() } else { format!(", met {} times", w.attempts) };
    let direction = &w.direction;
    format!("withheld {reason}{contested}{detail} by {direction} runs since {}{tries}", w.since)
}

fn next(next: &Next) -> String {
    match next {
        Next::Read(sample) => deed(sample),
        Next::Unread { why, full: None } => format!("does not read it: {why}"),
        Next::Unread { why, full: Some(sample) } => {
            format!("does not read it: {why}; with --full: {}", deed(sample))
        }
        Next::Refused(trouble) => {
            format!("can't sync the table: {}\n  {}", trouble.message, trouble.remedy)
        }
    }
}

/// What becomes of a row, and why.
fn deed(sample: &Sample) -> String {
    let what = match sample.verdict {
        Verdict::Insert => "inserts it".to_owned(),
        Verdict::Update => {
            let names: Vec<&str> = sample.changes.keys().map(String::as_str).collect();
            format!("updates it ({})", names.join(", "))
        }
        Verdict::Unchanged => "writes nothing".to_owned(),
        Verdict::Withheld(reason) => format!("withholds it as {}", reason.word()),
    };
    let detail = sample.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("{what}: {}{detail}", sample.why)
}
