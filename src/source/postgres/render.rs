//! From a plan and a selection to a COPY statement. A COPY takes no bound values, so they are
//! bound as settings of the transaction.

use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::error::Result;
use crate::model::plan::{ColumnPlan, Note, Origin, Passage, Stamp};
use crate::model::{Awaited, Capture, Logged, Position, Selection, TablePlan};
use crate::sql::{Sql, column, digest, list, literal, table};

use super::log;

/// The setting that holds the zone of stamps without one.
const ZONE: &str = "tidegate.zone";
/// The setting that holds the writer's mark.
const OWNER: &str = "tidegate.owner";
/// The setting that holds the watermark.
pub(super) const WATERMARK: &str = "tidegate.watermark";
/// The setting that holds the key to go on after, or a list of keys.
pub(super) const KEYS: &str = "tidegate.keys";

/// The setting that holds the key of the only row that is read.
const ONLY: &str = "tidegate.only";

/// tidegate's own tables at the end that is read, and whether all of a selection is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own<'o> {
    /// Their schema, quoted.
    pub(super) store: &'o str,
    /// Since when changes of this table are in the log.
    pub(super) logged: Option<&'o Logged>,
    /// The key of the only row that is wanted.
    pub(super) only: Option<&'o str>,
}

/// A COPY and the values of the settings that it looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// Asks whether the table is still as it was planned.
    pub(super) unaltered: String,
    pub(super) copy: String,
    pub(super) settings: Vec<(&'static str, String)>,
}

/// Asks whether a table has changed, and the values of the settings that this looks at.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) query: String,
    pub(super) settings: Vec<(&'static str, String)>,
}

/// Asks whether rows were stamped since `at`.
pub(super) fn probe(sql: &Sql, plan: &TablePlan, at: &Position) -> Probe {
    let mut settings = settings(plan);
    settings.push((WATERMARK, at.watermark.clone().unwrap_or_default()));
    let slots = [("source", &*table(&plan.source)), ("changed_since", &changed_since(plan))];
    Probe { query: sql.render("postgres/changed_since.sql", &slots), settings }
}

/// The COPY that reads `selection`.
pub(super) fn reading(
    sql: &Sql,
    plan: &TablePlan,
    selection: Selection<'_>,
    own: &Own<'_>,
) -> Reading {
    let (statement, mut slots, mut settings) = match plan.capture {
        Capture::Timestamp | Capture::Rowversion | Capture::DesktopLog => {
            by_stamps(plan, selection, own)
        }
        Capture::Log => log::reading(sql, plan, selection, own),
    };
    slots.push(("only", only(plan, own)));
    settings.extend(own.only.map(|key| (ONLY, key.to_owned())));
    let slots: Vec<(&str, &str)> = slots.iter().map(|(name, text)| (*name, &**text)).collect();
    Reading { unaltered: unaltered(sql, plan), copy: sql.render(statement, &slots), settings }
}

