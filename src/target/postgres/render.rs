//! From a plan to the slots of `sql/postgres/`. `s` is the stage, `t` the target, `v` the verdicts.

use crate::model::plan::{ColumnPlan, Passage};
use crate::model::policy::{Held, Incoming, Rule};
use crate::model::{TablePlan, Verdict};
use crate::sql::{column, ident, list, literal};
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
    list(plan.columns.iter().enumerate().map(definition), ", ")
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

/// The staged row's key as a JSON object, column → text: as it came, because it may be a value that
/// the target's type can't hold. Planning refuses keys that would look different once they were cast.
pub(super) fn key_json(plan: &TablePlan) -> String {
    json(plan.key_columns().map(|c| (c, column("s", &c.target))))
}

/// The staged row as a JSON object, column → text.
pub(super) fn staged_json(plan: &TablePlan) -> String {
    json(plan.columns.iter().map(|c| (c, staged(c))))
}

/// The staged row as a JSON object, column → text, as it came.
pub(super) fn raw_json(plan: &TablePlan) -> String {
    json(plan.columns.iter().map(|c| (c, column("s", &c.target))))
}

/// The target's row as a JSON object, column → text.
pub(super) fn target_json(plan: &TablePlan) -> String {
    json(plan.columns.iter().map(|c| (c, column("t", &c.target))))
}

/// An aggregate, because a function takes no more than 100 arguments and a table has 1,600 columns.
fn json<'c>(values: impl Iterator<Item = (&'c ColumnPlan, String)>) -> String {
    let pairs = values.map(|(c, value)| format!("({}, ({value})::text)", literal(&c.target)));
    format!(
        "(select jsonb_object_agg(j.name, j.value) from (values {}) as j (name, value))",
        list(pairs, ", ")
    )
}

/// The owner that the target's row has.
pub(super) fn held_owner(plan: &TablePlan) -> String {
    format!("{}::text", column("t", &plan.owner_column().target))
}

fn incoming_owner(plan: &TablePlan) -> String {
    format!("({})::text", staged(plan.owner_column()))
}

/// That the version of `theirs` is later than that of `ours`. A stamp that is missing is the
/// earliest; where no stamp travels, the owner wins.
pub(super) fn later(plan: &TablePlan, theirs: &str, ours: impl Fn(&str) -> String) -> String {
    if plan.stamps.target.is_empty() {
        return "false".to_owned();
    }
    let latest =
        |stamps: Vec<String>| format!("coalesce(greatest({}), '-infinity')", stamps.join(", "));
    let of_theirs = plan.stamps.target.iter().map(|name| column(theirs, name)).collect();
    let of_ours = plan.stamps.target.iter().map(|name| ours(name)).collect();
    format!("{} > {}", latest(of_theirs), latest(of_ours))
}

/// That the target holds what is staged, byte by byte: operators of the types would call 1.0 and
/// 1.00, or texts that a collation takes for equal, the same.
fn equal(plan: &TablePlan) -> String {
    let set_by_target = plan.stamps.updated_at.as_ref().filter(|_| plan.target_sets_stamp);
    let compared: Vec<&ColumnPlan> = plan
        .columns
        .iter()
        .enumerate()
        .filter(|(i, c)| !plan.key.contains(i) && Some(&c.target) != set_by_target)
        .map(|(_, c)| c)
        .collect();
    let held = list(compared.iter().map(|c| column("t", &c.target)), ", ");
    let incoming = list(compared.iter().map(|c| staged(c)), ", ");
    format!("row({held})::record *= row({incoming})::record")
}

/// The policy as a CASE over `s` and `t`; `$1` is the writer's mark and `$2` the other side's.
pub(super) fn verdict(plan: &TablePlan) -> String {
    let rules = plan.policy.rules.iter().map(|rule| when(plan, rule));
    format!("case {} end", list(rules, " "))
}

fn when(plan: &TablePlan, rule: &Rule) -> String {
    let incoming = incoming_owner(plan);
    let owner = held_owner(plan);
    let is_there = "t.xmin is not null";
    let staged_stamp =
        |name: &str| plan.columns.iter().find(|c| c.target == name).map(staged).unwrap_or_default();
    let comes = match rule.incoming {
        Incoming::Anyone => "true".to_owned(),
        Incoming::Writer => format!("{incoming} = $1"),
        Incoming::Other => format!("{incoming} = $2"),
        Incoming::Nobody => format!("coalesce({incoming} not in ($1, $2), true)"),
    };
    let meets = match rule.held {
        Held::Anything => "true".to_owned(),
        Held::Nothing => "t.xmin is null".to_owned(),
        Held::Equal => format!("{is_there} and {}", equal(plan)),
        Held::Others => format!("{owner} = $2"),
        Held::Nobodys => format!("{is_there} and coalesce({owner} not in ($1, $2), true)"),
        Held::WritersLater => format!("{owner} = $1 and {}", later(plan, "t", staged_stamp)),
        Held::Writers => format!("{owner} = $1"),
    };
    format!("when {comes} and {meets} then {}", literal(rule.verdict.word()))
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
