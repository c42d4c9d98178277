//! The policy of a direction as SQL: a CASE over the staged row `s`, the target's `t` and what the log
//! says of it, `l`. It gives the number of the rule that decides, from 1.
//!
//! In all of it `$1` is the writer's mark and `$2` the other side's, `$3` and `$4` are how far the other
//! direction had come (watermark and after), and `$5` are the keys that it could not write yet.

use crate::model::plan::{ColumnPlan, Direction, Evidence, Note, Stamp};
use crate::model::policy::{Edited, Held, Incoming, Rule};
use crate::model::{Carried, TablePlan};
use crate::sql::{Sql, column, digest, list, literal, log, table};

use super::render::{self, held_owner, key_json, staged, staged_owner};

/// What the statements with a policy are bound to.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) watermark: Option<String>,
    pub(super) after: Option<String>,
    pub(super) held_back: Vec<String>,
}

impl From<&Carried> for Known {
    fn from(carried: &Carried) -> Self {
        let position = carried.position.clone().unwrap_or_default();
        let held_back = carried.held_back.clone();
        Self { watermark: position.watermark, after: position.after, held_back }
    }
}

/// The number of the rule that decides.
pub(super) fn rule(plan: &TablePlan, store: &str) -> String {
    let rules = plan.policy.rules.iter().zip(1..);
    let when = |(rule, number): (&Rule, usize)| when(plan, store, rule, number);
    format!("case {} end", list(rules.map(when), " "))
}

/// The verdicts of the rules as an array: the rule's number is its index.
pub(super) fn verdicts(plan: &TablePlan) -> String {
    let words = plan.policy.rules.iter().map(|rule| literal(rule.verdict.word()));
    format!("(array[{}])", list(words, ", "))
}

/// That both sides have changed a row of the verdicts `v`.
pub(super) fn is_contested(plan: &TablePlan) -> String {
    let numbers: Vec<String> = plan.policy.contested().map(|n| n.to_string()).collect();
    match numbers.is_empty() {
        true => "false".to_owned(),
        // A row that was set aside was not judged.
        false => format!("coalesce(v.rule in ({}), false)", numbers.join(", ")),
    }
}

/// What a withheld row was before the changes that are pending, added to where the table stood.
pub(super) fn kept_bases(plan: &TablePlan) -> String {
    match plan.has_note(Note::Bases) {
        true => format!(
            " || jsonb_build_object('bases', coalesce(to_jsonb(s.{}), '[]'))",
            Note::Bases.name()
        ),
        false => String::new(),
    }
}

/// That a user's change of a row is pending, as its verdict knows.
pub(super) fn is_pending(plan: &TablePlan) -> &'static str {
    match by_log(plan) {
        true => "coalesce(l.pending, false)",
        false => "false",
    }
}

/// What the policy has to look up beside the row of the target: a lateral join.
pub(super) fn lookups(sql: &Sql, plan: &TablePlan, store: &str) -> String {
    if !by_log(plan) {
        return String::new();
    }
    let old = digest::of_target(plan, "b");
    let mut was_staged = format!("{old} = {}", staged_digest(plan));
    if plan.has_note(Note::Counterpart) {
        was_staged += &format!(" or {old} = s.{}", Note::Counterpart.name());
    }
    if plan.target_remakes {
        was_staged += &format!(" or {}", stands_for(plan, store, &staged_digest(plan), &old));
    }
    let old_owner = held_owner_of(plan, "b");
    let stamp = plan.stamps.mobile.as_ref().map(|stamp| stamp_of(plan, stamp, "b"));
    sql.render(
        "postgres/log_of_row.sql",
        &[
            ("store", store),
            ("label", &literal(&plan.label())),
            ("is_row", &entry_is_row(plan)),
            ("beyond", &log::beyond("c", "$3::text", "$4::text")),
            ("target", &table(&plan.target)),
            ("was_staged", &was_staged),
            ("stamp_before", stamp.as_deref().unwrap_or("null::timestamptz")),
            ("old_owner", &old_owner),
        ],
    )
}

/// That the entry `c` of the log is about the staged row. Keys of most types look the same wherever
/// they are written as text, so that the index over whole keys finds them; others are compared as
/// what they are.
fn entry_is_row(plan: &TablePlan) -> String {
    if render::has_plain_key(plan) && !plan.key_columns().any(|c| c.bare_type == "numeric") {
        let key = key_json(plan);
        return format!(
            "jsonb_hash_extended(c.key, 0) = jsonb_hash_extended({key}, 0) and c.key = {key}"
        );
    }
    let same = |c: &ColumnPlan| {
        format!("(c.key ->> {})::{} = {}", literal(&c.name), c.target_type, staged(c))
    };
    list(plan.key_columns().map(same), " and ")
}

