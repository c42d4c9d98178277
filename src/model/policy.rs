//! Who may write what, as data. Directions are policies, not code paths.

use super::verdict::{Reason, Verdict};

/// Who an incoming row says it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming {
    /// Whoever it is.
    Anyone,
    /// The side that this direction writes for.
    Writer,
    /// The other side.
    Other,
    /// NULL, or a mark that is neither.
    Nobody,
}

/// What the target holds under the incoming row's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Anything, or nothing.
    Anything,
    /// No row.
    Nothing,
    /// The incoming row: the same in every column that travels, whoever owns it; but for
    /// `updated_at`, where the target's own triggers may set that; or what triggers of one end made
    /// of the version that the other has.
    Equal,
    /// A row of the side that this direction writes for.
    Writers,
    /// A row of the other side.
    Others,
    /// A row of nobody.
    Nobodys,
}

/// Which of the two versions was changed since both ends had the same. What it is told by is
/// [`Evidence`](super::plan::Evidence).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edited {
    /// Either, both or none.
    Any,
    /// The version that the target holds.
    Held,
    /// The version that the target holds, before there was a log to tell it by: its stamp is later.
    HeldUnlogged,
    /// The version that comes in.
    Incoming,
    /// Both; the one that comes in later, or at the same time and by the owner.
    BothIncomingWins,
    /// Both; the one that is held later, or at the same time and by the owner.
    BothHeldWins,
    /// The one that comes in, while users of the target deleted theirs.
    Deleted,
}

/// One line of the table: the first line that fits decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// What comes in …
    pub incoming: Incoming,
    /// … meets what is there …
    pub held: Held,
    /// … after one of the two, or both, were changed …
    pub edited: Edited,
    /// … and this follows.
    pub verdict: Verdict,
    /// Both sides changed the row: the version that loses is kept, and people are told.
    pub contested: bool,
    /// Why, in words for people.
    pub why: &'static str,
}

/// The rules of one direction.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// In the order in which they are tried.
    pub rules: &'static [Rule],
}

impl Policy {
    /// Whether rows of the other side are written as well, as theirs.
    pub fn writes_others(self) -> bool {
        let writes = |r: &&Rule| matches!(r.verdict, Verdict::Insert | Verdict::Update);
        self.rules.iter().filter(writes).any(|rule| rule.incoming == Incoming::Other)
    }

    /// The rule of this number, from 1.
    pub fn rule(self, number: usize) -> Option<&'static Rule> {
        self.rules.get(number.checked_sub(1)?)
    }

    /// The numbers, from 1, of the rules by which both sides have changed a row.
    pub fn contested(self) -> impl Iterator<Item = usize> {
        let numbered = self.rules.iter().zip(1..);
        numbered.filter(|(rule, _)| rule.contested).map(|(_, number)| number)
    }
}

const fn rule(incoming: Incoming, held: Held, verdict: Verdict, why: &'static str) -> Rule {
    Rule { incoming, held, edited: Edited::Any, verdict, contested: false, why }
}

const fn withhold(incoming: Incoming, held: Held, reason: Reason, why: &'static str) -> Rule {
    rule(incoming, held, Verdict::Withheld(reason), why)
}

impl Rule {
    const fn when(self, edited: Edited) -> Self {
        Self { edited, ..self }
    }

    const fn contested(self) -> Self {
        Self { contested: true, ..self }
    }
}

const EQUAL: Rule = rule(
    Incoming::Anyone,
    Held::Equal,
    Verdict::Unchanged,
    "both ends have the same version of the row",
);
const OF_NOBODY: Rule = withhold(
    Incoming::Nobody,
    Held::Anything,
    Reason::Owner,
    "the ownership column says neither mark, so the row is nobody's",
);
const MEETS_NOBODYS: Rule = withhold(
    Incoming::Writer,
    Held::Nobodys,
    Reason::Owner,
    "the ownership column of the row that is there says neither mark, so it is nobody's",
);
const COLLISION: Rule = withhold(
    Incoming::Writer,
    Held::Others,
    Reason::KeyCollision,
    "both sides made a row with this key",
);
const NEW: Rule =
    rule(Incoming::Writer, Held::Nothing, Verdict::Insert, "the row is new to the other end");

