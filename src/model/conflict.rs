//! What both sides did to one row, in words for people: what happened, what becomes of it, and how to
//! end it.

use std::fmt;
use std::str::FromStr;

use crate::error::End;

use super::plan::Direction;
use super::policy::{self, Incoming, Policy, Rule};
use super::verdict::{Reason, Verdict};

/// Which of the lists of one end an entry stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// `_sync_withheld`: still open.
    Withheld,
    /// `_sync_trash`: decided by a run.
    Trash,
}

/// Names an entry: `c` or `d` for the cloud or the desktop, `w` or `t` for withheld or trash, and the
/// number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id {
    /// The end that has the entry.
    pub end: End,
    /// On this list.
    pub list: List,
    /// Under this number.
    pub number: i64,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match self.end {
            End::Desktop => 'd',
            End::Cloud => 'c',
        };
        let list = match self.list {
            List::Withheld => 'w',
            List::Trash => 't',
        };
        write!(f, "{end}{list}{}", self.number)
    }
}

impl FromStr for Id {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || {
            "an id is c or d (cloud, desktop), w or t (withheld, trash) and a number, as in cw12"
                .to_owned()
        };
        let (head, number) = text.split_at_checked(2).ok_or_else(form)?;
        let (end, list) = match head {
            "cw" => (End::Cloud, List::Withheld),
            "ct" => (End::Cloud, List::Trash),
            "dw" => (End::Desktop, List::Withheld),
            "dt" => (End::Desktop, List::Trash),
            _ => return Err(form()),
        };
        let digits = number.bytes().all(|b| b.is_ascii_digit());
        match number.parse() {
            Ok(number) if digits => Ok(Self { end, list, number }),
            _ => Err(form()),
        }
    }
}

/// What both sides did to one row, as a run of one direction met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// Which way the row went.
    pub direction: Direction,
    /// What came of it.
    pub what: What,
}

/// What a run made of the two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It wrote neither, for this reason.
    Withheld(Reason),
    /// The same, and both sides have changed the row.
    Contested(Reason),
    /// The desktop's version stands.
    LostToDesktop,
    /// The mobile version stands.
    LostToMobile,
}

impl What {
    /// What `_sync_trash` calls `word`.
    pub fn from_trash(word: &str) -> Option<Self> {
        [What::LostToDesktop, What::LostToMobile].into_iter().find(|what| what.word() == word)
    }

    /// The word in output.
    pub fn word(self) -> &'static str {
        match self {
            What::Withheld(reason) => reason.word(),
            What::Contested(reason) if Conflict::REASONS.contains(&reason) => reason.word(),
            What::Contested(_) => "both_edited",
            What::LostToDesktop => "lost_to_desktop",
            What::LostToMobile => "lost_to_mobile",
        }
    }
}

impl Conflict {
    /// The reasons that stand for what both sides did to one row, also where not both changed it.
    /// `unique` is none of them: there the two sides have changed two rows.
    pub const REASONS: [Reason; 3] =
        [Reason::KeyCollision, Reason::DeletedByMobile, Reason::DeletedByDesktop];

