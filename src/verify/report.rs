//! What a verification says: one document, a stable contract.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::error::{Error, Kind};
use crate::model::Ownership;
use crate::run::{SCHEMA_VERSION, Trouble};

/// One verification, with every table of it.
#[derive(Debug, Serialize)]
pub struct Report {
    /// See [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Names the verification in `_sync_row_counts`.
    pub run_id: Uuid,
    /// The worst of the tables' outcomes.
    pub outcome: Outcome,
    /// In the order of the configuration.
    pub tables: Vec<TableReport>,
}

/// How both ends of one table compare.
#[derive(Debug, Serialize)]
pub struct TableReport {
    /// The table.
    pub table: String,
    /// The worst of its differences.
    pub outcome: Outcome,
    /// Rows by owner on the desktop.
    pub desktop: Option<Counts>,
    /// Rows by owner in the cloud.
    pub cloud: Option<Counts>,
    /// The same when they were last counted before.
    pub recorded: Option<Counts>,
    /// When that was.
    pub recorded_at: Option<String>,
    /// Mobile rows that there should be, by that and the change log; none where the log does not
    /// cover that time.
    pub mobile_expected: Option<i64>,
    /// Every difference, with its explanation.
    pub differences: Vec<Difference>,
    /// Why the table could not be verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Trouble>,
    /// What follows from that.
    #[serde(skip)]
    pub(super) kind: Option<Kind>,
}

/// Rows by owner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Rows of the desktop.
    #[serde(rename = "D")]
    pub desktop: u64,
    /// Rows of mobile users.
    #[serde(rename = "M")]
    pub mobile: u64,
    /// Rows of nobody: another mark, or none.
    pub other: u64,
}

impl Counts {
    /// Sums rows by mark.
    pub(super) fn of(owners: &BTreeMap<String, u64>, ownership: &Ownership) -> Self {
        let of = |mark: &String| owners.get(mark).copied().unwrap_or_default();
        let (desktop, mobile) = (of(&ownership.desktop), of(&ownership.mobile));
        Self { desktop, mobile, other: owners.values().sum::<u64>() - desktop - mobile }
    }
}

/// How grave something is; each is worse than those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There is no difference that is not explained.
    Ok,
    /// Somebody should look.
    Warning,
    /// A difference is unexplained, or a table could not be verified.
    Failure,
}

impl Outcome {
    /// The word in JSON and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Warning => "warning",
            Outcome::Failure => "failure",
        }
    }
}

/// Rows that are not as the other end, or the last record, has them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// In which way they differ.
    pub what: What,
    /// How many.
    pub rows: u64,
    /// Why.
    pub explained_by: Explanation,
    /// The reason in `_sync_withheld`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How grave that is.
    pub level: Outcome,
    /// The first of their keys, if they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Value>,
}

/// In which way rows differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Rows of the desktop that are not in the cloud as such.
    MissingInCloud,
    /// Rows that the cloud has as the desktop's, and the desktop has not.
    OnlyInCloud,
    /// Rows of the desktop that share their key with another.
    SameKeyOnDesktop,
    /// Fewer rows of mobile users in the cloud than were last recorded.
    MobileFell,
    /// Fewer rows of mobile users in the cloud than the last record and the change log make.
    MobileLost,
    /// More of them.
    MobileAppeared,
    /// Fewer rows of the desktop in the cloud than were last recorded; the desktop has them
    /// neither.
    DesktopFell,
    /// More rows of mobile users on the desktop than the cloud has.
    MobileOnDesktop,
    /// Rows of nobody on the desktop.
    NobodysOnDesktop,
    /// Rows of nobody in the cloud.
    NobodysInCloud,
}

