//! The binary forms of PostgreSQL that tidegate writes and reads.

/// A binary form; several types of PostgreSQL may share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// `boolean`.
    Bool,
    /// `smallint`.
    Int2,
    /// `integer`.
    Int4,
    /// `bigint`.
    Int8,
    /// `real`.
    Float4,
    /// `double precision`.
    Float8,
    /// `numeric`.
    Numeric,
    /// `text`, `character varying` and `character`.
    Text,
    /// `bytea`.
    Bytea,
    /// `uuid`.
    Uuid,
    /// `date`.
    Date,
    /// `time without time zone`.
    Time,
    /// `timestamp without time zone`.
    Timestamp,
    /// `timestamp with time zone`.
    Timestamptz,
}

/// `character`, of whose blanks at the end PostgreSQL makes nothing.
pub(super) const BPCHAR: u32 = 1042;
/// `character varying`.
pub(super) const VARCHAR: u32 = 1043;

impl Form {
    /// Every form.
    pub const ALL: [Self; 14] = [
        Self::Bool,
        Self::Int2,
        Self::Int4,
        Self::Int8,
        Self::Float4,
        Self::Float8,
        Self::Numeric,
        Self::Text,
        Self::Bytea,
        Self::Uuid,
        Self::Date,
        Self::Time,
        Self::Timestamp,
        Self::Timestamptz,
    ];

    /// The form of a type by its oid; other types travel as text.
    pub fn of(oid: u32) -> Option<Self> {
        match oid {
            BPCHAR | VARCHAR => Some(Self::Text),
            _ => Self::ALL.into_iter().find(|form| form.oid() == oid),
        }
    }

    /// The oid of the type that is named after the form.
    pub fn oid(self) -> u32 {
        match self {
            Self::Bool => 16,
            Self::Int2 => 21,
            Self::Int4 => 23,
            Self::Int8 => 20,
            Self::Float4 => 700,
            Self::Float8 => 701,
            Self::Numeric => 1700,
            Self::Text => 25,
            Self::Bytea => 17,
            Self::Uuid => 2950,
            Self::Date => 1082,
            Self::Time => 1083,
            Self::Timestamp => 1114,
            Self::Timestamptz => 1184,
        }
    }
}
