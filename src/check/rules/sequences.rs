//! Keys that the cloud draws from a sequence, and the desktop's keys beside them.

use crate::check::facts::Counts;
use crate::check::finding::Finding;
use crate::db::postgres::sequences::{FREE_AHEAD, Sequence};
use crate::error::End;
use crate::model::TablePlan;
use crate::sql::table;

/// Where mobile keys may begin: the first that is far from the desktop's keys, so that it has what is
/// below for itself.
const BEGINNINGS: [i64; 5] =
    [1_000_000_000, 2_000_000_000, 1_000_000_000_000, 1_000_000_000_000_000, 1 << 62];
/// `smallint`, which has no room for both.
const SMALLINT: &str = "smallint";

/// What is to be said of the cloud's sequence of a table's key, beside the desktop's, if it has one.
pub(in crate::check) fn finding(
    plan: &TablePlan,
    (desktop, cloud): (Option<&Sequence>, &Sequence),
    (desktop_counts, cloud_counts): (Option<Counts>, Option<Counts>),
) -> Finding {
    let finding = match cloud.next {
        None => unreadable(cloud),
        Some(next) => {
            let counts = [desktop_counts, cloud_counts].into_iter().flatten();
            let taken = counts.clone().filter_map(|c| c.taken).min_by_key(|key| key.abs_diff(next));
            let below = counts.filter_map(|c| c.below).max();
            judged(cloud, next, taken, grows_at(desktop, cloud, below))
        }
    };
    finding.of(&plan.settings.cloud).at(End::Cloud)
}

/// The key that the desktop makes next, as far as is known: an application may as well take the
/// greatest key and one more. None if both sides' sequences step over each other's keys.
fn grows_at(desktop: Option<&Sequence>, cloud: &Sequence, below: Option<i64>) -> Option<i64> {
    let desktop = desktop.filter(|s| s.ascends());
    let own = desktop.and_then(|s| s.next);
    let takes_turns = |own: i64| {
        let between = cloud.next.map_or(0, |next| own.wrapping_sub(next));
        desktop.is_some_and(|s| s.step == cloud.step) && between.wrapping_rem(cloud.step) != 0
    };
    if own.is_some_and(takes_turns) {
        return None;
    }
    own.max(below.map(|key| key.saturating_add(1)))
}

fn judged(sequence: &Sequence, next: i64, taken: Option<i64>, grows_at: Option<i64>) -> Finding {
    let name = &sequence.sequence;
    let is_near = |key: &i64| key.abs_diff(next) < FREE_AHEAD.unsigned_abs();
    let greatest = taken.max(grows_at);
    if let Some(key) = taken.filter(is_near) {
        let message = if key == next {
            format!("{name} goes on at {next}, which is taken: a mobile user's next row fails")
        } else {
            format!("{name} goes on at {next}, and {key} is taken: a mobile user's row will fail")
        };
        return Finding::warning("sequence", message, apart(sequence, greatest));
    }
    if let Some(key) = grows_at.filter(|key| is_near(key) && (sequence.ascends() || *key <= next)) {
        let message = format!(
            "{name} goes on at {next}, and the desktop's keys at {key}: they will meet, and both \
             sides will make the same key"
        );
        return Finding::warning("sequence", message, apart(sequence, greatest));
    }
    let left = sequence.left(next);
    if sequence.ascends() && left < FREE_AHEAD && sequence.column_type != SMALLINT {
        return Finding::warning(
            "sequence",
            format!("{name} goes on at {next} and ends at {}: {left} keys are left", sequence.last),
            format!(
                "Make {} a bigint at both ends, and let {name} go further: alter sequence {} as \
                 bigint maxvalue {};",
                sequence.column,
                table(name),
                i64::MAX
            ),
        );
    }
    let far = match grows_at {
        Some(key) => format!("far from the desktop's keys, which go on at {key}"),
        None => "far from the desktop's keys".to_owned(),
    };
    Finding::ok("sequence", format!("{name} goes on at {next}, {far}"))
}

fn unreadable(sequence: &Sequence) -> Finding {
    Finding::warning(
        "sequence",
        format!(
            "{} fills the key {}, and this role can't see where it stands",
            sequence.sequence, sequence.column
        ),
        format!(
            "{} and check again: mobile keys must not meet the desktop's.",
            sequence.missing_grants().unwrap_or_default()
        ),
    )
}

