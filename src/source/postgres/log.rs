//! Reading by the change log (`capture = "log"`): **the log names the rows, their state comes from the
//! table in the same snapshot**, because neither the order of transactions nor that of entries is the
//! order of commits.

use crate::model::plan::{Note, Stamp};
use crate::model::{Logged, Position, Selection, TablePlan};
use crate::sql::log::beyond;
use crate::sql::{Sql, digest, list, literal, table};

use super::render::{self, KEYS, Own, Probe, Statement, WATERMARK, setting};

/// The setting that holds what has been read above the watermark.
const AFTER: &str = "tidegate.after";
/// The setting that holds the moment since when changes are in the log, if some may not be.
const UNLOGGED: &str = "tidegate.unlogged";

/// Which entries are looked at.
enum Asked {
    /// Those beyond the position.
    Beyond,
    /// Those of the rows that are asked for, beyond where each was withheld.
    OfKeys,
}

/// In which order rows are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    OfTheLog,
    Another,
}

const NO_STAMP: &str = "null::timestamptz";

/// The COPY that reads `selection`.
pub(super) fn reading(
    sql: &Sql,
    plan: &TablePlan,
    selection: Selection<'_>,
    own: &Own<'_>,
) -> Statement {
    let nowhere = Position::default();
    let (statement, order, asked, at) = match selection {
        Selection::Since(at) if at.watermark.is_some() => {
            ("postgres/read_log.sql", Order::OfTheLog, Asked::Beyond, at)
        }
        Selection::Since(at) | Selection::All(at) => {
            ("postgres/read_log_all.sql", Order::Another, Asked::Beyond, at)
        }
        Selection::Keys(_) => {
            ("postgres/read_log_keys.sql", Order::Another, Asked::OfKeys, &nowhere)
        }
    };
    let mut settings = settings(plan, at);
    let may_lack = |logged: &&Logged| order == Order::Another && !logged.reaches(at);
    let unlogged = own.logged.filter(may_lack).map(|l| &*l.installed_at);
    settings.push((UNLOGGED, unlogged.unwrap_or("-infinity").to_owned()));
    if let Selection::Keys(awaited) = selection {
        settings.push((KEYS, render::asked_for(awaited)));
    }
    let slots = vec![
        ("entries", entries(sql, plan, own, (&asked, has_stopped(selection)))),
        ("columns", list(plan.columns.iter().map(render::value), ", ")),
        ("notes", list(plan.notes.iter().map(|n| note(plan, own, *n, order)), ", ")),
        ("source", table(&plan.source)),
        ("key", render::key(plan)),
        ("key_is_row", render::key_is_row(plan, "e.key")),
        ("asked_is_row", render::key_is_row(plan, "k.key")),
        ("owned", render::owned(plan)),
    ];
    (statement, slots, settings)
}

/// Asks whether the log has anything beyond `at`; `store` is the schema of tidegate's own tables.
pub(super) fn probe(sql: &Sql, plan: &TablePlan, store: &str, at: &Position) -> Probe {
    let watermark = stored(WATERMARK);
    let slots = [
        ("store", store),
        ("label", &*literal(&plan.label())),
        ("watermark", &watermark),
        ("beyond", &beyond("c", &watermark, &stored(AFTER))),
    ];
    Probe { query: sql.render("postgres/logged_since.sql", &slots), settings: settings(plan, at) }
}

/// What every reading by the log looks at.
fn settings(plan: &TablePlan, at: &Position) -> Vec<(&'static str, String)> {
    let mut settings = render::settings(plan);
    settings.push((WATERMARK, at.watermark.clone().unwrap_or_default()));
    settings.push((AFTER, at.after.clone().unwrap_or_default()));
    settings
}

/// A part of the position, which may be missing.
fn stored(name: &str) -> String {
    format!("nullif({}, '')", setting(name, "text"))
}

/// Whether the last run came to its end: if not, the other end may have got changes that lie beyond the
/// position.
fn has_stopped(selection: Selection<'_>) -> bool {
    let stopped = |after: &Option<String>| after.as_ref().is_some_and(|a| a.contains("\"seq\""));
    match selection {
        Selection::Since(at) | Selection::All(at) => stopped(&at.after),
        Selection::Keys(awaited) => awaited.iter().any(|a| stopped(&a.since)),
    }
}

