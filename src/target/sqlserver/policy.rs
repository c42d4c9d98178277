//! The policy of a direction, decided in Rust, row by row: as `target/postgres/policy.rs` has it
//! decided in SQL. Only reverse writes a SQL Server.

use crate::model::plan::Evidence;
use crate::model::policy::{Edited, Held, Incoming, Policy, Rule};

/// Whom a row says it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The side that this direction writes for.
    Writer,
    /// The other side.
    Other,
    /// NULL, or a mark that is neither.
    Nobody,
}

/// A staged row and what it meets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meeting {
    /// Whose the staged row is.
    pub(super) incoming: Side,
    /// Whose the row is that is there, if one is.
    pub(super) held: Option<Side>,
    /// Whether the two are the same version.
    pub(super) equal: bool,
    /// Whether the one that is there has the later stamp, or the same.
    pub(super) held_is_later: bool,
    /// Whether a user changed the staged row since the position.
    pub(super) edited: bool,
    /// Whether the one that is there is what the staged one was before that.
    pub(super) is_base: bool,
    /// Whether the change of the staged row is known to be later than the one that is there.
    pub(super) edited_later: bool,
    /// Whether a change of the staged row is on record.
    pub(super) is_on_record: bool,
}

/// The number, from 1, of the rule that decides.
pub(super) fn decide(policy: Policy, evidence: Evidence, meeting: &Meeting) -> Option<usize> {
    let fits = |rule: &Rule| {
        comes(rule.incoming, meeting)
            && meets(rule.held, meeting)
            && was_edited(rule.edited, evidence, meeting)
    };
    policy.rules.iter().position(fits).map(|index| index + 1)
}

fn comes(incoming: Incoming, meeting: &Meeting) -> bool {
    match incoming {
        Incoming::Anyone => true,
        Incoming::Writer => meeting.incoming == Side::Writer,
        Incoming::Other => meeting.incoming == Side::Other,
        Incoming::Nobody => meeting.incoming == Side::Nobody,
    }
}

fn meets(held: Held, meeting: &Meeting) -> bool {
    match held {
        Held::Anything => true,
        Held::Nothing => meeting.held.is_none(),
        Held::Equal => meeting.held.is_some() && meeting.equal,
        Held::Writers => meeting.held == Some(Side::Writer),
        Held::Others => meeting.held == Some(Side::Other),
        Held::Nobodys => meeting.held == Some(Side::Nobody),
    }
}

