//! From a plan to the slots of `sql/postgres/`. `s` is the stage, `t` the target, `v` the verdicts.

use crate::model::plan::{ColumnPlan, Note, Passage};
use crate::model::{TablePlan, Verdict};
use crate::sql::{column, ident, json_object, list, literal};
use crate::target::Staging;

/// The column's value as staged, in the target's type.
pub(super) fn staged(c: &ColumnPlan) -> String {
    staged_as("s", c)
}

/// The same, where the stage goes by the name `alias`.
pub(super) fn staged_as(alias: &str, c: &ColumnPlan) -> String {
    match c.passage {
        Passage::Straight | Passage::Zoned => column(alias, &c.target),
        Passage::Text => format!("{}::{}", column(alias, &c.target), c.target_type),
    }
}

/// The columns of the stage, with their types. Any binary COPY can be read as bytea.
pub(super) fn definitions(plan: &TablePlan, staging: Staging) -> String {
    let definition = |(i, c): (usize, &ColumnPlan)| {
        let type_name = match c.passage {
            _ if staging == Staging::Raw && !plan.key.contains(&i) => "bytea",
            Passage::Straight | Passage::Zoned => &c.target_type,
            Passage::Text => "text",
        };
        format!("{} {type_name}", ident(&c.target))
    };
    let note = |note: &Note| format!("{} {}", note.name(), note.type_name());
    let columns = plan.columns.iter().enumerate().map(definition);
    list(columns.chain(plan.notes.iter().map(note)), ", ")
}

/// The columns of the stage, in the order of [`definitions`].
pub(super) fn stage_columns(plan: &TablePlan) -> String {
    let notes = plan.notes.iter().map(|note| note.name().to_owned());
    list(plan.columns.iter().map(|c| ident(&c.target)).chain(notes), ", ")
}

/// The names of the columns that travel.
pub(super) fn columns(plan: &TablePlan) -> String {
    list(plan.columns.iter().map(|c| ident(&c.target)), ", ")
}

/// The staged values of the columns that travel, as they are to be written.
pub(super) fn values(plan: &TablePlan) -> String {
    let value = |c: &ColumnPlan| match c.passage {
        Passage::Straight | Passage::Zoned => staged(c),
        Passage::Text => format!("{}::{}", column("s", &c.target), c.bare_type),
    };
    list(plan.columns.iter().map(value), ", ")
}

/// The key's columns of the target, each with `alias`.
pub(super) fn key(plan: &TablePlan, alias: &str) -> String {
    list(plan.key_columns().map(|c| column(alias, &c.target)), ", ")
}

/// The key's columns without an alias.
pub(super) fn bare_key(plan: &TablePlan) -> String {
    list(plan.key_columns().map(|c| ident(&c.target)), ", ")
}

/// The key's columns as `k1`, `k2` …: names that no table of an office gets in the way of.
pub(super) fn named_key(plan: &TablePlan, value: impl Fn(&ColumnPlan) -> String) -> String {
    let named = |(i, c): (usize, &ColumnPlan)| format!("{} as k{}", value(c), i + 1);
    list(plan.key_columns().enumerate().map(named), ", ")
}

/// `alias.k1, alias.k2` …
pub(super) fn key_numbers(plan: &TablePlan, alias: &str) -> String {
    list((1..=plan.key.len()).map(|i| format!("{alias}.k{i}")), ", ")
}

/// That the row of `alias`, which names its key `k1`, `k2` …, has the key `value`.
pub(super) fn same_key(
    plan: &TablePlan,
    alias: &str,
    value: impl Fn(usize, &ColumnPlan) -> String,
) -> String {
    let same = |(i, c): (usize, &ColumnPlan)| format!("{alias}.k{} = {}", i + 1, value(i, c));
    list(plan.key_columns().enumerate().map(same), " and ")
}

/// That a row of the target has the staged row's key.
pub(super) fn target_is_staged(plan: &TablePlan) -> String {
    let same = |c: &ColumnPlan| format!("{} = {}", column("t", &c.target), staged(c));
    list(plan.key_columns().map(same), " and ")
}

/// That a verdict is about the target's row.
pub(super) fn verdict_is_target(plan: &TablePlan) -> String {
    same_key(plan, "v", |_, c| column("t", &c.target))
}

/// The staged row's key as a JSON object, column of the cloud → text: as it came, because it may be a value that
/// the target's type can't hold. Planning refuses keys that would look different once they were cast.
pub(super) fn key_json(plan: &TablePlan) -> String {
    json_object(plan.key_columns().map(|c| (&*c.name, column("s", &c.target))))
}

/// Whether the key looks the same as text whatever the session's settings are.
pub(super) fn has_plain_key(plan: &TablePlan) -> bool {
    const PLAIN: [&str; 8] = [
        "integer",
        "bigint",
        "smallint",
        "numeric",
        "text",
        "character varying",
        "uuid",
        "boolean",
    ];
    plan.key_columns().all(|c| PLAIN.contains(&c.bare_type.as_str()))
}

/// The staged row as a JSON object, column → text.
pub(super) fn staged_json(plan: &TablePlan) -> String {
    json_object(plan.columns.iter().map(|c| (&*c.name, staged(c))))
}

/// The staged row as a JSON object, column → text, as it came.
pub(super) fn raw_json(plan: &TablePlan) -> String {
    json_object(plan.columns.iter().map(|c| (&*c.name, column("s", &c.target))))
}

/// The target's row as a JSON object, column → text.
pub(super) fn target_json(plan: &TablePlan) -> String {
    json_object(plan.columns.iter().map(|c| (&*c.name, column("t", &c.target))))
}

/// The owner that the target's row has.
pub(super) fn held_owner(plan: &TablePlan) -> String {
    format!("{}::text", column("t", &plan.owner_column().target))
}

/// The owner that the staged row says it has.
pub(super) fn staged_owner(plan: &TablePlan) -> String {
    format!("({})::text", staged(plan.owner_column()))
}

/// The words of rows that are, or will be, in the target.
pub(super) fn arrived() -> String {
    list([Verdict::Insert, Verdict::Update, Verdict::Unchanged].map(|v| literal(v.word())), ", ")
}

/// The update's assignments. A table of nothing but its key is set to what it is.
pub(super) fn assignments(plan: &TablePlan) -> String {
    let set = |c: &ColumnPlan| format!("{0} = excluded.{0}", ident(&c.target));
    let mut assignments: Vec<String> = plan.settable().map(set).collect();
    if assignments.is_empty() {
        assignments.extend(plan.key_columns().take(1).map(set));
    }
    assignments.join(", ")
}

/// `overriding system value` where the target has a GENERATED ALWAYS identity.
pub(super) fn overriding(plan: &TablePlan) -> &'static str {
    match plan.columns.iter().any(|c| c.identity_always) {
        true => "overriding system value",
        false => "",
    }
}