/// Why rows differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Explanation {
    /// They are on the list of withheld rows.
    Withheld,
    /// They changed since the desktop was last read.
    NotYetRead,
    /// They have no stamp, so that only whole tables show them.
    NoStamp,
    /// They were deleted on the desktop, and this version carries no deletion.
    DeletedOnDesktop,
    /// The desktop has them under another owner.
    OtherOwnerOnDesktop,
    /// The desktop has more than one row under their key.
    DuplicateKey,
    /// A mobile user's own deletions, as far as anybody can tell without a change log.
    MobileDeletions,
    /// Mobile users deleted them, as the change log has it.
    DeletedByMobile,
    /// So many were marked as somebody else's, as the change log has it.
    OwnerChanged,
    /// The change log's triggers did not see them.
    NotLogged,
    /// They were deleted at both ends.
    DeletedAtBothEnds,
    /// They are copies of rows that a mobile user deleted, or the desktop made them; such rows are not
    /// sent.
    NeverSent,
    /// Nobody knows whose they are.
    NoOwner,
    /// Nothing explains them.
    Unexplained,
}

impl Explanation {
    fn level(self) -> Outcome {
        match self {
            Explanation::Withheld
            | Explanation::NotYetRead
            | Explanation::DeletedOnDesktop
            | Explanation::DeletedByMobile
            | Explanation::OwnerChanged
            | Explanation::NeverSent => Outcome::Ok,
            Explanation::NoStamp
            | Explanation::OtherOwnerOnDesktop
            | Explanation::DuplicateKey
            | Explanation::MobileDeletions
            | Explanation::NotLogged
            | Explanation::DeletedAtBothEnds
            | Explanation::NoOwner => Outcome::Warning,
            Explanation::Unexplained => Outcome::Failure,
        }
    }
}

impl Difference {
    /// `rows` rows that differ in this way, for this reason.
    pub(super) fn new(what: What, rows: u64, explained_by: Explanation) -> Self {
        let level = explained_by.level();
        Self { what, rows, explained_by, reason: None, level, keys: Vec::new() }
    }
}

impl Report {
    pub(super) fn new(run_id: Uuid, tables: Vec<TableReport>) -> Self {
        let outcome = tables.iter().map(|t| t.outcome).max().unwrap_or(Outcome::Ok);
        Self { schema_version: SCHEMA_VERSION, run_id, outcome, tables }
    }

    /// The exit code. Where several apply: 20, then 3; any other only where no table could be
    /// verified. With `strict` a warning or a withheld row is 3.
    pub fn exit_code(&self, strict: bool) -> u8 {
        let differences = || self.tables.iter().flat_map(|t| &t.differences);
        let codes = || self.tables.iter().filter_map(|t| t.kind).map(Kind::exit_code);
        let all_failed = self.tables.iter().all(|t| t.error.is_some());
        let strictly =
            |d: &Difference| d.level > Outcome::Ok || d.explained_by == Explanation::Withheld;
        if differences().any(|d| d.explained_by == Explanation::Unexplained) {
            return Kind::Verification.exit_code();
        }
        match codes().next() {
            Some(first) if all_failed => codes()
                .find(|code| (10..=13).contains(code))
                .or(codes().all(|code| code == first).then_some(first))
                .unwrap_or(3),
            Some(_) => 3,
            None if strict && differences().any(strictly) => 3,
            None => 0,
        }
    }
}

impl TableReport {
    /// Both ends as they were counted.
    pub(super) fn compared(table: String, counts: [Counts; 2], found: Vec<Difference>) -> Self {
        let [desktop, cloud] = counts.map(Some);
        let outcome = found.iter().map(|d| d.level).max().unwrap_or(Outcome::Ok);
        Self {
            outcome,
            desktop,
            cloud,
            differences: found,
            error: None,
            kind: None,
            ..Self::empty(table)
        }
    }

    /// A table that could not be verified.
    pub(super) fn failed(table: String, e: &Error) -> Self {
        Self { error: Some(Trouble::from(e)), kind: Some(e.kind()), ..Self::empty(table) }
    }

    fn empty(table: String) -> Self {
        Self {
            table,
            outcome: Outcome::Failure,
            desktop: None,
            cloud: None,
            recorded: None,
            recorded_at: None,
            mobile_expected: None,
            differences: Vec::new(),
            error: None,
            kind: None,
        }
    }
}
