//! The type of PostgreSQL that holds what a type of SQL Server holds.

use super::form::{BPCHAR, Form, VARCHAR};
use super::sql_type::{Length, SqlType};

/// A type of PostgreSQL as `pg_attribute` describes a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PgType {
    /// `atttypid`.
    pub oid: u32,
    /// `atttypmod`; -1 for none.
    pub typmod: i32,
}

/// What PostgreSQL adds to a length, and to a numeric's precision and scale.
const HEADER: i32 = 4;

/// PostgreSQL keeps microseconds.
const SECOND_DECIMALS: u8 = 6;

impl PgType {
    /// The binary form; none for a type that travels as text.
    pub fn form(self) -> Option<Form> {
        Form::of(self.oid)
    }

    /// The type as `format_type` spells it; `None` for one that travels as text.
    pub fn declaration(self) -> Option<String> {
        let length = |name: &str| match self.length() {
            Some(length) => format!("{name}({length})"),
            None => name.to_owned(),
        };
        let seconds = |before: &str, after: &str| match self.typmod {
            -1 => format!("{before} {after}"),
            decimals => format!("{before}({decimals}) {after}"),
        };
        Some(match self.form()? {
            Form::Bool => "boolean".to_owned(),
            Form::Int2 => "smallint".to_owned(),
            Form::Int4 => "integer".to_owned(),
            Form::Int8 => "bigint".to_owned(),
            Form::Float4 => "real".to_owned(),
            Form::Float8 => "double precision".to_owned(),
            Form::Numeric => match self.numeric() {
                Some((precision, scale)) => format!("numeric({precision},{scale})"),
                None => "numeric".to_owned(),
            },
            Form::Text if self.oid == BPCHAR && self.typmod == -1 => "bpchar".to_owned(),
            Form::Text if self.oid == BPCHAR => length("character"),
            Form::Text if self.oid == VARCHAR => length("character varying"),
            Form::Text => "text".to_owned(),
            Form::Bytea => "bytea".to_owned(),
            Form::Uuid => "uuid".to_owned(),
            Form::Date => "date".to_owned(),
            Form::Time => seconds("time", "without time zone"),
            Form::Timestamp => seconds("timestamp", "without time zone"),
            Form::Timestamptz => seconds("timestamp", "with time zone"),
        })
    }

    /// Whether blanks at the end of its texts mean nothing.
    pub(crate) fn is_padded(self) -> bool {
        self.oid == BPCHAR
    }

    /// How many characters it takes, if that is limited.
    pub(crate) fn length(self) -> Option<i32> {
        (self.typmod >= HEADER).then_some(self.typmod - HEADER)
    }

    /// Precision and scale of a numeric that has them; the scale may be negative.
    pub(crate) fn numeric(self) -> Option<(i32, i32)> {
        let coded = self.length()?;
        // Eleven bits with a sign.
        Some(((coded >> 16) & 0xffff, ((coded & 0x7ff) ^ 1024) - 1024))
    }

    /// Digits after the point of the second that it keeps.
    pub(crate) fn second_decimals(self) -> u8 {
        u8::try_from(self.typmod).map_or(SECOND_DECIMALS, |kept| kept.min(SECOND_DECIMALS))
    }

    fn plain(form: Form) -> Self {
        Self { oid: form.oid(), typmod: -1 }
    }

    fn decimal(precision: u8, scale: u8) -> Self {
        let coded = (i32::from(precision) << 16) | i32::from(scale);
        Self { oid: Form::Numeric.oid(), typmod: coded + HEADER }
    }

    fn seconds(form: Form, scale: u8) -> Self {
        let typmod = if scale < SECOND_DECIMALS { i32::from(scale) } else { -1 };
        Self { oid: form.oid(), typmod }
    }
}

impl SqlType {
    /// The type of PostgreSQL that a column of this type is staged and created as.
    ///
    /// It holds every value, the seventh decimal of a second and the offset of `datetimeoffset` aside
    /// ([`fits`](SqlType::fits) says so), and of texts U+0000 and half a surrogate pair. `char(n)` has
    /// no more characters than bytes, and `nchar(n)` no more than UTF-16 units, so `n` suffices.
    pub fn travels_as(self) -> PgType {
        let text = |oid, length: u16| PgType { oid, typmod: i32::from(length) + HEADER };
        match self {
            Self::Bit => PgType::plain(Form::Bool),
            Self::TinyInt | Self::SmallInt => PgType::plain(Form::Int2),
            Self::Int => PgType::plain(Form::Int4),
            Self::BigInt => PgType::plain(Form::Int8),
            Self::Decimal { precision, scale } => PgType::decimal(precision, scale),
            Self::Money => PgType::decimal(19, 4),
            Self::SmallMoney => PgType::decimal(10, 4),
            Self::Real => PgType::plain(Form::Float4),
            Self::Float => PgType::plain(Form::Float8),
            Self::Char { length, .. } | Self::NChar { length } => text(BPCHAR, length),
            Self::VarChar { length: Length::Of(length), .. }
            | Self::NVarChar { length: Length::Of(length) } => text(VARCHAR, length),
            Self::VarChar { length: Length::Max, .. }
            | Self::NVarChar { length: Length::Max }
            | Self::Text { .. }
            | Self::NText
            | Self::Xml => PgType::plain(Form::Text),
            Self::Binary { .. } | Self::VarBinary { .. } | Self::Image | Self::RowVersion => {
                PgType::plain(Form::Bytea)
            }
            Self::Date => PgType::plain(Form::Date),
            Self::Time { scale } => PgType::seconds(Form::Time, scale),
            Self::DateTime => PgType::seconds(Form::Timestamp, 3),
            Self::SmallDateTime => PgType::seconds(Form::Timestamp, 0),
            Self::DateTime2 { scale } => PgType::seconds(Form::Timestamp, scale),
            Self::DateTimeOffset { scale } => PgType::seconds(Form::Timestamptz, scale),
            Self::UniqueIdentifier => PgType::plain(Form::Uuid),
        }
    }
}
