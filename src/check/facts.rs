//! What is read of each end: a few whole statements for each kind of database. The rules turn it into
//! findings and need no database.

pub(super) mod postgres;
mod source;
pub(super) mod sqlserver;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use crate::db::postgres::sequences::Sequence;
use crate::model::{Ownership, TableName};

/// The role that we are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Role<'r> {
    pub(super) name: &'r str,
    /// Its name where rights on the whole server are given.
    pub(super) login: &'r str,
    /// What it is, if it may do anything.
    pub(super) power: Option<&'static str>,
}

impl<'r> Role<'r> {
    /// One of which no more is known.
    pub(super) fn named(name: &'r str) -> Self {
        Self { name, login: name, power: None }
    }
}

/// How our clock stands to a server's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Seconds that the server is ahead.
    pub(super) ahead: f64,
    /// How far that may be off: half the time that the question took.
    pub(super) tolerance: f64,
}

impl Clock {
    fn between(before: SystemTime, after: SystemTime, server: f64) -> Self {
        let seconds = |time: SystemTime| {
            time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
        };
        let (before, after) = (seconds(before), seconds(after));
        Self { ahead: server - (before + after) / 2.0, tolerance: (after - before).abs() / 2.0 }
    }
}

/// What the catalogue says of a table beyond what planning needs.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Table {
    #[serde(flatten)]
    pub(super) table: TableName,
    /// Whether it is on, for whomever.
    pub(super) row_security: bool,
    pub(super) owned: bool,
    pub(super) deletes: bool,
    pub(super) truncates: bool,
    /// An estimate.
    pub(super) rows: i64,
    /// The columns that some index begins with.
    pub(super) indexed: Vec<String>,
    /// What columns are filled with that are not given, as SQL.
    pub(super) defaults: BTreeMap<String, String>,
    pub(super) collations: Vec<Collation>,
    /// Those that its columns draw from.
    #[serde(skip)]
    pub(super) sequences: Vec<Sequence>,
    /// Whether SQL Server alone writes it, as the history of another.
    #[serde(skip)]
    pub(super) is_history: bool,
}

impl Table {
    /// The sequence that its key, or a part of it, is drawn from.
    pub(super) fn sequence_of_key(&self, marks: &Ownership) -> Option<&Sequence> {
        self.sequences.iter().find(|s| s.fills_key(marks))
    }
}

/// The collation of a column.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Collation {
    pub(super) column: String,
    pub(super) name: String,
    pub(super) deterministic: bool,
}

/// What triggers of a table do, as their source tells.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Triggers {
    #[serde(flatten)]
    pub(super) table: TableName,
    pub(super) writes: Vec<TriggerWrites>,
    pub(super) sets: Vec<TriggerSets>,
}

impl Triggers {
    fn none(table: &TableName) -> Self {
        Self { table: table.clone(), writes: Vec::new(), sets: Vec::new() }
    }

    fn add(&mut self, trigger: &str, written: source::Written) {
        let trigger = || trigger.to_owned();
        let writes = |table| TriggerWrites { trigger: trigger(), table };
        let sets = |column| TriggerSets { trigger: trigger(), column };
        self.writes.extend(written.tables.into_iter().map(writes));
        self.sets.extend(written.columns.into_iter().map(sets));
    }
}

/// A trigger that writes to a table.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TriggerWrites {
    pub(super) trigger: String,
    #[serde(flatten)]
    pub(super) table: TableName,
}

/// A trigger that sets a column of the row that is written.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TriggerSets {
    pub(super) trigger: String,
    pub(super) column: String,
}

/// What one scan of a table counts.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(super) struct Counts {
    pub(super) rows: u64,
    /// Rows with no stamp at all.
    pub(super) unstamped: u64,
    /// Rows that are neither side's.
    pub(super) strangers: u64,
    /// The greatest key below what the cloud's sequence hands out next that no mobile user made.
    pub(super) below: Option<i64>,
    /// The first key from there on that the sequence will come to.
    pub(super) taken: Option<i64>,
}

/// How long a table is counted, in seconds.
pub(super) const COUNT_SECONDS: &str = "30";
