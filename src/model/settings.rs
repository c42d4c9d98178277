//! What the configuration says of one table, checked: the input of planning.

use std::collections::BTreeMap;
use std::time::Duration;

use super::names::TableName;

/// The two marks in the ownership column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// The ownership column's name, the same in every table.
    pub column: String,
    /// The mark of rows that the desktop created, `D`.
    pub desktop: String,
    /// The mark of rows that the mobile app created, `M`.
    pub mobile: String,
}

/// How long after its stamp a row may still be committed by a writer that the horizon can't see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lag {
    /// Nothing in the configuration: two seconds.
    Unset,
    /// Set on purpose.
    Set(Duration),
}

impl Lag {
    /// What holds when the configuration says nothing.
    pub const DEFAULT: Duration = Duration::from_secs(2);

    /// The lag to subtract from the clock.
    pub fn duration(self) -> Duration {
        match self {
            Lag::Unset => Self::DEFAULT,
            Lag::Set(lag) => lag,
        }
    }

    /// Whether the lag alone may bound the horizon: set on purpose, and longer than the default.
    pub fn stands_alone(self) -> bool {
        matches!(self, Lag::Set(lag) if lag > Self::DEFAULT)
    }
}

/// How the changes of a source are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// By the stamps of its rows.
    Timestamp,
    /// By the versions that SQL Server gives its rows.
    Rowversion,
    /// By the cloud's change log.
    Log,
    /// By the change log of a SQL Server desktop, which gives versions to its entries.
    DesktopLog,
}

impl Capture {
    /// The kind of its positions: the versions of a log's entries are drawn as those of rows are.
    pub fn positions(self) -> Self {
        match self {
            Capture::Rowversion | Capture::DesktopLog => Capture::Rowversion,
            Capture::Timestamp | Capture::Log => self,
        }
    }

    /// How the file writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Capture::Timestamp => "timestamp",
            Capture::Rowversion => "rowversion",
            Capture::Log | Capture::DesktopLog => "log",
        }
    }
}

/// One table of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSettings {
    /// The table in the cloud; what operators call it.
    pub cloud: TableName,
    /// The table on the desktop.
    pub desktop: TableName,
    /// `false`: left out unless a command names the table.
    pub enabled: bool,
    /// Columns that are not synced, by their desktop name.
    pub exclude: Vec<String>,
    /// Desktop name → cloud name, of the columns whose names differ.
    pub rename: BTreeMap<String, String>,
    /// Tables that triggers of the cloud's table may write.
    pub also_writes: Vec<TableName>,
    /// How changes of the desktop are found.
    pub capture: Capture,
    /// The column that every change stamps.
    pub updated_at: String,
    /// The column that is stamped when a row is made.
    pub created_at: String,
    /// The lag of the horizon.
    pub lag: Lag,
    /// The zone of stamps without one, as in `Europe/London`.
    pub assume_timezone: Option<String>,
    /// A batch ends at this many rows …
    pub batch_rows: u64,
    /// … or at this many bytes, whichever comes first.
    pub batch_bytes: u64,
    /// More rows with bad data than this in one run stop the table (see `Tally::bad`).
    pub max_withheld: u64,
}

impl TableSettings {
    /// What the cloud calls the desktop's column `name`.
    pub fn cloud_name<'n>(&'n self, name: &'n str) -> &'n str {
        self.rename.get(name).map_or(name, String::as_str)
    }
}