/// Who edited: by stamps, where only these can tell, or by what the cloud says of the row.
fn was_edited(edited: Edited, evidence: Evidence, meeting: &Meeting) -> bool {
    match (evidence, edited) {
        (_, Edited::Any) => true,
        (Evidence::Stamps, Edited::Held | Edited::HeldUnlogged | Edited::BothHeldWins) => {
            meeting.held_is_later
        }
        (Evidence::Stamps, Edited::Deleted) => false,
        (Evidence::Stamps, Edited::Incoming | Edited::BothIncomingWins) => true,
        (Evidence::Log, Edited::Held | Edited::HeldUnlogged) => true,
        (Evidence::Log, Edited::Incoming) => meeting.edited && meeting.is_base,
        (Evidence::Log, Edited::BothIncomingWins) => meeting.edited && meeting.edited_later,
        (Evidence::Log, Edited::BothHeldWins) => meeting.edited,
        (Evidence::Log, Edited::Deleted) => meeting.is_on_record,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::policy::{REVERSE_BY_LOG, REVERSE_BY_STAMPS};
    use crate::model::{Reason, Verdict};

    const QUIET: Meeting = Meeting {
        incoming: Side::Writer,
        held: None,
        equal: false,
        held_is_later: false,
        edited: false,
        is_base: false,
        edited_later: false,
        is_on_record: false,
    };

    fn by_log(meeting: Meeting) -> (Verdict, bool) {
        let rule = decide(REVERSE_BY_LOG, Evidence::Log, &meeting).unwrap();
        let rule = REVERSE_BY_LOG.rule(rule).unwrap();
        (rule.verdict, rule.contested)
    }

    fn by_stamps(meeting: Meeting) -> Verdict {
        let rule = decide(REVERSE_BY_STAMPS, Evidence::Stamps, &meeting).unwrap();
        REVERSE_BY_STAMPS.rule(rule).unwrap().verdict
    }

    fn withheld(reason: Reason) -> Verdict {
        Verdict::Withheld(reason)
    }

    #[test]
    fn the_owners_decide_before_any_stamp_or_log() {
        use Side::{Nobody, Other, Writer};
        for (incoming, held, verdict) in [
            (Writer, None, Verdict::Insert),
            (Writer, Some(Other), withheld(Reason::KeyCollision)),
            (Writer, Some(Nobody), withheld(Reason::Owner)),
            (Other, None, withheld(Reason::DeletedByDesktop)),
            (Other, Some(Writer), withheld(Reason::Owner)),
            (Other, Some(Nobody), withheld(Reason::Owner)),
            (Nobody, None, withheld(Reason::Owner)),
            (Nobody, Some(Writer), withheld(Reason::Owner)),
        ] {
            for edited in [false, true] {
                let meeting = Meeting { incoming, held, edited, edited_later: edited, ..QUIET };
                assert_eq!(by_log(meeting).0, verdict, "{meeting:?}");
                assert_eq!(by_stamps(meeting), verdict, "{meeting:?}");
            }
        }
    }

    #[test]
    fn an_equal_row_is_left_alone_whoever_owns_it() {
        for held in [Side::Writer, Side::Other, Side::Nobody] {
            let meeting =
                Meeting { incoming: Side::Nobody, held: Some(held), equal: true, ..QUIET };
            assert_eq!(by_log(meeting).0, Verdict::Unchanged);
            assert_eq!(by_stamps(meeting), Verdict::Unchanged);
        }
        // Nothing is equal to no row.
        assert_eq!(by_log(Meeting { equal: true, ..QUIET }).0, Verdict::Insert);
    }

    #[test]
    fn an_edit_of_the_desktops_row_comes_home_unless_the_desktops_own_is_later() {
        let theirs = Meeting { incoming: Side::Other, held: Some(Side::Other), ..QUIET };
        for (edited, is_base, edited_later, decided) in [
            (false, true, true, (withheld(Reason::Stale), false)),
            (true, true, false, (Verdict::Update, false)),
            (true, false, true, (Verdict::Update, true)),
            (true, false, false, (withheld(Reason::Stale), true)),
        ] {
            let meeting = Meeting { edited, is_base, edited_later, ..theirs };
            assert_eq!(by_log(meeting), decided, "{meeting:?}");
        }
        assert_eq!(by_stamps(theirs), Verdict::Update);
        let meeting = Meeting { held_is_later: true, ..theirs };
        assert_eq!(by_stamps(meeting), withheld(Reason::Stale));
    }

    #[test]
    fn a_mobile_row_stands_and_what_the_desktop_made_of_it_is_kept() {
        let own = Meeting { held: Some(Side::Writer), ..QUIET };
        let edited = Meeting { edited: true, is_base: true, ..own };
        assert_eq!(by_log(edited), (Verdict::Update, false));
        assert_eq!(by_log(own), (Verdict::Update, true));
        assert_eq!(by_stamps(Meeting { held_is_later: true, ..own }), Verdict::Update);
    }

    #[test]
    fn only_an_edit_on_record_is_lost_with_a_row_that_the_desktop_deleted() {
        let gone = Meeting { incoming: Side::Other, ..QUIET };
        let deleted = withheld(Reason::DeletedByDesktop);
        assert_eq!(by_log(gone), (deleted, false));
        assert_eq!(by_log(Meeting { is_on_record: true, ..gone }), (deleted, true));
    }

    #[test]
    fn every_meeting_is_decided() {
        for bits in 0_u32..1 << 6 {
            let bit = |n: u32| bits >> n & 1 == 1;
            for incoming in [Side::Writer, Side::Other, Side::Nobody] {
                for held in [None, Some(Side::Writer), Some(Side::Other), Some(Side::Nobody)] {
                    let meeting = Meeting {
                        incoming,
                        held,
                        equal: bit(0),
                        held_is_later: bit(1),
                        edited: bit(2),
                        is_base: bit(3),
                        edited_later: bit(4),
                        is_on_record: bit(5),
                    };
                    by_log(meeting);
                    by_stamps(meeting);
                }
            }
        }
    }
}
