//! What is known of one row: one document, a stable contract.

use serde::Serialize;
use serde_json::Value;

use crate::model::sample::Sample;
use crate::run::Trouble;
use crate::store::{LoggedChange, Values, WrittenBy};

/// One row, as both ends have it. Without `Debug`, as all that holds values of rows for people: no log
/// shows them.
#[derive(Serialize)]
pub struct Explained {
    /// The table.
    pub table: String,
    /// The key: columns of the cloud → text.
    pub key: Value,
    /// On the desktop.
    pub desktop: Side,
    /// In the cloud.
    pub cloud: Side,
    /// The columns that travel, in the cloud's order.
    #[serde(skip)]
    pub columns: Vec<String>,
    /// Those in which the two versions differ.
    pub differs: Vec<String>,
    /// Whether the cloud logs changes of the table.
    pub logged: bool,
    /// Whether a mobile user's change of it has not come home yet.
    pub pending: bool,
    /// What the cloud's change log has of it, the latest first.
    pub changes: Vec<LoggedChange>,
    /// What the next reverse run would do.
    pub reverse: Next,
    /// What the next forward run would do.
    pub forward: Next,
}

impl Explained {
    /// Whether there is such a row at either end.
    pub fn exists(&self) -> bool {
        self.desktop.values.is_some() || self.cloud.values.is_some()
    }
}

/// One end's part.
#[derive(Serialize)]
pub struct Side {
    /// The row; `None`: there is none.
    pub values: Option<Values>,
    /// Whose it is, by its mark there.
    pub owner: Option<Owner>,
    /// The run on record that wrote it as it is.
    pub written_by: Option<WrittenBy>,
    /// Whether the end tells that of every row: a SQL Server tells it of none.
    #[serde(skip)]
    pub tells_writers: bool,
    /// Where runs that write this end withhold it.
    pub withheld: Vec<Withheld>,
    /// Where a version of it lost in such a run.
    pub lost: Vec<Lost>,
}

/// Whose a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The desktop's.
    Desktop,
    /// The mobile side's.
    Mobile,
    /// It says neither.
    Nobody,
}

impl Owner {
    /// The word on the screen.
    pub fn word(self) -> &'static str {
        match self {
            Owner::Desktop => "the desktop",
            Owner::Mobile => "the mobile side",
            Owner::Nobody => "nobody",
        }
    }
}

/// An entry of `_sync_withheld`.
#[derive(Debug, Serialize)]
pub struct Withheld {
    /// As `conflicts show` takes it.
    pub id: String,
    /// `forward` or `reverse`.
    pub direction: String,
    /// Why.
    pub reason: String,
    /// Whether both sides have changed the row.
    pub contested: bool,
    /// What the target said of it.
    pub detail: Option<String>,
    /// When it was met first.
    pub since: String,
    /// When it was met last.
    pub last_seen: String,
    /// How often it was tried.
    pub attempts: i64,
}

/// An entry of `_sync_trash`.
#[derive(Debug, Serialize)]
pub struct Lost {
    /// As `conflicts show` takes it.
    pub id: String,
    /// `lost_to_desktop` or `lost_to_mobile`.
    pub reason: String,
    /// The run that decided.
    pub run_id: String,
    /// When.
    pub since: String,
}

/// What the next run of one direction would do with the row.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Next {
    /// It reads the row, and this becomes of it.
    Read(Sample),
    /// It does not read the row.
    Unread {
        /// Why.
        why: String,
        /// What a run with `--full` would do; nothing, where there is no row to read.
        full: Option<Sample>,
    },
    /// It can't sync the table.
    Refused(Trouble),
}
