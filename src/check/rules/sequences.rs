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
/// The same below zero, where the desktop's identity moves up to whatever comes home above it.
const BEGINNINGS_BELOW: [i64; 2] = [-2_000_000_000, -1_000_000_000_000_000];
/// `smallint`, which has no room for both.
const SMALLINT: &str = "smallint";

/// What the desktop draws its keys from.
#[derive(Debug, Clone, Copy)]
pub(in crate::check) struct Own<'s> {
    pub(in crate::check) sequence: &'s Sequence,
    /// Whether every greater key that comes home moves it up to there, as SQL Server's do.
    pub(in crate::check) follows: bool,
}

/// What is to be said of the cloud's sequence of a table's key, beside the desktop's, if it has one.
pub(in crate::check) fn finding(
    plan: &TablePlan,
    (desktop, cloud): (Option<Own<'_>>, &Sequence),
    (desktop_counts, cloud_counts): (Option<Counts>, Option<Counts>),
) -> Finding {
    let follower = desktop.filter(|own| own.follows && own.sequence.ascends());
    let follows_at = follower.and_then(|own| own.sequence.next);
    let finding = match (cloud.next, follows_at) {
        (None, _) => unreadable(cloud),
        (Some(next), Some(own)) if next >= own => overtaken(cloud, next, own),
        (Some(next), _) => {
            let counts = [desktop_counts, cloud_counts].into_iter().flatten();
            let taken = counts.clone().filter_map(|c| c.taken).min_by_key(|key| key.abs_diff(next));
            let below = counts.filter_map(|c| c.below).max();
            let grows_at = grows_at(desktop.map(|own| own.sequence), cloud, below);
            judged(cloud, next, taken, (grows_at, follows_at))
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

/// Mobile keys above an identity that follows them: the desktop's next keys would be the cloud's.
fn overtaken(sequence: &Sequence, next: i64, own: i64) -> Finding {
    let name = &sequence.sequence;
    Finding::misfit(
        "sequence",
        format!(
            "{name} goes on at {next}, and the desktop's identity at {own}: SQL Server moves it up to \
             each key that comes home, and then both sides will make the same key"
        ),
        below(sequence, own),
    )
}

fn judged(
    sequence: &Sequence,
    next: i64,
    taken: Option<i64>,
    (grows_at, follows_at): (Option<i64>, Option<i64>),
) -> Finding {
    let name = &sequence.sequence;
    let apart = |sequence, greatest| match follows_at {
        Some(own) => below(sequence, own),
        None => apart(sequence, greatest),
    };
    // It ends before it comes to what lies beyond its last value.
    let comes_to = |key: &i64| !sequence.ascends() || *key <= sequence.last;
    let is_near = |key: &i64| key.abs_diff(next) < FREE_AHEAD.unsigned_abs() && comes_to(key);
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
            longer(sequence),
        );
    }
    let far = match grows_at {
        Some(key) => format!("far from the desktop's keys, which go on at {key}"),
        None => "far from the desktop's keys".to_owned(),
    };
    Finding::ok("sequence", format!("{name} goes on at {next}, {far}"))
}

/// How a sequence that ends soon gets more room.
fn longer(sequence: &Sequence) -> String {
    let (column, name) = (&sequence.column, &sequence.sequence);
    let (said, room) = match sequence.last < 0 {
        true => {
            let from = BEGINNINGS_BELOW[1];
            ("begin lower", format!("minvalue {from} restart with {from}"))
        }
        false => ("go further", format!("maxvalue {}", i64::MAX)),
    };
    format!(
        "Make {column} a bigint at both ends, and let {name} {said}: alter sequence {} as bigint \
         {room};",
        table(name)
    )
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

/// The same below the desktop's identity, which goes on at `own`: what comes home from there leaves it
/// where it is.
fn below(sequence: &Sequence, own: i64) -> String {
    let far = |from: &i64| own.saturating_sub(*from) >= FREE_AHEAD && *from >= sequence.least();
    match BEGINNINGS_BELOW.into_iter().find(far) {
        Some(from) if sequence.ascends() && sequence.column_type != SMALLINT => format!(
            "tidegate migrate --mobile-keys-from {from} gives mobile users a range below it, where \
             what comes home leaves it in its place."
        ),
        Some(_) => apart(sequence, Some(own)),
        None => format!(
            "There is no room below the desktop's keys: make {} a bigint at both ends, or a uuid.",
            sequence.column
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{plan, settings};
    use super::*;
    use crate::check::finding::Level;

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

    fn said((desktop, cloud): (Option<&Sequence>, &Sequence), numbers: [Option<i64>; 4]) -> String {
        let own = desktop.map(|sequence| Own { sequence, follows: false });
        words(&judged_beside((own, cloud), numbers))
    }

    fn words(found: &Finding) -> String {
        format!("{}: {}", found.message, found.remedy.clone().unwrap_or_default())
    }

    fn judged_beside(
        sequences: (Option<Own<'_>>, &Sequence),
        numbers: [Option<i64>; 4],
    ) -> Finding {
        let [below, taken, cloud_below, cloud_taken] = numbers;
        let counts = |below, taken| Some(Counts { below, taken, ..Counts::default() });
        let counts = (counts(below, taken), counts(cloud_below, cloud_taken));
        let plan = plan(23, &settings("jobs"));
        finding(&plan, sequences, counts)
    }

    #[test]
    fn an_identity_that_follows_what_comes_home_needs_mobile_keys_below_it() {
        let bigint = |next| sequence(Some(next), 1, "bigint", i64::MAX);
        let turns = |next| sequence(Some(next), 2, "integer", i32::MAX.into());
        let below = "--mobile-keys-from -2000000000 ";
        for (own, cloud, level, said) in [
            (integer(Some(1)), integer(Some(1)), Level::Failure, below),
            (integer(Some(1_000)), integer(Some(1_000_000_000)), Level::Failure, below),
            (bigint(1_000), bigint(1 << 62), Level::Failure, below),
            (turns(9), turns(1_000_000_000), Level::Failure, below),
            (
                integer(Some(-2_147_483_600)),
                integer(Some(1)),
                Level::Failure,
                "make id a bigint at both ends",
            ),
            (bigint(-2_147_483_600), bigint(1), Level::Failure, "from -1000000000000000 "),
            (integer(Some(1_000)), integer(Some(900)), Level::Warning, below),
            (integer(Some(1_000)), integer(Some(-2_000_000_000)), Level::Ok, "far from"),
            (
                integer(Some(1_000)),
                sequence(Some(-9), 1, "integer", -1),
                Level::Warning,
                "begin lower",
            ),
        ] {
            let beside = (Some(Own { sequence: &own, follows: true }), &cloud);
            let found = judged_beside(beside, [Some(999), None, None, None]);
            assert_eq!(found.level, level, "{found:?}");
            assert!(words(&found).contains(said), "{found:?}");
        }
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
