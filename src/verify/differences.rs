//! From keys and numbers to differences, each with its explanation.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::Reason;
use crate::source::{Age, Keyed};
use crate::store::{Absence, Books, Logged};

use super::report::{Counts, Difference, Explanation, What};

/// So many keys are named for each difference.
const NAMED: usize = 20;

/// What some buckets of both ends show of rows with the desktop's mark.
#[derive(Debug, Default)]
pub(super) struct Gap {
    /// The desktop has them, the cloud has not.
    pub(super) missing: Vec<(String, Age)>,
    /// The cloud has them, the desktop has not.
    gone: Vec<String>,
    /// The cloud has them, and the desktop under another mark.
    reowned: Vec<String>,
    /// The desktop has them more than once.
    doubles: Vec<String>,
}

/// Compares the rows of the desktop with those that the cloud has under the desktop's `mark`.
pub(super) fn gap(desktop: Vec<Keyed>, cloud: Vec<Keyed>, mark: &str) -> Gap {
    let mut gap = Gap::default();
    let held: HashSet<String> = cloud.into_iter().map(|row| row.key).collect();
    let (ours, others): (Vec<_>, Vec<_>) = desktop.into_iter().partition(|row| row.owner == mark);
    let others: HashSet<String> = others.into_iter().map(|row| row.key).collect();
    let mut oldest: HashMap<String, Age> = HashMap::new();
    for Keyed { key, age, .. } in ours {
        match oldest.get(&key) {
            Some(_) => gap.doubles.push(key),
            None => drop(oldest.insert(key, age)),
        }
    }
    for key in held.iter().filter(|key| !oldest.contains_key(*key)) {
        match others.contains(key) {
            true => gap.reowned.push(key.clone()),
            false => gap.gone.push(key.clone()),
        }
    }
    gap.missing = oldest.into_iter().filter(|(key, _)| !held.contains(key)).collect();
    gap
}

/// The differences found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    kinds: BTreeMap<Kind, Rows>,
}

type Kind = (What, Explanation, Option<String>);

#[derive(Debug, Default)]
struct Rows {
    rows: u64,
    keys: Vec<String>,
}

impl Found {
    /// Takes in a gap; `known` is what is on record about its missing rows.
    pub(super) fn take(&mut self, gap: Gap, known: &BTreeMap<String, Absence>) {
        // A row that was withheld as one of these was there.
        let was_there = [Reason::Stale, Reason::PendingMobileEdit].map(Reason::word);
        for (key, age) in gap.missing {
            let (why, reason) = match (known.get(&key), age) {
                (Some(Absence::Withheld(reason)), _) if !was_there.contains(&&**reason) => {
                    (Explanation::Withheld, Some(reason.clone()))
                }
                (Some(Absence::Deleted), _) => (Explanation::DeletedByMobile, None),
                (_, Age::Newer) => (Explanation::NotYetRead, None),
                (_, Age::Unstamped) => (Explanation::NoStamp, None),
                (_, Age::Read) => (Explanation::Unexplained, None),
            };
            self.add((What::MissingInCloud, why, reason), key);
        }
        let rest = [
            (What::OnlyInCloud, Explanation::DeletedOnDesktop, gap.gone),
            (What::OnlyInCloud, Explanation::OtherOwnerOnDesktop, gap.reowned),
            (What::SameKeyOnDesktop, Explanation::DuplicateKey, gap.doubles),
        ];
        for (what, why, keys) in rest {
            keys.into_iter().for_each(|key| self.add((what, why, None), key));
        }
    }

    fn add(&mut self, kind: Kind, key: String) {
        let entry = self.kinds.entry(kind).or_default();
        entry.rows += 1;
        if entry.keys.len() < NAMED {
            entry.keys.push(key);
        }
    }

    fn count(&mut self, what: What, why: Explanation, rows: u64) {
        if rows > 0 {
            self.kinds.entry((what, why, None)).or_default().rows += rows;
        }
    }

    /// What the numbers say of rows that nothing else tells of.
    pub(super) fn compare(&mut self, desktop: Counts, cloud: Counts) {
        let surplus = desktop.mobile.saturating_sub(cloud.mobile);
        self.count(What::MobileOnDesktop, Explanation::NeverSent, surplus);
        self.count(What::NobodysOnDesktop, Explanation::NoOwner, desktop.other);
        self.count(What::NobodysInCloud, Explanation::NoOwner, cloud.other);
    }

    /// What the last record says of the cloud.
    pub(super) fn compare_with_record(&mut self, cloud: Counts, recorded: Counts, books: &Books) {
        let fell = recorded.mobile.saturating_sub(cloud.mobile);
        match &books.logged {
            Some(logged) => self.compare_with_log(cloud.mobile, fell, logged),
            None => self.count(What::MobileFell, Explanation::MobileDeletions, fell),
        }
        let is_missing = |(what, ..): &&Kind| *what == What::MissingInCloud;
        let missing = self.kinds.iter().filter(|(kind, _)| is_missing(kind));
        let missing: u64 = missing.map(|(_, rows)| rows.rows).sum();
        let fell = recorded.desktop.saturating_sub(cloud.desktop).saturating_sub(missing);
        self.count(What::DesktopFell, Explanation::DeletedAtBothEnds, fell);
        let ours = recorded.desktop + books.inserted_since;
        self.doubt_deletions(cloud.desktop.saturating_sub(ours));
    }

    /// What the change log says of mobile rows, of which there are `now`, `fell` fewer than recorded.
    fn compare_with_log(&mut self, now: u64, fell: u64, logged: &Logged) {
        if fell > 0 {
            let [deleted, ceded] = [logged.deleted, logged.ceded].map(i64::unsigned_abs);
            self.count(What::MobileFell, Explanation::DeletedByMobile, deleted);
            self.count(What::MobileFell, Explanation::OwnerChanged, ceded);
        }
        let missing = logged.missing(now);
        let (what, why) = match missing > 0 {
            true => (What::MobileLost, Explanation::Unexplained),
            false => (What::MobileAppeared, Explanation::NotLogged),
        };
        self.count(what, why, missing.unsigned_abs());
    }

    /// Of the rows that only the cloud has, `made` at least came there by no run: the desktop can't
    /// have deleted them.
    fn doubt_deletions(&mut self, made: u64) {
        let deleted = (What::OnlyInCloud, Explanation::DeletedOnDesktop, None);
        let Some(Rows { rows, keys }) = self.kinds.remove(&deleted) else { return };
        let made = made.min(rows);
        if made < rows {
            let keys = if made == 0 { keys.clone() } else { Vec::new() };
            self.kinds.insert(deleted, Rows { rows: rows - made, keys });
        }
        if made > 0 {
            let unexplained = (What::OnlyInCloud, Explanation::Unexplained, None);
            self.kinds.insert(unexplained, Rows { rows: made, keys });
        }
    }

    /// All of them, without keys.
    pub(super) fn differences(self) -> Vec<Difference> {
        let difference = |((what, why, reason), rows): (Kind, Rows)| Difference {
            reason,
            ..Difference::new(what, rows.rows, why)
        };
        self.kinds.into_iter().map(difference).collect()
    }

    /// All of them, with the first keys of each.
    pub(super) fn named_differences(self) -> Vec<Difference> {
        let key = |key: &String| serde_json::from_str(key).unwrap_or_default();
        let keys: Vec<Vec<_>> =
            self.kinds.values().map(|rows| rows.keys.iter().map(key).collect()).collect();
        let differences = self.differences().into_iter().zip(keys);
        differences.map(|(difference, keys)| Difference { keys, ..difference }).collect()
    }
}
