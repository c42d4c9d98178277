//! What a run says of itself: one document, a stable contract.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use crate::error::{Error, Kind};
use crate::model::Reason;
use crate::model::sample::Sample;

/// The version of the document; it grows when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// One run, with every table of it.
#[derive(Debug, Serialize)]
pub struct RunReport {
    /// See [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Names the run in tidegate's tables and logs.
    pub run_id: Uuid,
    /// `forward`, `reverse`, or `sync` for both.
    pub direction: &'static str,
    /// Whether everything was rolled back in the end.
    pub dry_run: bool,
    /// The worst of the tables' outcomes.
    pub outcome: Outcome,
    /// In the order of the configuration.
    pub tables: Vec<TableReport>,
}

/// One table's part in a run.
#[derive(Debug, Serialize)]
pub struct TableReport {
    /// The table.
    pub table: String,
    /// `forward` or `reverse`.
    pub direction: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// Rows read from the source.
    pub read: u64,
    /// Rows inserted into the target.
    pub inserted: u64,
    /// Rows updated in the target.
    pub updated: u64,
    /// Rows that were the same already.
    pub unchanged: u64,
    /// Rows that were not written.
    pub withheld: u64,
    /// The same by reason.
    pub withheld_by: BTreeMap<Reason, u64>,
    /// Rows deleted in the target.
    pub deleted: u64,
    /// Mobile rows when they were last counted before this run.
    pub mobile_before: Option<u64>,
    /// Mobile rows after it.
    pub mobile_after: Option<u64>,
    /// Up to where the source has been read now.
    pub watermark: Option<String>,
    /// How long it took.
    pub seconds: f64,
    /// Columns of the desktop that the cloud lacks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
    /// What went wrong, with its remedy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Trouble>,
    /// What only a rehearsal tells.
    #[serde(flatten)]
    pub rehearsed: Option<Rehearsed>,
}

/// What a plan says of a table beside what a run says.
#[derive(Debug, Serialize)]
pub struct Rehearsed {
    /// Up to where the source has been read before.
    pub watermark_from: Option<String>,
    /// Some of its rows, if they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<Vec<Sample>>,
}

/// An error as it is shown.
#[derive(Debug, Serialize)]
pub struct Trouble {
    /// What happened.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// What follows from it; nothing, where another table's error is the cause.
    #[serde(skip)]
    kind: Option<Kind>,
}

impl From<&Error> for Trouble {
    fn from(e: &Error) -> Self {
        Self { message: e.to_string(), remedy: e.remedy().to_owned(), kind: Some(e.kind()) }
    }
}

impl Trouble {
    /// The trouble of a table that `parent` kept from its turn.
    pub(super) fn held_back_by(parent: &str) -> Self {
        Self {
            message: format!("not tried, because {parent}, which it refers to, was not done"),
            remedy: format!("Mend {parent}; this table follows by itself."),
            kind: None,
        }
    }
}

/// How a table, or a run, ended; each is worse than those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done.
    Ok,
    /// Another run holds the table.
    Held,
    /// A table that it refers to failed.
    HeldBack,
    /// It can't be synced safely as it is set up.
    Refused,
    /// An error ended it.
    Failed,
    /// Done in part (a run only).
    Partial,
    /// A signal asked to stop.
    Interrupted,
    /// The check refused what a transaction had written, and it was rolled back; or mobile rows are
    /// missing that nothing explains.
    VerificationFailed,
}

impl Outcome {
    /// The word in JSON, in tables and on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Held => "held",
            Outcome::HeldBack => "held_back",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
            Outcome::Partial => "partial",
            Outcome::Interrupted => "interrupted",
            Outcome::VerificationFailed => "verification_failed",
        }
    }

    /// How a table ends that met an error of `kind`.
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Verification => Outcome::VerificationFailed,
            Kind::Held => Outcome::Held,
            Kind::Interrupted => Outcome::Interrupted,
            Kind::Config => Outcome::Refused,
            _ => Outcome::Failed,
        }
    }
}

impl RunReport {
    /// The report of a run over `tables`.
    pub fn new(
        run_id: Uuid,
        direction: &'static str,
        dry_run: bool,
        tables: Vec<TableReport>,
    ) -> Self {
        let outcome = outcome(&tables);
        Self { schema_version: SCHEMA_VERSION, run_id, direction, dry_run, outcome, tables }
    }

    /// The exit code. Where several apply: 20, then 130, then 3, then 75; any other only where no
    /// table was done, and all for one reason. With `strict` a withheld row alone is 3.
    pub fn exit_code(&self, strict: bool) -> u8 {
        let kinds = || self.tables.iter().filter_map(|t| t.error.as_ref()?.kind);
        let any = |kind: Kind| kinds().any(|k| k == kind);
        let first = kinds().next().map(Kind::exit_code);
        let same = || first.filter(|&first| kinds().all(|kind| kind.exit_code() == first));
        let setup = || kinds().map(Kind::exit_code).find(|code| (10..=13).contains(code));
        let withheld = self.tables.iter().any(|t| t.withheld > 0);
        match self.outcome {
            Outcome::VerificationFailed => Kind::Verification.exit_code(),
            _ if any(Kind::Interrupted) => Kind::Interrupted.exit_code(),
            Outcome::Ok if strict && withheld => 3,
            Outcome::Ok => 0,
            Outcome::Held => Kind::Held.exit_code(),
            Outcome::Partial => 3,
            // Nothing was done: the code says why.
            _ => setup().or(same()).unwrap_or(3),
        }
    }

    /// Rows that were written, or would be.
    pub fn written(&self) -> u64 {
        self.tables.iter().map(|t| t.inserted + t.updated).sum()
    }

    /// Withheld rows of all tables.
    pub fn withheld(&self) -> u64 {
        self.tables.iter().map(|t| t.withheld).sum()
    }
}

/// A run in which one table was done and another was not is done in part.
fn outcome(tables: &[TableReport]) -> Outcome {
    let worst = tables.iter().map(|t| t.outcome).max().unwrap_or(Outcome::Ok);
    let some_done = tables.iter().any(|t| t.outcome == Outcome::Ok);
    match worst {
        Outcome::HeldBack | Outcome::Refused | Outcome::Failed if some_done => Outcome::Partial,
        worst => worst,
    }
}