/// Forward has to ask the log; what reverse reads comes with what the log says.
fn by_log(plan: &TablePlan) -> bool {
    plan.evidence == Evidence::Log && plan.direction == Direction::Forward
}

fn when(plan: &TablePlan, store: &str, rule: &Rule, number: usize) -> String {
    let (incoming, owner) = (staged_owner(plan), held_owner(plan));
    let is_there = "t.xmin is not null";
    let comes = match rule.incoming {
        Incoming::Anyone => "true".to_owned(),
        Incoming::Writer => format!("{incoming} = $1"),
        Incoming::Other => format!("{incoming} = $2"),
        Incoming::Nobody => format!("coalesce({incoming} not in ($1, $2), true)"),
    };
    let meets = match rule.held {
        Held::Anything => "true".to_owned(),
        Held::Nothing => "t.xmin is null".to_owned(),
        Held::Equal => format!("{is_there} and ({})", equal(plan, store)),
        Held::Writers => format!("{owner} = $1"),
        Held::Others => format!("{owner} = $2"),
        Held::Nobodys => format!("{is_there} and coalesce({owner} not in ($1, $2), true)"),
    };
    let edited = match plan.evidence {
        Evidence::Stamps => by_stamps(plan, rule.edited),
        Evidence::Log if plan.direction == Direction::Forward => by_entries(plan, rule.edited),
        Evidence::Log => by_notes(plan, store, rule.edited),
    };
    format!("when {comes} and {meets} and {edited} then {number}")
}

/// Who edited, where only stamps can tell.
fn by_stamps(plan: &TablePlan, edited: Edited) -> String {
    match edited {
        Edited::Held | Edited::HeldUnlogged | Edited::BothHeldWins => later(plan),
        Edited::Deleted => "false".to_owned(),
        Edited::Any | Edited::Incoming | Edited::BothIncomingWins => "true".to_owned(),
    }
}

/// Who edited, by the entries of the cloud, which is written. What the other direction could not
/// write yet is pending, though its position has passed it.
fn by_entries(plan: &TablePlan, edited: Edited) -> String {
    match edited {
        Edited::Any | Edited::Incoming => "true".to_owned(),
        Edited::Held => format!(
            "(l.pending and l.was_staged or cardinality($5::text[]) > 0 and {}::text = any ($5::text[]))",
            key_json(plan)
        ),
        Edited::BothHeldWins => {
            let mobile = edited_at(plan);
            format!("l.pending and {}", later_than(&mobile, "s._tidegate_stamp"))
        }
        Edited::BothIncomingWins => "l.pending".to_owned(),
        // Once reverse has run, it has brought home what there was before the log.
        Edited::HeldUnlogged => format!(
            "$3::text is null and {} and {} <= l.installed_at",
            later(plan),
            held_stamp(plan)
        ),
        Edited::Deleted => "l.deleted".to_owned(),
    }
}

/// Who edited, by what the cloud, which is read, says of the row.
fn by_notes(plan: &TablePlan, store: &str, edited: Edited) -> String {
    let held = digest::of_target(plan, "t");
    let bases = format!("s.{}", Note::Bases.name());
    let among = |bases: &str| match plan.target_remakes {
        true => format!("{held} = any ({bases}) or {}", kept_of(plan, store, &held, bases)),
        false => format!("{held} = any ({bases})"),
    };
    let is_base = format!("{} or {}", among(&bases), among(&bases_of_withheld(plan, store)));
    let by_mobile = format!("s.{}", Note::Edited.name());
    match edited {
        Edited::Any | Edited::Held | Edited::HeldUnlogged => "true".to_owned(),
        Edited::Incoming => format!("{by_mobile} and coalesce({is_base}, false)"),
        Edited::BothIncomingWins => {
            let stamps = later_than("s._tidegate_stamp", &held_stamp(plan));
            format!("{by_mobile} and {stamps}")
        }
        Edited::BothHeldWins => by_mobile,
        // An edit that is on record: what may have been one before that is none of a row that is gone.
        Edited::Deleted => format!("{bases} is not null"),
    }
}

/// What a row that was withheld was before the changes that are pending since.
fn bases_of_withheld(plan: &TablePlan, store: &str) -> String {
    let (label, direction) = (literal(&plan.label()), literal(plan.direction.word()));
    let key = key_json(plan);
    format!(
        "array(select jsonb_array_elements_text(w.since -> 'bases') from {store}._sync_withheld w \
         where w.table_name = {label} and w.direction = {direction} and w.key = {key})"
    )
}

/// That the moment `mobile` is the later one. Where one of the two says nothing, the owner wins,
/// which is the desktop.
fn later_than(mobile: &str, desktop: &str) -> String {
    format!("coalesce({mobile} > {desktop} and isfinite({mobile}) and isfinite({desktop}), false)")
}

