//! A cell of a row.

use std::borrow::Cow;
use std::fmt;

use uuid::Uuid;

/// One value of a row, exactly as its column holds it.
///
/// Two values of one column are equal if they are equal here: a column has one scale, and blanks at
/// the end of `char` and `nchar` are left out.
#[derive(Clone, PartialEq)]
pub enum Value<'a> {
    /// NULL of any type.
    Null,
    /// `bit`.
    Bool(bool),
    /// All integers.
    Int(i64),
    /// `digits` × 10^-`scale`: `decimal`, `money`; at most 38 digits.
    Decimal {
        /// The digits without the point, with the sign.
        digits: i128,
        /// How many of them stand after the point.
        scale: u8,
    },
    /// `real`; never NaN.
    Real(f32),
    /// `float`; never NaN.
    Float(f64),
    /// UTF-8, except that half a surrogate pair is three bytes (WTF-8), which PostgreSQL refuses as
    /// it does U+0000.
    Text(Cow<'a, [u8]>),
    /// `binary`, `varbinary`, `image`, `rowversion`.
    Bytes(Cow<'a, [u8]>),
    /// `uniqueidentifier`.
    Uuid(Uuid),
    /// Days since 0001-01-01.
    Date(i32),
    /// Ticks of 100 ns since midnight, less than a day.
    Time(i64),
    /// Ticks of 100 ns since 0001-01-01 00:00 by an unnamed clock on a wall.
    DateTime(i64),
    /// An instant; also what [`Zone`](super::Zone) makes of a wall's clock.
    DateTimeOffset {
        /// Ticks of 100 ns since 0001-01-01 00:00 UTC.
        utc: i64,
        /// How far the writer's clock was ahead, in minutes; PostgreSQL doesn't keep it.
        offset: i16,
    },
}

impl Value<'_> {
    /// The value without what it borrows.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes.into_owned())),
            Value::Null => Value::Null,
            Value::Bool(v) => Value::Bool(v),
            Value::Int(v) => Value::Int(v),
            Value::Decimal { digits, scale } => Value::Decimal { digits, scale },
            Value::Real(v) => Value::Real(v),
            Value::Float(v) => Value::Float(v),
            Value::Uuid(v) => Value::Uuid(v),
            Value::Date(v) => Value::Date(v),
            Value::Time(v) => Value::Time(v),
            Value::DateTime(v) => Value::DateTime(v),
            Value::DateTimeOffset { utc, offset } => Value::DateTimeOffset { utc, offset },
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Value::Null => "Null",
            Value::Bool(_) => "Bool",
            Value::Int(_) => "Int",
            Value::Decimal { .. } => "Decimal",
            Value::Real(_) => "Real",
            Value::Float(_) => "Float",
            Value::Text(_) => "Text",
            Value::Bytes(_) => "Bytes",
            Value::Uuid(_) => "Uuid",
            Value::Date(_) => "Date",
            Value::Time(_) => "Time",
            Value::DateTime(_) => "DateTime",
            Value::DateTimeOffset { .. } => "DateTimeOffset",
        }
    }
}

/// The kind alone: no log shows what a row holds.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_value() {
        let values = [
            Value::Int(4711),
            Value::Text(Cow::Borrowed(b"4711")),
            Value::Decimal { digits: 4711, scale: 0 },
            Value::DateTime(4711),
        ];
        for value in values {
            assert!(!format!("{value:?} {:?}", Some(value.clone())).contains("4711"));
        }
    }
}
