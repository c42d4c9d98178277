//! How one table is to be synced: what the catalogues and the configuration make of it.

use crate::error::End;

use super::names::TableName;
use super::policy::Policy;
use super::schema::TableSchema;
use super::settings::{Capture, Ownership, TableSettings};
use super::types::{PgType, SqlType};

/// Which way the rows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Desktop → cloud.
    Forward,
    /// Cloud → desktop.
    Reverse,
}

impl Direction {
    /// The word in tables and output.
    pub const fn word(self) -> &'static str {
        match self {
            Direction::Forward => "forward",
            Direction::Reverse => "reverse",
        }
    }

    /// The end that is read.
    pub const fn source(self) -> End {
        match self {
            Direction::Forward => End::Desktop,
            Direction::Reverse => End::Cloud,
        }
    }

    /// The end that is written.
    pub const fn target(self) -> End {
        self.opposite().source()
    }

    /// The other one.
    pub const fn opposite(self) -> Self {
        match self {
            Direction::Forward => Direction::Reverse,
            Direction::Reverse => Direction::Forward,
        }
    }
}

/// What tells which version of a row was edited by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The stamps of the two versions.
    Stamps,
    /// The cloud's change log.
    Log,
}

/// What the reader says of a row beside its columns: another column of the stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// When the version was made: its latest stamp; of a mobile edit, when that was.
    Stamp,
    /// The version that SQL Server gave it, as text.
    Version,
    /// The transaction of its first entry in the change log since the position.
    Xid,
    /// The number of that entry.
    Seq,
    /// Whether a user changed it since the position.
    Edited,
    /// The digests of what it was before these changes, at both ends; of all that it was since the
    /// position, if the last run stopped on the way.
    Bases,
    /// The digest of the target's version that it stands for, if triggers made it of that.
    Counterpart,
}

impl Note {
    /// The stage's column.
    pub const fn name(self) -> &'static str {
        match self {
            Note::Stamp => "_tidegate_stamp",
            Note::Version => "_tidegate_version",
            Note::Xid => "_tidegate_xid",
            Note::Seq => "_tidegate_seq",
            Note::Edited => "_tidegate_edited",
            Note::Bases => "_tidegate_bases",
            Note::Counterpart => "_tidegate_counterpart",
        }
    }

    /// Its type.
    pub const fn type_name(self) -> &'static str {
        match self {
            Note::Stamp => "timestamptz",
            Note::Version | Note::Counterpart => "text",
            Note::Xid => "xid8",
            Note::Seq => "bigint",
            Note::Edited => "boolean",
            Note::Bases => "text[]",
        }
    }
}

/// One table, ready to be synced in one direction.
#[derive(Debug, Clone)]
pub struct TablePlan {
    /// Which way.
    pub direction: Direction,
    /// The rules of this direction.
    pub policy: Policy,
    /// How the source's changes are found.
    pub capture: Capture,
    /// What tells which version was edited.
    pub evidence: Evidence,
    /// What the reader says of each row beside its columns.
    pub notes: Vec<Note>,
    /// The table that is read.
    pub source: TableName,
    /// The table that is written.
    pub target: TableName,
    /// The columns that travel, in the target's order.
    pub columns: Vec<ColumnPlan>,
    /// The primary key of the target: indexes into `columns`, in the order of the key.
    pub key: Vec<usize>,
    /// Whether the source is known to hold each key once.
    pub key_is_unique_at_source: bool,
    /// The ownership column and its marks.
    pub owner: OwnerPlan,
    /// The stamps.
    pub stamps: StampPlan,
    /// The source's column with the versions of its rows, where its changes are found by them.
    pub version: Option<String>,
    /// The foreign keys of the target whose columns travel.
    pub parents: Vec<Parent>,
    /// The unique indexes of the target, other than the primary key, whose columns all travel.
    pub uniques: Vec<Unique>,
    /// Indexes into `columns` of those that stand in a unique index other than the primary key.
    pub unique_columns: Vec<usize>,
    /// Whether the target may make something else of what is written: its own BEFORE triggers do, or
    /// its columns keep less of a value.
    pub target_remakes: bool,
    /// Whether the target has BEFORE triggers; a SQL Server, whether it has any.
    pub target_has_triggers: bool,
    /// Indexes into `columns` of those that make a version what it is, by their names: they travel
    /// both ways, and are neither key nor `updated_at`. Two rows with the same digest of these are
    /// the same version.
    pub content: Vec<usize>,
    /// The tables of the target that tidegate syncs, this one among them.
    pub synced: Vec<TableName>,
    /// Columns that the target lacks; reported and left out.
    pub drift: Vec<String>,
    /// What the configuration says.
    pub settings: TableSettings,
}

/// One column that travels.
#[derive(Debug, Clone)]
pub struct ColumnPlan {
    /// Its name in tidegate's own tables and for operators: the cloud's.
    pub name: String,
    /// Where its value comes from.
    pub origin: Origin,
    /// Its name in the target.
    pub target: String,
    /// Its type in the target, as SQL spells it.
    pub target_type: String,
    /// The same without its modifier: what is written as it comes, so that the target refuses what
    /// is too long, where a cast would cut it.
    pub bare_type: String,
    /// How it travels.
    pub passage: Passage,
    /// The type of PostgreSQL as which it travels.
    pub travels_as: PgType,
    /// The desktop's type, where that is one of SQL Server.
    pub sql_type: Option<SqlType>,
    /// The desktop's collation, where it is a text of SQL Server.
    pub collation: Option<String>,
    /// GENERATED ALWAYS AS IDENTITY in the target.
    pub identity_always: bool,
}

