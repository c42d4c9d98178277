//! What classification decides for a row, and the sums over a batch.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::Serialize;

/// What is to become of a staged row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The target has no such row: write it.
    Insert,
    /// The target has an older version: replace it.
    Update,
    /// The target holds the same already: nothing is written.
    Unchanged,
    /// Not written, and kept with its reason.
    Withheld(Reason),
}

impl Verdict {
    /// The word in SQL and in `_sync_withheld`.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Insert => "insert",
            Verdict::Update => "update",
            Verdict::Unchanged => "unchanged",
            Verdict::Withheld(reason) => reason.word(),
        }
    }

    /// The verdict that [`word`](Self::word) writes as `word`.
    pub fn from_word(word: &str) -> Option<Self> {
        [Verdict::Insert, Verdict::Update, Verdict::Unchanged]
            .into_iter()
            .find(|v| v.word() == word)
            .or_else(|| Reason::from_word(word).map(Verdict::Withheld))
    }
}

/// Why a row was withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The row, or what it would replace, belongs to nobody or to the other side.
    Owner,
    /// Both sides made a row with this key.
    KeyCollision,
    /// The target holds a later version.
    Stale,
    /// A mobile user edited the row, and the desktop has not got the edit yet.
    PendingMobileEdit,
    /// A mobile user deleted the row.
    DeletedByMobile,
    /// The desktop deleted the row.
    DeletedByDesktop,
    /// A row that it refers to is not in the target.
    MissingParent,
    /// The target refuses one of its values: a type, a constraint or a trigger does.
    BadValue,
    /// Another row of the target has a value of it that has to be unique.
    Unique,
    /// Somebody holds a lock on the row, or on a row that it refers to, at this moment.
    Busy,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Reason; 10] = [
        Reason::Owner,
        Reason::KeyCollision,
        Reason::Stale,
        Reason::PendingMobileEdit,
        Reason::DeletedByMobile,
        Reason::DeletedByDesktop,
        Reason::MissingParent,
        Reason::BadValue,
        Reason::Unique,
        Reason::Busy,
    ];
    /// Those that may pass within the same run.
    pub const WAITING: [Reason; 3] = [Reason::MissingParent, Reason::Unique, Reason::Busy];

    /// The word in SQL, in JSON and in `_sync_withheld`.
    pub fn word(self) -> &'static str {
        match self {
            Reason::Owner => "owner",
            Reason::KeyCollision => "key_collision",
            Reason::Stale => "stale",
            Reason::PendingMobileEdit => "pending_mobile_edit",
            Reason::DeletedByMobile => "deleted_by_mobile",
            Reason::DeletedByDesktop => "deleted_by_desktop",
            Reason::MissingParent => "missing_parent",
            Reason::BadValue => "bad_value",
            Reason::Unique => "unique",
            Reason::Busy => "busy",
        }
    }

    /// What it means, in words for people; a rule of a policy says more of its own verdict.
    pub fn why(self) -> &'static str {
        match self {
            Reason::Owner => {
                "the row, or the one that is there, belongs to nobody or to the other side"
            }
            Reason::KeyCollision => "both sides made a row with this key",
            Reason::Stale => "the version that is there is the later one",
            Reason::PendingMobileEdit => {
                "a mobile user edited the row, and the desktop has not got the edit yet"
            }
            Reason::DeletedByMobile => "a mobile user deleted the row",
            Reason::DeletedByDesktop => "the desktop deleted the row",
            Reason::MissingParent => "a row that it refers to is not there",
            Reason::BadValue => "the other end refuses one of its values",
            Reason::Unique => {
                "another row of the other end has a value of it that has to be unique"
            }
            Reason::Busy => {
                "somebody holds a lock on the row, or on one that it refers to, at this moment"
            }
        }
    }

    /// The reason that [`word`](Self::word) writes as `word`.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }

    /// Whether the reason lies in the row's data, so that many of them mean that the table is bad
    /// as a whole (`max_withheld`); the others are the policy at work.
    pub fn is_bad_data(self) -> bool {
        matches!(self, Reason::MissingParent | Reason::BadValue | Reason::Unique)
    }
}

/// How many rows met which verdict. The sum is always the number of staged rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// New in the target.
    pub inserted: u64,
    /// Replaced in the target.
    pub updated: u64,
    /// The same already.
    pub unchanged: u64,
    /// Not written, by reason.
    pub withheld: BTreeMap<Reason, u64>,
}

impl Tally {
    /// Adds `rows` rows of `verdict`.
    pub fn add(&mut self, verdict: Verdict, rows: u64) {
        match verdict {
            Verdict::Insert => self.inserted += rows,
            Verdict::Update => self.updated += rows,
            Verdict::Unchanged => self.unchanged += rows,
            Verdict::Withheld(reason) => *self.withheld.entry(reason).or_default() += rows,
        }
    }

    /// Takes back withheld rows that are tried again, so that each row counts with its last
    /// verdict; gives how many of `rows` were counted here.
    pub fn take_back(&mut self, reason: Reason, rows: u64) -> u64 {
        let counted = self.withheld.get(&reason).copied().unwrap_or_default();
        let taken = counted.min(rows);
        match counted - taken {
            0 => self.withheld.remove(&reason),
            left => self.withheld.insert(reason, left),
        };
        taken
    }

    /// Rows that wait for something that may come within the same run.
    pub fn waiting(&self) -> u64 {
        Reason::WAITING.iter().filter_map(|r| self.withheld.get(r)).sum()
    }

    /// Rows that were not written.
    pub fn withheld_total(&self) -> u64 {
        self.withheld.values().sum()
    }

    /// Rows that the target's table was changed by.
    pub fn written(&self) -> u64 {
        self.inserted + self.updated
    }

    /// All rows.
    pub fn total(&self) -> u64 {
        self.written() + self.unchanged + self.withheld_total()
    }

    /// Rows withheld because of their data (see [`Reason::is_bad_data`]).
    pub fn bad(&self) -> u64 {
        self.withheld.iter().filter(|(reason, _)| reason.is_bad_data()).map(|(_, n)| n).sum()
    }
}

impl AddAssign<&Tally> for Tally {
    fn add_assign(&mut self, other: &Tally) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        for (&reason, rows) in &other.withheld {
            *self.withheld.entry(reason).or_default() += rows;
        }
    }
}

/// What became of one table's rows in one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Rows read from the source.
    pub read: u64,
    /// The last verdict of each.
    pub tally: Tally,
}