/// When the mobile user edited the target's row: its own stamp, if the edit set that, otherwise by
/// the log's clock.
fn edited_at(plan: &TablePlan) -> String {
    let set = plan.stamps.mobile.as_ref().map(|stamp| stamp_of(plan, stamp, "t"));
    match set {
        Some(set) => {
            format!(
                "coalesce(case when {set} is distinct from l.stamp_before then {set} end, l.changed_at)"
            )
        }
        None => "l.changed_at".to_owned(),
    }
}

fn held_stamp(plan: &TablePlan) -> String {
    let stamps = plan.stamps.held.iter().map(|stamp| stamp_of(plan, stamp, "t"));
    match plan.stamps.held.is_empty() {
        true => "null::timestamptz".to_owned(),
        false => format!("greatest({})", list(stamps, ", ")),
    }
}

fn stamp_of(plan: &TablePlan, stamp: &Stamp, alias: &str) -> String {
    match (stamp.zoneless, &plan.settings.assume_timezone) {
        (true, Some(zone)) => {
            format!("({} at time zone {})", column(alias, &stamp.name), literal(zone))
        }
        _ => column(alias, &stamp.name),
    }
}

fn held_owner_of(plan: &TablePlan, alias: &str) -> String {
    format!("{}::text", column(alias, &plan.owner_column().target))
}

/// That the target's version is later than the staged one, by the stamps that both carry. A stamp
/// that is missing is the earliest; where they are the same, or none travels, the desktop's is taken
/// for the later one, as the owner's.
fn later(plan: &TablePlan) -> String {
    let (operator, untold) = match plan.direction {
        Direction::Forward => (">", "false"),
        Direction::Reverse => (">=", "true"),
    };
    if plan.stamps.target.is_empty() {
        return untold.to_owned();
    }
    let latest =
        |stamps: Vec<String>| format!("coalesce(greatest({}), '-infinity')", stamps.join(", "));
    let staged_stamp = |name: &String| {
        plan.columns.iter().find(|c| c.target == *name).map(staged).unwrap_or_default()
    };
    let held = plan.stamps.target.iter().map(|name| column("t", name)).collect();
    let incoming = plan.stamps.target.iter().map(staged_stamp).collect();
    format!("{} {operator} {}", latest(held), latest(incoming))
}

/// That the target holds what is staged, byte by byte: operators of the types would call 1.0 and
/// 1.00, or texts that a collation takes for equal, the same. Or that the two are what triggers of
/// one end made of the version at the other.
fn equal(plan: &TablePlan, store: &str) -> String {
    let remade = plan.target_remakes || plan.has_note(Note::Counterpart);
    let set_by_either = plan.stamps.updated_at.as_ref().filter(|_| remade);
    let compared: Vec<&ColumnPlan> = plan
        .columns
        .iter()
        .enumerate()
        .filter(|(i, c)| !plan.key.contains(i) && Some(&c.target) != set_by_either)
        .map(|(_, c)| c)
        .collect();
    let held = list(compared.iter().map(|c| column("t", &c.target)), ", ");
    let incoming = list(compared.iter().map(|c| staged(c)), ", ");
    let mut equal = format!("row({held})::record *= row({incoming})::record");
    let digest = digest::of_target(plan, "t");
    if plan.has_note(Note::Counterpart) {
        equal += &format!(" or coalesce({digest} = s.{}, false)", Note::Counterpart.name());
    }
    if plan.target_remakes {
        equal += &format!(" or {}", stands_for(plan, store, &staged_digest(plan), &digest));
    }
    if plan.has_note(Note::Bases) {
        // Without an edit on record, another stamp alone is none.
        let bases = Note::Bases.name();
        equal += &format!(" or s.{bases} is null and {digest} = {}", staged_digest(plan));
    }
    equal
}

/// The digest of the staged row.
pub(super) fn staged_digest(plan: &TablePlan) -> String {
    digest::of_staged(plan, staged)
}

/// That triggers of the target made the version `kept` of the version `sent`.
fn stands_for(plan: &TablePlan, store: &str, sent: &str, kept: &str) -> String {
    images(plan, store, &format!("i.sent = {sent} and i.kept = {kept}"))
}

/// That triggers of the target made the version `kept` of one of the versions `sent`.
fn kept_of(plan: &TablePlan, store: &str, kept: &str, sent: &str) -> String {
    images(plan, store, &format!("i.sent = any ({sent}) and i.kept = {kept}"))
}

fn images(plan: &TablePlan, store: &str, condition: &str) -> String {
    let (label, key) = (literal(&plan.label()), render::key_json(plan));
    format!(
        "exists (select from {store}._sync_images i where i.table_name = {label} and i.key = {key} and {condition})"
    )
}