/// What the log says of rows; `stopped`: all that a row was since the position may be at the other end,
/// not only what it was at first.
fn entries(sql: &Sql, plan: &TablePlan, own: &Own<'_>, (asked, stopped): (&Asked, bool)) -> String {
    let first = if stopped { "" } else { "[1:1]" };
    let (asked_for, beyond) = match asked {
        Asked::Beyond => (String::new(), beyond("c", &stored(WATERMARK), &stored(AFTER))),
        Asked::OfKeys => {
            let beyond = beyond("c", "(k.since ->> 'watermark')", "(k.since ->> 'after')");
            let asked_for = "join asked k on k.key = c.key and k.since is not null";
            (asked_for.to_owned(), beyond)
        }
    };
    let image = digest::of_source(plan, "b");
    let mut bases =
        format!("(array_agg({image} order by c.seq) filter (where c.old is not null)){first}");
    let mut counterpart = String::new();
    if plan.has_note(Note::Counterpart) {
        bases += &format!(
            " || (array_agg(i.sent order by c.seq) filter (where c.old is not null)){first}"
        );
        counterpart = format!(
            "left join {}._sync_images i on i.table_name = c.table_name and i.key = c.key and i.kept = {image}",
            own.store
        );
    }
    let before = |stamp: &Stamp| render::stamp_column("b", stamp);
    let stamp_before = plan.stamps.mobile.as_ref().map_or(NO_STAMP.to_owned(), before);
    sql.render(
        "postgres/log_entries.sql",
        &[
            ("store", own.store),
            ("asked_for", &asked_for),
            ("label", &literal(&plan.label())),
            ("beyond", &beyond),
            ("source", &table(&plan.source)),
            ("stamp_before", &stamp_before),
            ("bases", &bases),
            ("counterpart", &counterpart),
        ],
    )
}

/// What is said of a row beside its columns.
fn note(plan: &TablePlan, own: &Own<'_>, note: Note, order: Order) -> String {
    match (note, order) {
        (Note::Stamp, _) => edited_at(plan),
        (Note::Xid, Order::OfTheLog) => "e.xid".to_owned(),
        (Note::Seq, Order::OfTheLog) => "e.seq".to_owned(),
        // In another order they say nothing of what has been read.
        (Note::Xid, _) => "null::xid8".to_owned(),
        (Note::Version, _) => "null::text".to_owned(),
        (Note::Seq, _) => "null::bigint".to_owned(),
        (Note::Edited, _) => format!("(coalesce(e.edited, false) or {})", may_be_edited(plan)),
        (Note::Bases, _) => "e.bases".to_owned(),
        (Note::Counterpart, _) => render::counterpart(plan, own),
    }
}

/// When the row was edited: its own stamp, if the edit set that, otherwise by the log's clock. Of a
/// row that no edit is known of, its stamp, unless that may have been set by a trigger when forward
/// wrote the row.
fn edited_at(plan: &TablePlan) -> String {
    let has_triggers = plan.has_note(Note::Counterpart);
    let of_row = match has_triggers || plan.stamps.source.is_empty() {
        true => NO_STAMP.to_owned(),
        false => render::stamp(plan),
    };
    let set = plan.stamps.mobile.as_ref().map(|stamp| render::stamp_column("s", stamp));
    let of_edit = match set {
        Some(set) => format!(
            "coalesce(case when {set} is distinct from e.stamp_before then {set} end, e.changed_at)"
        ),
        None => "e.changed_at".to_owned(),
    };
    format!("case when e.edited then {of_edit} else {of_row} end")
}

/// That the row may have been edited before changes were logged.
fn may_be_edited(plan: &TablePlan) -> String {
    match plan.stamps.source.is_empty() {
        true => "false".to_owned(),
        false => {
            let installed_at = setting(UNLOGGED, "timestamptz");
            format!("coalesce({} <= {installed_at}, false)", render::stamp(plan))
        }
    }
}
