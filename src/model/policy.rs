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
    /// A row that equals the incoming one in every column that travels, whoever owns it; but for
    /// `updated_at`, where the target's own triggers may set that.
    Equal,
    /// A row of the side that this direction writes for, with an earlier or equal stamp.
    Writers,
    /// A row of the writer's with a later stamp: the other side edited it since.
    WritersLater,
    /// A row of the other side.
    Others,
    /// A row of nobody.
    Nobodys,
}

/// One line of the table: the first line that fits decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// What comes in …
    pub incoming: Incoming,
    /// … meets what is there …
    pub held: Held,
    /// … and this follows.
    pub verdict: Verdict,
}

/// The rules of one direction.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// In the order in which they are tried.
    pub rules: &'static [Rule],
}

const fn rule(incoming: Incoming, held: Held, verdict: Verdict) -> Rule {
    Rule { incoming, held, verdict }
}

const fn withhold(incoming: Incoming, held: Held, reason: Reason) -> Rule {
    rule(incoming, held, Verdict::Withheld(reason))
}

/// Desktop → cloud: the desktop writes `D` rows and never touches another row.
pub const FORWARD: Policy = Policy {
    rules: &[
        rule(Incoming::Anyone, Held::Equal, Verdict::Unchanged),
        withhold(Incoming::Nobody, Held::Anything, Reason::Owner),
        withhold(Incoming::Other, Held::Anything, Reason::Owner),
        rule(Incoming::Writer, Held::Nothing, Verdict::Insert),
        withhold(Incoming::Writer, Held::Others, Reason::KeyCollision),
        withhold(Incoming::Writer, Held::Nobodys, Reason::Owner),
        withhold(Incoming::Writer, Held::WritersLater, Reason::Stale),
        rule(Incoming::Writer, Held::Writers, Verdict::Update),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair of a real incoming owner and a real held row meets a rule.
    #[test]
    fn the_forward_policy_decides_every_row() {
        let held = [
            Held::Nothing,
            Held::Equal,
            Held::Writers,
            Held::WritersLater,
            Held::Others,
            Held::Nobodys,
        ];
        for incoming in [Incoming::Writer, Incoming::Other, Incoming::Nobody] {
            for held in held {
                let fits = |r: &&Rule| {
                    (r.incoming == incoming || r.incoming == Incoming::Anyone)
                        && (r.held == held || r.held == Held::Anything)
                };
                let verdict = FORWARD.rules.iter().find(fits).map(|r| r.verdict);
                let writes = matches!(verdict, Some(Verdict::Insert | Verdict::Update));
                let allowed =
                    incoming == Incoming::Writer && matches!(held, Held::Nothing | Held::Writers);
                assert!(verdict.is_some(), "{incoming:?} meets {held:?}");
                assert_eq!(writes, allowed, "{incoming:?} meets {held:?}");
            }
        }
    }
}