    /// The rule that decided, in its own words; `is_mobiles`: the row belongs to the mobile side.
    pub fn why(self, is_mobiles: bool) -> &'static str {
        let (by_log, by_stamps) = match self.direction {
            Direction::Forward => (policy::FORWARD_BY_LOG, policy::FORWARD_BY_STAMPS),
            Direction::Reverse => (policy::REVERSE_BY_LOG, policy::REVERSE_BY_STAMPS),
        };
        let find = |policy: Policy| policy.rules.iter().find(|rule| self.is_of(rule, is_mobiles));
        let reason = match self.what {
            What::Withheld(reason) | What::Contested(reason) => reason,
            What::LostToDesktop | What::LostToMobile => Reason::Stale,
        };
        find(by_log).or_else(|| find(by_stamps)).map_or(reason.why(), |rule| rule.why)
    }

    fn is_of(self, rule: &Rule, is_mobiles: bool) -> bool {
        let written_from = |direction| {
            rule.contested && rule.verdict == Verdict::Update && self.direction == direction
        };
        match self.what {
            What::Withheld(reason) => !rule.contested && rule.verdict == Verdict::Withheld(reason),
            What::Contested(reason) => rule.contested && rule.verdict == Verdict::Withheld(reason),
            What::LostToDesktop if self.direction == Direction::Reverse => {
                rule.contested && rule.verdict == Verdict::Withheld(Reason::Stale)
            }
            What::LostToDesktop => written_from(Direction::Forward),
            What::LostToMobile => {
                let owner = if is_mobiles { Incoming::Writer } else { Incoming::Other };
                written_from(Direction::Reverse) && rule.incoming == owner
            }
        }
    }

    /// What the next runs do about it.
    pub fn next(self) -> &'static str {
        use What::{Contested, Withheld};
        match self.what {
            Contested(Reason::Stale) => {
                "the next forward run takes the desktop's version to the cloud"
            }
            Contested(Reason::PendingMobileEdit) => {
                "the next reverse run brings the mobile version to the desktop"
            }
            Contested(Reason::Owner) => {
                "the next reverse run brings the mobile version back to the desktop"
            }
            Withheld(Reason::DeletedByMobile) | Contested(Reason::DeletedByMobile) => {
                "the row stays on the desktop, and does not come back to the cloud"
            }
            Withheld(Reason::DeletedByDesktop) | Contested(Reason::DeletedByDesktop) => {
                "the row stays in the cloud, and does not come back to the desktop"
            }
            Withheld(_) | Contested(_) => {
                "both versions stay as they are; tried again once one of them changes"
            }
            What::LostToDesktop => {
                "nothing: the desktop's version stands; the mobile one is kept here"
            }
            What::LostToMobile => "nothing: the mobile version stands; the desktop's is kept here",
        }
    }

    /// How a person ends it otherwise.
    pub fn way_out(self) -> &'static str {
        use What::{Contested, Withheld};
        match self.what {
            Contested(Reason::Stale) => {
                "To have the mobile version after all, enter it again in the cloud once the next \
                 forward run is through."
            }
            Withheld(Reason::KeyCollision) => {
                "Give one of the two rows another key, or delete one of them; the next runs bring the \
                 other where it is missing."
            }
            Withheld(Reason::DeletedByMobile) | Contested(Reason::DeletedByMobile) => {
                "If it is to be gone, delete it on the desktop as well; if it is to be there, insert it \
                 in the cloud again, as the desktop's."
            }
            Withheld(Reason::DeletedByDesktop) | Contested(Reason::DeletedByDesktop) => {
                "If it is to be gone, delete it in the cloud as well; if it is to be there, insert it \
                 on the desktop again."
            }
            Contested(_) => {
                "To have the desktop's version after all, enter it again once the next reverse run is \
                 through: a row of the desktop's on the desktop, one of the mobile side's in the cloud."
            }
            Withheld(_) => "Edit the row on one side, or delete it on one side.",
            What::LostToDesktop => "To have the mobile version after all, enter it again.",
            What::LostToMobile => "To have the desktop's version after all, enter it again.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        for text in ["cw1", "ct20", "dw300", "dt4"] {
            assert_eq!(text.parse::<Id>().unwrap().to_string(), text);
        }
        for text in ["", "c", "cw", "xw1", "cx1", "cw-1", "cw+1", "cw1x", "12", "äw1"] {
            assert!(text.parse::<Id>().is_err(), "{text}");
        }
    }

    /// Whatever is contested has words of its own, and those of the rule that decides.
    #[test]
    fn every_contested_rule_is_found_again() {
        let mut found = Vec::new();
        for (direction, policy) in [
            (Direction::Forward, policy::FORWARD_BY_LOG),
            (Direction::Reverse, policy::REVERSE_BY_LOG),
        ] {
            for rule in policy.rules.iter().filter(|rule| rule.contested) {
                let what = match (rule.verdict, direction) {
                    (Verdict::Withheld(reason), _) => What::Contested(reason),
                    (_, Direction::Forward) => What::LostToDesktop,
                    (_, Direction::Reverse) => What::LostToMobile,
                };
                let is_mobiles =
                    (rule.incoming == Incoming::Writer) == (direction == Direction::Reverse);
                assert_eq!(Conflict { direction, what }.why(is_mobiles), rule.why);
                found.push(what);
            }
        }
        assert_eq!(found.len(), 8);
    }
}