/// Desktop → cloud, where mobile edits are told by their stamps.
pub const FORWARD_BY_STAMPS: Policy = Policy {
    rules: &[
        EQUAL,
        OF_NOBODY,
        withhold(
            Incoming::Other,
            Held::Anything,
            Reason::Owner,
            "the row is the mobile side's, and the desktop never changes such a row",
        ),
        NEW,
        COLLISION,
        MEETS_NOBODYS,
        withhold(
            Incoming::Writer,
            Held::Writers,
            Reason::Stale,
            "the cloud's version has the later stamp",
        )
        .when(Edited::Held),
        rule(
            Incoming::Writer,
            Held::Writers,
            Verdict::Update,
            "the desktop's version is not the older one",
        ),
    ],
};

/// Desktop → cloud, where the change log tells mobile edits and deletions.
pub const FORWARD_BY_LOG: Policy = Policy {
    rules: &[
        EQUAL,
        OF_NOBODY,
        withhold(
            Incoming::Other,
            Held::Others,
            Reason::PendingMobileEdit,
            "a mobile user changed this mobile row, and the desktop has not got that yet",
        )
        .when(Edited::Held),
        withhold(
            Incoming::Other,
            Held::Others,
            Reason::Owner,
            "the desktop changed a row of the mobile side, which stays as it is; the next reverse run \
             brings the mobile version back",
        )
        .contested(),
        withhold(
            Incoming::Other,
            Held::Anything,
            Reason::Owner,
            "the row is the mobile side's, and the cloud has none like it",
        ),
        withhold(
            Incoming::Writer,
            Held::Nothing,
            Reason::DeletedByMobile,
            "a mobile user deleted this row of the desktop's",
        )
        .when(Edited::Deleted)
        .contested(),
        NEW,
        COLLISION,
        MEETS_NOBODYS,
        withhold(
            Incoming::Writer,
            Held::Writers,
            Reason::PendingMobileEdit,
            "a mobile user edited the row, and the desktop, which did not, has not got the edit yet",
        )
        .when(Edited::Held),
        withhold(
            Incoming::Writer,
            Held::Writers,
            Reason::PendingMobileEdit,
            "both sides edited the row, the mobile user later; the next reverse run brings that home",
        )
        .when(Edited::BothHeldWins)
        .contested(),
        rule(
            Incoming::Writer,
            Held::Writers,
            Verdict::Update,
            "both sides edited the row, and the desktop's edit is not the earlier one",
        )
        .when(Edited::BothIncomingWins)
        .contested(),
        withhold(
            Incoming::Writer,
            Held::Writers,
            Reason::Stale,
            "the cloud's version has the later stamp, from before there was a change log",
        )
        .when(Edited::HeldUnlogged),
        rule(
            Incoming::Writer,
            Held::Writers,
            Verdict::Update,
            "the desktop has changed its row, and no mobile edit is pending",
        ),
    ],
};

const GONE_FROM_DESKTOP: Rule = withhold(
    Incoming::Other,
    Held::Nothing,
    Reason::DeletedByDesktop,
    "a mobile user edited a row of the desktop's, and the desktop has deleted it",
);
const GONE_UNEDITED: Rule = withhold(
    Incoming::Other,
    Held::Nothing,
    Reason::DeletedByDesktop,
    "the row is the desktop's, and the desktop has deleted it",
);
const MOBILE_STANDS: Rule = rule(
    Incoming::Writer,
    Held::Writers,
    Verdict::Update,
    "the row is the mobile side's, so its version stands, though the desktop changed it as well",
)
.contested();
const OTHERS_MEETS_ANOTHER: Rule = withhold(
    Incoming::Other,
    Held::Anything,
    Reason::Owner,
    "the row says it is the desktop's, and the one that is there is not",
);

/// Cloud → desktop, where mobile edits are told by their stamps.
pub const REVERSE_BY_STAMPS: Policy = Policy {
    rules: &[
        EQUAL,
        OF_NOBODY,
        NEW,
        COLLISION,
        MEETS_NOBODYS,
        MOBILE_STANDS.when(Edited::Held),
        rule(
            Incoming::Writer,
            Held::Writers,
            Verdict::Update,
            "a mobile user changed this mobile row",
        ),
        GONE_FROM_DESKTOP,
        withhold(
            Incoming::Other,
            Held::Others,
            Reason::Stale,
            "the desktop's version does not have the earlier stamp",
        )
        .when(Edited::Held),
        rule(
            Incoming::Other,
            Held::Others,
            Verdict::Update,
            "the mobile version of the desktop's row has the later stamp",
        ),
        OTHERS_MEETS_ANOTHER,
    ],
};

