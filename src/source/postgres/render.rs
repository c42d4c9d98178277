//! From a plan and a selection to a COPY statement. A COPY takes no bound values, so they are
//! bound as settings of the transaction.

use crate::model::plan::{ColumnPlan, Origin, Passage, SourceStamp};
use crate::model::{Position, Selection, TablePlan};
use crate::sql::{Sql, column, list, literal, table};

/// The setting that holds the zone of stamps without one.
const ZONE: &str = "tidegate.zone";
/// The setting that holds the writer's mark.
const OWNER: &str = "tidegate.owner";
/// The setting that holds the watermark.
pub(super) const WATERMARK: &str = "tidegate.watermark";
/// The setting that holds the key to go on after, or a list of keys.
const KEYS: &str = "tidegate.keys";

/// A COPY and the values of the settings that it looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// Asks whether the table is still as it was planned.
    pub(super) unaltered: String,
    pub(super) copy: String,
    pub(super) settings: Vec<(&'static str, String)>,
}

/// The COPY that reads `selection`.
pub(super) fn reading(sql: &Sql, plan: &TablePlan, selection: Selection<'_>) -> Reading {
    let mut settings = settings(plan);
    let mut slots = vec![
        ("columns", list(plan.columns.iter().map(value), ", ")),
        ("stamp", stamp(plan)),
        ("source", table(&plan.source)),
        (
            "key",
            list(
                plan.key_columns().filter_map(ColumnPlan::source_name).map(|n| column("s", n)),
                ", ",
            ),
        ),
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
        Selection::Since(Position { watermark: None, .. }) | Selection::All => {
            "postgres/read_all.sql"
        }
        Selection::Keys(awaited) => {
            let keys = awaited.iter().map(|a| {
                let key: serde_json::Value = serde_json::from_str(&a.key).unwrap_or_default();
                serde_json::json!({ "key": key, "once_owned": a.once_owned })
            });
            settings.push((KEYS, serde_json::Value::from_iter(keys).to_string()));
            slots.push(("key_is_row", key_is_row(plan)));
            slots.push(("owned", owned(plan)));
            "postgres/read_keys.sql"
        }
    };
    let slots: Vec<(&str, &str)> = slots.iter().map(|(name, text)| (*name, &**text)).collect();
    Reading { unaltered: unaltered(sql, plan), copy: sql.render(statement, &slots), settings }
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
        (Origin::Column { name, .. }, Passage::Zoned) => at_zone(name),
    }
}

fn at_zone(name: &str) -> String {
    format!("({} at time zone {})", column("s", name), setting(ZONE, "text"))
}

fn stamp_column(stamp: &SourceStamp) -> String {
    match stamp.zoneless {
        true => at_zone(&stamp.name),
        false => column("s", &stamp.name),
    }
}

/// When the row was changed last. GREATEST leaves nulls out.
pub(super) fn stamp(plan: &TablePlan) -> String {
    format!("greatest({})", list(plan.stamps.source.iter().map(stamp_column), ", "))
}

/// One condition for each stamp, so that each can use its own index.
fn changed_since(plan: &TablePlan) -> String {
    let since =
        |s: &SourceStamp| format!("{} >= {}", stamp_column(s), setting(WATERMARK, "timestamptz"));
    list(plan.stamps.source.iter().map(since), " or ")
}

/// The columns of a key that is kept as a JSON object, in the source's types.
fn stored_key(plan: &TablePlan, json: &str) -> String {
    let part = |c: &ColumnPlan| match &c.origin {
        Origin::Column { .. } if c.passage == Passage::Zoned => format!(
            "(({json} ->> {})::{} at time zone {})",
            literal(&c.target),
            c.target_type,
            setting(ZONE, "text")
        ),
        Origin::Column { type_name, .. } => {
            format!("({json} ->> {})::{type_name}", literal(&c.target))
        }
        Origin::Owner => setting(OWNER, "text"),
    };
    list(plan.key_columns().map(part), ", ")
}

fn key_is_row(plan: &TablePlan) -> String {
    let names = plan.key_columns().filter_map(ColumnPlan::source_name).map(|n| column("s", n));
    format!("({}) = ({})", list(names, ", "), stored_key(plan, "k.key"))
}

/// That the row is the writer's.
fn owned(plan: &TablePlan) -> String {
    match plan.owner_column().source_name() {
        Some(name) => format!("{}::text = {}", column("s", name), setting(OWNER, "text")),
        None => "true".to_owned(),
    }
}

/// The statement that binds one setting for the rest of the transaction.
pub(super) const BIND: &str = "select set_config($1, $2, true)";
