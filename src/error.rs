//! What can go wrong: an [`Error`] says what happened, its [`Kind`] says what follows from it
//! (the remedy, the exit code, whether to try again).

use std::error::Error as StdError;
use std::fmt;

/// The result of everything in tidegate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One of the two ends; which of them is source and which target depends on the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The office's database.
    Desktop,
    /// The PostgreSQL that the mobile app works on.
    Cloud,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            End::Desktop => "desktop",
            End::Cloud => "cloud",
        })
    }
}

/// What an error means to the operator. Few on purpose: one [remedy](Kind::remedy) and one
/// [exit code](Kind::exit_code) each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The configuration, or something in a database that has to be set up first.
    Config,
    /// A database can't be reached.
    Unreachable(End),
    /// A database refused the credentials, or the role lacks a right.
    Unauthorised,
    /// Another run holds the table.
    Held,
    /// The check found that a transaction wrote something else than what was planned, or that rows
    /// are missing which nobody removed.
    Verification,
    /// The database gave up for a reason that passes: a deadlock, a lost connection.
    Transient,
    /// Somebody holds a lock on a row that is wanted.
    Busy,
    /// A statement took longer than it may.
    Slow,
    /// A row has a value that the target refuses: its type, a constraint or a trigger does.
    BadValue,
    /// A row has a value that has to be unique, and another row of the target has it.
    Taken,
    /// So many rows are refused that the table is bad as a whole.
    Data,
    /// A signal asked to stop.
    Interrupted,
    /// Anything else.
    Other,
}

impl Kind {
    /// The sentence that tells an operator what to do.
    pub fn remedy(self) -> &'static str {
        match self {
            Kind::Config => "Correct what the message names, then run again.",
            Kind::Unreachable(End::Desktop) => {
                "Check that the desktop database runs and that [desktop] url names its host and port."
            }
            Kind::Unreachable(End::Cloud) => {
                "Check the network, and that [cloud] url names the right host and port."
            }
            Kind::Unauthorised => "Check user, password and the rights of the role.",
            Kind::Held => "Another run is at work on the table; the next timer run will go on.",
            Kind::Verification => {
                "The batch was rolled back. Look for triggers of the target that write elsewhere \
                 and name the tables that they may write in also_writes."
            }
            Kind::Transient => "The next run goes on where this one stopped.",
            Kind::Busy => {
                "Look for a transaction of the cloud that stays open; the next run tries again."
            }
            Kind::Slow => {
                "Look for what slows the cloud down, or set a smaller batch_rows; the next run goes \
                 on where this one stopped."
            }
            Kind::BadValue => "Correct the row at its source, or what refuses it in the target.",
            Kind::Taken => "Correct the value in one of the two rows that have it.",
            Kind::Data => "Correct the rows that tidegate status counts as withheld.",
            Kind::Interrupted => "Run again; it goes on where this run stopped.",
            Kind::Other => "Run again with -v and read the log.",
        }
    }

    /// The process's exit code when this is what ended a run; the README lists them.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Other | Kind::Transient | Kind::Busy | Kind::Slow => 1,
            Kind::BadValue | Kind::Taken | Kind::Data => 1,
            Kind::Config => 10,
            Kind::Unreachable(End::Desktop) => 11,
            Kind::Unauthorised => 12,
            Kind::Unreachable(End::Cloud) => 13,
            Kind::Verification => 20,
            Kind::Held => 75,
            Kind::Interrupted => 130,
        }
    }

    /// Whether the same work may succeed when it is tried again at once.
    pub fn is_transient(self) -> bool {
        matches!(self, Kind::Transient | Kind::Busy | Kind::Slow)
    }
}

/// An error with its kind, a message without row values, and the cause.
pub struct Error {
    kind: Kind,
    message: String,
    remedy: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` that says `message`: one sentence without a full stop, never a row value.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), remedy: None, source: None }
    }

    /// A [`Kind::Config`] error with a remedy of its own.
    pub fn config(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Kind::Config, message).remedied(remedy)
    }

    /// Keeps `source` as the cause.
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Replaces the kind's general remedy by a more exact one.
    pub fn remedied(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Puts `context` before the message, as in `context: message`.
    pub fn within(mut self, context: impl fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    /// What follows from the error.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What the operator should do.
    pub fn remedy(&self) -> &str {
        self.remedy.as_deref().unwrap_or(self.kind.remedy())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.message)?;
        match &self.source {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|e| e as &(dyn StdError + 'static))
    }
}