/// Cloud → desktop, where the change log tells mobile edits.
pub const REVERSE_BY_LOG: Policy = Policy {
    rules: &[
        EQUAL,
        OF_NOBODY,
        NEW,
        COLLISION,
        MEETS_NOBODYS,
        rule(
            Incoming::Writer,
            Held::Writers,
            Verdict::Update,
            "a mobile user changed this mobile row",
        )
        .when(Edited::Incoming),
        MOBILE_STANDS,
        GONE_FROM_DESKTOP.when(Edited::Deleted).contested(),
        GONE_UNEDITED,
        rule(
            Incoming::Other,
            Held::Others,
            Verdict::Update,
            "a mobile user edited the desktop's row, and the desktop did not",
        )
        .when(Edited::Incoming),
        rule(
            Incoming::Other,
            Held::Others,
            Verdict::Update,
            "both sides edited the row, the mobile user later",
        )
        .when(Edited::BothIncomingWins)
        .contested(),
        withhold(
            Incoming::Other,
            Held::Others,
            Reason::Stale,
            "both sides edited the row, and the desktop's edit is not the earlier one; the next \
             forward run takes it to the cloud",
        )
        .when(Edited::BothHeldWins)
        .contested(),
        withhold(
            Incoming::Other,
            Held::Others,
            Reason::Stale,
            "no mobile edit of the row is pending, so the desktop's version stands",
        ),
        OTHERS_MEETS_ANOTHER,
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    const POLICIES: [Policy; 4] =
        [FORWARD_BY_STAMPS, FORWARD_BY_LOG, REVERSE_BY_STAMPS, REVERSE_BY_LOG];
    const OWNERS: [Incoming; 3] = [Incoming::Writer, Incoming::Other, Incoming::Nobody];
    const THERE: [Held; 5] =
        [Held::Nothing, Held::Equal, Held::Writers, Held::Others, Held::Nobodys];

    /// The verdicts that are possible when `incoming` meets `held`, up to the one that needs no
    /// more.
    fn possible(policy: Policy, incoming: Incoming, held: Held) -> Vec<Rule> {
        let fits = |r: &&Rule| {
            (r.incoming == incoming || r.incoming == Incoming::Anyone)
                && (r.held == held || r.held == Held::Anything)
        };
        let mut rules: Vec<Rule> = policy.rules.iter().filter(fits).copied().collect();
        let last = rules.iter().position(|r| r.edited == Edited::Any);
        rules.truncate(last.expect("a rule without a condition") + 1);
        rules
    }

    #[test]
    fn every_policy_decides_every_row() {
        for policy in POLICIES {
            for incoming in OWNERS {
                for held in THERE {
                    assert!(!possible(policy, incoming, held).is_empty());
                }
            }
        }
    }

    /// Only a row that says the same owner is written over, in whichever direction.
    #[test]
    fn no_policy_changes_who_owns_a_row() {
        for policy in POLICIES {
            for incoming in OWNERS {
                for held in THERE {
                    let writes = |r: &Rule| matches!(r.verdict, Verdict::Insert | Verdict::Update);
                    let allowed = matches!(
                        (incoming, held),
                        (Incoming::Writer, Held::Nothing | Held::Writers)
                            | (Incoming::Other, Held::Others)
                    );
                    let rules = possible(policy, incoming, held);
                    assert!(allowed || !rules.iter().any(writes), "{incoming:?} {held:?}");
                }
            }
        }
    }

    #[test]
    fn forward_never_writes_a_mobile_row() {
        for policy in [FORWARD_BY_STAMPS, FORWARD_BY_LOG] {
            for held in THERE {
                let rules = possible(policy, Incoming::Other, held);
                let withheld = |r: &Rule| matches!(r.verdict, Verdict::Withheld(_));
                assert!(rules.iter().all(|r| withheld(r) || r.held == Held::Equal), "{held:?}");
            }
        }
    }
}
