//! `docs/conflicts.md`: the tables in it say what the tests saw, and what the policies are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use tidegate::model::policy::{self, Edited, Held, Incoming, Policy, Rule};

use super::cells::{CHANGES, Cell, Change, LATER, Later, STARTS, Seen, Start, Version};
use super::judge::Observed;
use crate::support::writes_docs;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/conflicts.md");

/// That the page's part `name` is `text`; with `TIDEGATE_WRITE_DOCS` set it becomes so.
pub fn hold(name: &str, text: &str) {
    let page = fs::read_to_string(PAGE).unwrap();
    let begin = format!("<!-- {name}: written by the tests -->\n");
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("{PAGE}: no {begin}"));
    let (part, after) = rest.split_once("<!-- end -->").unwrap();
    let part_wanted = format!("\n{text}\n");
    if writes_docs() && part != part_wanted {
        fs::write(PAGE, format!("{before}{begin}{part_wanted}<!-- end -->{after}")).unwrap();
        return;
    }
    assert!(
        part == part_wanted,
        "docs/conflicts.md says otherwise; look at it and set TIDEGATE_WRITE_DOCS=1:\n{text}"
    );
}

const COLUMNS: [Seen; 3] = [Seen::Neither, Seen::ByMobile, Seen::ByDesktop];

/// What came of every cell: a table for each start.
pub fn outcomes(observed: &[(&Cell, Observed)]) -> String {
    let mut texts: BTreeMap<(Start, Change, Change, Later, Seen), BTreeSet<String>> =
        BTreeMap::new();
    for (cell, seen) in observed {
        let place = (cell.start, cell.desktop, cell.mobile, cell.later, cell.seen);
        texts.entry(place).or_default().insert(outcome(seen));
    }
    let mut lines = Vec::new();
    for start in STARTS {
        lines.push(format!("### {}\n", title(start)));
        lines.push("| desktop | mobile | neither had the other's | mobile had the desktop's | desktop had the mobile one |".to_owned());
        lines.push("|---|---|---|---|---|".to_owned());
        for desktop in CHANGES {
            for mobile in CHANGES {
                let of = |later, seen| texts.get(&(start, desktop, mobile, later, seen));
                let by_order = COLUMNS.map(|seen| joined(&LATER.map(|later| of(later, seen))));
                if !by_order[0].is_empty()
                    && (desktop, mobile) != (Change::Nothing, Change::Nothing)
                {
                    let cells =
                        by_order.map(|text| if text.is_empty() { "–".into() } else { text });
                    let changes = [word(desktop), word(mobile)].join(" | ");
                    lines.push(format!("| {changes} | {} |", cells.join(" | ")));
                }
            }
        }
        lines.push(String::new());
    }
    lines.pop();
    lines.join("\n")
}

/// One text for all orders, where the order says nothing.
fn joined(by_order: &[Option<&BTreeSet<String>>; 3]) -> String {
    let text =
        |outcomes: &BTreeSet<String>| outcomes.iter().cloned().collect::<Vec<_>>().join(" *or* ");
    let texts: Vec<String> = by_order.iter().flatten().map(|o| text(o)).collect();
    match &*texts {
        [] => String::new(),
        [one, rest @ ..] if rest.iter().all(|other| other == one) => one.clone(),
        _ => {
            let orders = ["desktop later", "mobile later", "equal"].into_iter().zip(texts);
            let told: Vec<String> =
                orders.map(|(order, text)| format!("{order}: {text}")).collect();
            told.join("; ")
        }
    }
}

fn title(start: Start) -> &'static str {
    match start {
        Start::Desktops => "Rows of the desktop",
        Start::Mobiles => "Rows of mobile users",
        Start::Absent => "Keys that neither end has",
    }
}

fn word(change: Change) -> &'static str {
    match change {
        Change::Nothing => "–",
        Change::Insert => "inserts",
        Change::Update => "updates",
        Change::Unstamped => "updates, no new stamp",
        Change::Delete => "deletes",
    }
}

fn name(version: Version) -> &'static str {
    match version {
        Version::None => "none",
        Version::Start => "as it was",
        Version::Desktop => "desktop's",
        Version::Mobile => "mobile",
    }
}

fn outcome(seen: &Observed) -> String {
    let [desktop, cloud] = seen.versions();
    let mut text = match desktop == cloud {
        true => format!("**{}**", name(desktop)),
        false => format!("**{}** on the desktop, **{}** in the cloud", name(desktop), name(cloud)),
    };
    for version in &seen.trash {
        text += &format!(", {} in the trash", name(*version));
    }
    for (direction, reason) in ["forward", "reverse"].into_iter().zip(&seen.withheld) {
        text +=
            &reason.as_ref().map_or(String::new(), |r| format!(", {direction} withholds: `{r}`"));
    }
    text
}

/// The policies as they stand in `src/model/policy.rs`.
#[test]
fn the_page_shows_the_policies() {
    let policies = [
        ("Forward", policy::FORWARD_BY_LOG),
        ("Reverse", policy::REVERSE_BY_LOG),
        ("Forward, by stamps", policy::FORWARD_BY_STAMPS),
        ("Reverse, by stamps", policy::REVERSE_BY_STAMPS),
    ];
    let tables = policies.map(|(title, policy)| format!("### {title}\n\n{}", rules(policy)));
    hold("policies", &tables.join("\n\n"));
}

fn rules(policy: Policy) -> String {
    let head =
        "| row that comes in | meets | edited since | verdict | why |\n|---|---|---|---|---|";
    let lines = policy.rules.iter().map(|rule: &Rule| {
        let conflict = if rule.contested { ", a conflict" } else { "" };
        let verdict = rule.verdict.word();
        let [incoming, held, edited] =
            [comes(rule.incoming), meets(rule.held), edited(rule.edited)];
        format!("| {incoming} | {held} | {edited} | `{verdict}`{conflict} | {} |", rule.why)
    });
    std::iter::once(head.to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
}

fn comes(incoming: Incoming) -> &'static str {
    match incoming {
        Incoming::Anyone => "any",
        Incoming::Writer => "of the side that is read",
        Incoming::Other => "of the other side",
        Incoming::Nobody => "of nobody",
    }
}

fn meets(held: Held) -> &'static str {
    match held {
        Held::Anything => "anything",
        Held::Nothing => "no row",
        Held::Equal => "the same",
        Held::Writers => "a row of the side that is read",
        Held::Others => "a row of the other side",
        Held::Nobodys => "a row of nobody",
    }
}

fn edited(edited: Edited) -> &'static str {
    match edited {
        Edited::Any => "",
        Edited::Held => "there",
        Edited::HeldUnlogged => "there, before the log",
        Edited::Incoming => "where it comes from",
        Edited::BothIncomingWins => "both, what comes in wins",
        Edited::BothHeldWins => "both, what is there wins",
        Edited::Deleted => "there: deleted",
    }
}