/// How mobile users get a range of their own, above `greatest` of the desktop's keys.
fn apart(sequence: &Sequence, greatest: Option<i64>) -> String {
    let far = |from: &i64| {
        let is_above = greatest.is_none_or(|key| from.saturating_sub(key) >= FREE_AHEAD);
        is_above
            && sequence.next.is_none_or(|next| next < *from)
            && sequence.left(*from) >= FREE_AHEAD
    };
    match BEGINNINGS.into_iter().find(far) {
        _ if sequence.column_type == SMALLINT => {
            "Make the key an integer at both ends, or a uuid: a smallint has no room for two ranges."
                .to_owned()
        }
        Some(_) if !sequence.ascends() => format!(
            "Let it count up (alter sequence {} increment 1 …) in a range of its own.",
            table(&sequence.sequence)
        ),
        Some(from) => format!(
            "tidegate migrate --mobile-keys-from {from} gives mobile users a range of their own."
        ),
        None => format!(
            "There is no room for a range of their own above: make {} a bigint at both ends (and its \
             sequence, if it ends at {}), or a uuid.",
            sequence.column, sequence.last
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{plan, settings};
    use super::*;

    fn sequence(next: Option<i64>, step: i64, column_type: &str, last: i64) -> Sequence {
        let json = serde_json::json!({
            "table": { "schema": "public", "name": "jobs" }, "column": "id", "type": column_type,
            "key": ["id"], "sequence": { "schema": "public", "name": "jobs_id_seq" }, "step": step,
            "by_default": true, "last": last, "readable": next.is_some(), "movable": true,
            "role": "r",
        });
        Sequence { next, ..serde_json::from_value(json).unwrap() }
    }

    fn integer(next: Option<i64>) -> Sequence {
        sequence(next, 1, "integer", i32::MAX.into())
    }

    fn said(sequences: (Option<&Sequence>, &Sequence), numbers: [Option<i64>; 4]) -> String {
        let [below, taken, cloud_below, cloud_taken] = numbers;
        let counts = |below, taken| Some(Counts { below, taken, ..Counts::default() });
        let counts = (counts(below, taken), counts(cloud_below, cloud_taken));
        let plan = plan(23, &settings("jobs"));
        let found = finding(&plan, sequences, counts);
        format!("{}: {}", found.message, found.remedy.unwrap_or_default())
    }

    #[test]
    fn mobile_keys_have_to_keep_away_from_the_desktops() {
        let from = |n: i64| format!("--mobile-keys-from {n} ");
        for (next, numbers, message, remedy) in [
            (Some(1), [None, Some(1), None, Some(1)], "which is taken", from(1_000_000_000)),
            (Some(5), [Some(3), Some(9), None, Some(7)], "5, and 7 is taken", from(1_000_000_000)),
            (Some(11), [Some(10), None, Some(10), None], "keys at 11: they", from(1_000_000_000)),
            (
                Some(1_200_000_000),
                [Some(1_199_999_998), None, None, None],
                "1199999999: they",
                from(2_000_000_000),
            ),
            (
                Some(2_100_000_000),
                [Some(2_099_999_998), None, None, None],
                "they",
                "bigint at both ends".into(),
            ),
            (
                Some(2_147_400_000),
                [Some(9), None, None, None],
                "83648 keys are left",
                "as bigint".into(),
            ),
            (Some(1_000_000_001), [Some(10), None, Some(10), None], "go on at 11", String::new()),
            (
                Some(1_000_000),
                [Some(10), Some(2_000_000), None, None],
                "go on at 11",
                String::new(),
            ),
            (Some(20), [None, None, None, None], "far from", String::new()),
            (
                None,
                [Some(10), None, None, None],
                "can't see where",
                "grant select, update on".into(),
            ),
        ] {
            let said = said((None, &integer(next)), numbers);
            assert!(said.contains(message) && said.contains(&remedy), "{next:?}: {said}");
        }
    }

    #[test]
    fn the_desktops_own_sequence_tells_where_its_keys_will_come() {
        let ours = integer(Some(1));
        let both = said((Some(&integer(Some(1))), &ours), [None; 4]);
        assert!(
            both.contains("goes on at 1, and the desktop's keys at 1: they will meet"),
            "{both}"
        );
        let far = said((Some(&integer(Some(5_000_000))), &ours), [None; 4]);
        assert!(far.contains("go on at 5000000"), "{far}");
        let odd = |next| sequence(Some(next), 2, "integer", i32::MAX.into());
        let turns = said((Some(&odd(8)), &odd(7)), [Some(6), None, None, None]);
        assert!(turns.contains("far from"), "{turns}");
        let same = said((Some(&odd(9)), &odd(7)), [Some(6), None, None, None]);
        assert!(same.contains("they will meet"), "{same}");
    }

    #[test]
    fn a_smallint_and_a_sequence_that_counts_down() {
        let small = sequence(Some(4), 1, "smallint", i16::MAX.into());
        let said_small = said((None, &small), [Some(3), None, None, None]);
        assert!(said_small.contains("a smallint has no room for two ranges"), "{said_small}");
        let down = sequence(Some(-5), -1, "integer", i32::MAX.into());
        let own = integer(Some(1));
        assert!(said((Some(&own), &down), [None; 4]).contains("far from the desktop's keys"));
        let met = said((None, &down), [None, Some(-9), None, None]);
        assert!(met.contains("-5, and -9 is taken") && met.contains("increment 1"), "{met}");
    }
}
