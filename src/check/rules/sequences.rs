//! Keys that the cloud draws from a sequence, and the desktop's keys beside them.

use crate::check::facts::{Counts, Sequence, Table};
use crate::check::finding::Finding;
use crate::error::End;
use crate::model::TablePlan;
use crate::sql::{ident, literal, table};

/// A sequence that is nearer than this to the desktop's keys will be met by them one day.
const DISTANCE_MIN: i64 = 1_000_000;
/// Where mobile keys may begin: the desktop has an integer's first billion for itself.
const MOBILE_KEYS_FROM: i64 = 1_000_000_000;
/// `smallint`, which has no room for both.
const SMALLINT: &str = "smallint";

/// What is to be said of the sequence of a table's key, if it has one.
pub(in crate::check) fn finding(
    plan: &TablePlan,
    role: &str,
    cloud: &Table,
    (desktop_counts, cloud_counts): (Option<Counts>, Option<Counts>),
) -> Option<Finding> {
    let mut key = plan.key_columns();
    let (column, None) = (key.next()?, key.next()) else { return None };
    let sequence = cloud.sequences.iter().find(|s| s.column == column.target && s.ascends)?;
    let finding = match sequence.next {
        None => unreadable(sequence, &column.target, role),
        Some(next) => {
            let greatest = |counts: Option<Counts>| counts.and_then(|c| c.greatest);
            let desktop = greatest(desktop_counts);
            let held = greatest(cloud_counts).max(desktop)?;
            if next <= held {
                will_collide(sequence, &column.target_type, (next, held))
            } else if desktop.is_some_and(|keys| next - keys < DISTANCE_MIN) {
                will_meet(sequence, &column.target_type, next)
            } else {
                Finding::ok(
                    "sequence",
                    format!("{} goes on at {next}, far from the desktop's keys", sequence.sequence),
                )
            }
        }
    };
    Some(finding.of(&plan.settings.cloud).at(End::Cloud))
}

fn unreadable(sequence: &Sequence, column: &str, role: &str) -> Finding {
    let name = &sequence.sequence;
    Finding::warning(
        "sequence",
        format!("{name} fills the key {column}, and this role can't see where it stands"),
        format!(
            "grant select on sequence {} to {}; and check again: mobile keys must not meet the \
             desktop's.",
            table(name),
            ident(role)
        ),
    )
}

fn will_collide(sequence: &Sequence, key_type: &str, (next, held): (i64, i64)) -> Finding {
    Finding::warning(
        "sequence",
        format!(
            "{} goes on at {next}, but keys up to {held} are taken: a mobile user's next row fails",
            sequence.sequence
        ),
        apart(sequence, key_type),
    )
}

fn will_meet(sequence: &Sequence, key_type: &str, next: i64) -> Finding {
    Finding::warning(
        "sequence",
        format!("{} goes on at {next}, where the desktop's keys will come", sequence.sequence),
        apart(sequence, key_type),
    )
}

fn apart(sequence: &Sequence, key_type: &str) -> String {
    if key_type == SMALLINT {
        return "Make the key an integer at both ends, or a uuid: a smallint has no room for two \
                ranges."
            .to_owned();
    }
    let name = literal(&table(&sequence.sequence));
    format!("select setval({name}, {MOBILE_KEYS_FROM}); gives mobile users a range of their own.")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{plan, settings, table as facts};
    use super::*;
    use crate::model::TableName;

    #[test]
    fn mobile_keys_have_to_keep_away_from_the_desktops() {
        let at = |next: Option<i64>| {
            let sequence = Sequence {
                column: "id".into(),
                sequence: TableName::new("public", "jobs_id_seq"),
                ascends: true,
                by_default: true,
                next,
            };
            Table { sequences: vec![sequence], ..facts() }
        };
        let upto = |greatest| Some(Counts { greatest, ..Counts::default() });
        let plan = plan(23, &settings("jobs"));
        for (next, desktop, cloud, expected) in [
            (Some(1), Some(10), Some(10), "keys up to 10 are taken"),
            (Some(10), Some(5), Some(10), "keys up to 10 are taken"),
            (Some(11), Some(10), Some(10), "where the desktop's keys will come"),
            (Some(1_000_000_001), Some(10), Some(10), "far from the desktop's keys"),
            (Some(20), None, Some(10), "far from the desktop's keys"),
            (None, Some(10), Some(10), "can't see where it stands"),
        ] {
            let found = finding(&plan, "r", &at(next), (upto(desktop), upto(cloud))).unwrap();
            assert!(found.message.contains(expected), "{next:?}: {found:?}");
        }
        assert!(finding(&plan, "r", &at(Some(1)), (upto(None), upto(None))).is_none());
        assert!(finding(&plan, "r", &facts(), (upto(Some(1)), None)).is_none());
    }
}