impl ColumnPlan {
    /// The source's column that it comes from; none where the source has no ownership column.
    pub fn source_name(&self) -> Option<&str> {
        match &self.origin {
            Origin::Column { name, .. } => Some(name),
            Origin::Owner => None,
        }
    }
}

/// Where a column's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The source's column of this name and type.
    Column {
        /// Its name.
        name: String,
        /// Its type, as SQL spells it.
        type_name: String,
    },
    /// The desktop has no ownership column: every row is its own.
    Owner,
}

/// How a value gets from the source's type to the target's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// The bytes as they are: type and modifier are the same at both ends.
    Straight,
    /// As text, cast in the target.
    Text,
    /// Between `timestamp` and `timestamptz`, by the configured zone.
    Zoned,
}

/// The ownership column and what its marks mean in this direction.
#[derive(Debug, Clone)]
pub struct OwnerPlan {
    /// Index into `columns`.
    pub column: usize,
    /// The mark of the side that writes.
    pub writer: String,
    /// The mark of the other side.
    pub other: String,
    /// The mark of mobile rows, whichever way the rows go.
    pub mobile: String,
}

/// The columns that tell when a row was changed last: the greater of them counts.
#[derive(Debug, Clone)]
pub struct StampPlan {
    /// In the source.
    pub source: Vec<Stamp>,
    /// In the target, of those that travel.
    pub target: Vec<String>,
    /// In the target, whether they travel or not.
    pub held: Vec<Stamp>,
    /// The cloud's column that a mobile edit may set.
    pub mobile: Option<Stamp>,
    /// The target's column that every change stamps, if it travels.
    pub updated_at: Option<String>,
}

/// A stamp of one end.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// The column's name.
    pub name: String,
    /// `timestamp without time zone`: read in the configured zone.
    pub zoneless: bool,
    /// Its type, where that is one of SQL Server.
    pub sql_type: Option<SqlType>,
}

/// A table that rows of this one refer to.
#[derive(Debug, Clone)]
pub struct Parent {
    /// The constraint's name.
    pub name: String,
    /// The table referred to.
    pub table: TableName,
    /// Index into `columns` → the parent's column.
    pub columns: Vec<(usize, String)>,
    /// Whether tidegate writes the parent as well.
    pub synced: bool,
    /// Whether our role may lock the parent's rows.
    pub lockable: bool,
    /// Whether every referring column may be NULL.
    pub nullable: bool,
    /// Whether the parent, over any number of steps, refers back to this table.
    pub cyclic: bool,
}

/// Values that only one row may have.
#[derive(Debug, Clone)]
pub struct Unique {
    /// Indexes into `columns`, in the order of the index.
    pub columns: Vec<usize>,
    /// How rows of one batch can pass such a value on to each other.
    pub passing: Passing,
}

/// How a unique value gets from one row to another within a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passing {
    /// As it is: the index is checked at the end of the statement.
    Deferred,
    /// The row that has it is parked first: its column of this index into the plan's `columns` is
    /// set to a value that is free.
    Parked(usize, FreeValue),
    /// Not at all: it is withheld until the row that had it has another.
    No,
}

/// A value that no row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreeValue {
    /// NULL, of which there may be many.
    Null,
    /// A number above all that are there: a constraint is more likely to refuse one below.
    Number,
    /// A random text of no more than so many characters.
    Text(u32),
    /// A random UUID.
    Uuid,
}

impl Parent {
    /// Whether a row may be inserted without this reference, to be set later.
    pub fn is_breakable(&self) -> bool {
        self.cyclic && self.nullable && self.synced
    }
}

impl TablePlan {
    /// The columns of the key.
    pub fn key_columns(&self) -> impl Iterator<Item = &ColumnPlan> {
        self.key.iter().map(|&i| &self.columns[i])
    }

    /// The ownership column.
    pub fn owner_column(&self) -> &ColumnPlan {
        &self.columns[self.owner.column]
    }

    /// The columns that an update may set: neither key nor owner, nor what the target computes.
    pub fn settable(&self) -> impl Iterator<Item = &ColumnPlan> {
        self.columns
            .iter()
            .enumerate()
            .filter(|(i, c)| !self.key.contains(i) && *i != self.owner.column && !c.identity_always)
            .map(|(_, c)| c)
    }

    /// Whether the reader says this of each row.
    pub fn has_note(&self, note: Note) -> bool {
        self.notes.contains(&note)
    }

    /// The name under which the table is known in tidegate's own tables and to operators.
    pub fn label(&self) -> String {
        self.settings.cloud.to_string()
    }
}

/// Everything that planning looks at.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// What the configuration says of the table.
    pub settings: &'a TableSettings,
    /// The marks.
    pub ownership: &'a Ownership,
    /// How mobile changes are found.
    pub cloud_capture: Capture,
    /// The desktop's table, if it exists.
    pub desktop: Option<&'a TableSchema>,
    /// The cloud's table, if it exists.
    pub cloud: Option<&'a TableSchema>,
    /// The tables of the target that tidegate syncs, in this run or another.
    pub synced: &'a [TableName],
    /// Whether the desktop holds tidegate's own tables, so that it knows what came home.
    pub desktop_remembers: bool,
}

/// What to do with a row whose parent is missing where foreign keys form a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cycles {
    /// Withhold it: the parent is likely to arrive.
    Wait,
    /// Insert it without the reference, if that may be NULL, and set it later.
    Break,
}