/// A statement's name, what fills its slots, and the settings that it looks at.
pub(super) type Statement =
    (&'static str, Vec<(&'static str, String)>, Vec<(&'static str, String)>);

fn by_stamps(plan: &TablePlan, selection: Selection<'_>, own: &Own<'_>) -> Statement {
    let mut settings = settings(plan);
    let mut slots = vec![
        ("columns", list(plan.columns.iter().map(value), ", ")),
        ("notes", notes(plan, own)),
        ("stamp", stamp(plan)),
        ("source", table(&plan.source)),
        ("key", key(plan)),
    ];
    let statement = match selection {
        Selection::Since(Position { watermark: Some(watermark), after, .. }) => {
            settings.push((WATERMARK, watermark.clone()));
            slots.push(("changed_since", changed_since(plan)));
            match after {
                None => "postgres/read_since.sql",
                Some(key) => {
                    settings.push((KEYS, key.clone()));
                    slots.push(("watermark", setting(WATERMARK, "timestamptz")));
                    slots.push((
                        "after",
                        stored_key(plan, &format!("{}::json", setting(KEYS, "text"))),
                    ));
                    "postgres/read_after.sql"
                }
            }
        }
        Selection::Since(Position { watermark: None, .. }) | Selection::All(_) => {
            "postgres/read_all.sql"
        }
        Selection::Keys(awaited) => {
            settings.push((KEYS, asked_for(awaited)));
            slots.push(("key_is_row", key_is_row(plan, "k.key")));
            slots.push(("owned", owned(plan)));
            "postgres/read_keys.sql"
        }
    };
    (statement, slots, settings)
}

/// That the row is the only one that is wanted, if there is such a one.
fn only(plan: &TablePlan, own: &Own<'_>) -> String {
    match own.only {
        Some(_) => key_is_row(plan, &setting(ONLY, "json")),
        None => "true".to_owned(),
    }
}

/// The rows that are asked for, as a JSON list.
pub(super) fn asked_for(awaited: &[Awaited]) -> String {
    let json = |text: &str| serde_json::from_str(text).unwrap_or(serde_json::Value::Null);
    let keys = awaited.iter().map(|a| {
        serde_json::json!({
            "key": json(&a.key),
            "once_owned": a.once_owned,
            "since": a.since.as_deref().map(json),
        })
    });
    serde_json::Value::from_iter(keys).to_string()
}

/// What is said of a row beside its columns, where stamps tell what was changed.
fn notes(plan: &TablePlan, own: &Own<'_>) -> String {
    let note = |note: &Note| match note {
        Note::Counterpart => counterpart(plan, own),
        _ => stamp(plan),
    };
    list(plan.notes.iter().map(note), ", ")
}

/// The digest of the version at the other end that the row stands for, if our triggers made it of
/// that.
pub(super) fn counterpart(plan: &TablePlan, own: &Own<'_>) -> String {
    format!(
        "(select i.sent from {}._sync_images i where i.table_name = {} and i.key = {} and i.kept = {})",
        own.store,
        literal(&plan.label()),
        key_object(plan),
        digest::of_source(plan, "s")
    )
}

/// The row's key as it stands in tidegate's own tables.
fn key_object(plan: &TablePlan) -> String {
    let part = |c: &ColumnPlan| format!("{}, ({})::text", literal(&c.name), value(c));
    format!("jsonb_build_object({})", list(plan.key_columns().map(part), ", "))
}

/// The key's columns of the source.
pub(super) fn key(plan: &TablePlan) -> String {
    list(plan.key_columns().filter_map(ColumnPlan::source_name).map(|n| column("s", n)), ", ")
}

/// The columns that are read and their types, as planned.
pub(super) fn planned_columns(plan: &TablePlan) -> (Vec<&str>, Vec<&str>) {
    fn of_source(c: &ColumnPlan) -> Option<(&str, &str)> {
        match &c.origin {
            Origin::Column { name, type_name } => Some((name, type_name)),
            Origin::Owner => None,
        }
    }
    plan.columns.iter().filter_map(of_source).unzip()
}

fn unaltered(sql: &Sql, plan: &TablePlan) -> String {
    let (names, _) = planned_columns(plan);
    let type_now = |name: &str| format!("pg_typeof({})::oid", column("s", name));
    let source = table(&plan.source);
    sql.render(
        "postgres/unaltered.sql",
        &[
            ("types", &list(names.into_iter().map(type_now), ", ")),
            ("source", &source),
            ("source_name", &literal(&source)),
        ],
    )
}

/// What every reading of the table looks at.
pub(super) fn settings(plan: &TablePlan) -> Vec<(&'static str, String)> {
    let mut settings = vec![(OWNER, plan.owner.writer.clone())];
    settings.extend(plan.settings.assume_timezone.iter().map(|zone| (ZONE, zone.clone())));
    settings
}

pub(super) fn setting(name: &str, type_name: &str) -> String {
    format!("current_setting({})::{type_name}", literal(name))
}

/// A column's value, in the form in which it travels.
pub(super) fn value(c: &ColumnPlan) -> String {
    match (&c.origin, c.passage) {
        (Origin::Owner, _) => setting(OWNER, "text"),
        (Origin::Column { name, .. }, Passage::Straight) => column("s", name),
        (Origin::Column { name, .. }, Passage::Text) => format!("{}::text", column("s", name)),
        (Origin::Column { name, .. }, Passage::Zoned) => at_zone("s", name),
    }
}

fn at_zone(alias: &str, name: &str) -> String {
    format!("({} at time zone {})", column(alias, name), setting(ZONE, "text"))
}

/// A stamp, in its zone.
pub(super) fn stamp_column(alias: &str, stamp: &Stamp) -> String {
    match stamp.zoneless {
        true => at_zone(alias, &stamp.name),
        false => column(alias, &stamp.name),
    }
}

/// When the row was changed last. GREATEST leaves nulls out.
pub(super) fn stamp(plan: &TablePlan) -> String {
    format!("greatest({})", list(plan.stamps.source.iter().map(|s| stamp_column("s", s)), ", "))
}

/// One condition for each stamp, so that each can use its own index.
fn changed_since(plan: &TablePlan) -> String {
    let since =
        |s: &Stamp| format!("{} >= {}", stamp_column("s", s), setting(WATERMARK, "timestamptz"));
    list(plan.stamps.source.iter().map(since), " or ")
}

/// The columns of a key that is kept as a JSON object, in the source's types.
fn stored_key(plan: &TablePlan, json: &str) -> String {
    let part = |c: &ColumnPlan| match &c.origin {
        Origin::Column { .. } if c.passage == Passage::Zoned => format!(
            "(({json} ->> {})::{} at time zone {})",
            literal(&c.name),
            c.target_type,
            setting(ZONE, "text")
        ),
        Origin::Column { type_name, .. } => {
            format!("({json} ->> {})::{type_name}", literal(&c.name))
        }
        Origin::Owner => setting(OWNER, "text"),
    };
    list(plan.key_columns().map(part), ", ")
}

/// That the row has the key that is stored in `json`.
pub(super) fn key_is_row(plan: &TablePlan, json: &str) -> String {
    format!("({}) = ({})", key(plan), stored_key(plan, json))
}

/// That the row is the writer's.
pub(super) fn owned(plan: &TablePlan) -> String {
    match plan.owner_column().source_name() {
        Some(name) => format!("{}::text = {}", column("s", name), setting(OWNER, "text")),
        None => "true".to_owned(),
    }
}

/// Binds settings for the rest of the transaction.
pub(super) async fn bind(
    connection: &Connection,
    doing: &str,
    settings: &[(&'static str, String)],
) -> Result<()> {
    let (names, values): (Vec<&str>, Vec<&str>) =
        settings.iter().map(|(name, value)| (*name, &**value)).unzip();
    let params = [(&names as _, Type::TEXT_ARRAY), (&values as _, Type::TEXT_ARRAY)];
    connection.rows(doing, BIND, &params).await.map(drop)
}

const BIND: &str = "select set_config(s.name, s.value, true) \
                    from unnest($1::text[], $2::text[]) as s (name, value)";
