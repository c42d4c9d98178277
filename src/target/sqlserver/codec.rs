//! How the values of one column get from a field of a batch into the desktop's column, and back into
//! the form of the field.

use bytes::{Bytes, BytesMut};

use crate::db::sqlserver::types::{Value, decode, encode, parse, text};
use crate::error::{Error, Kind, Result};
use crate::model::plan::{ColumnPlan, Passage};
use crate::model::types::{Form, PgType, Refusal, SqlType};

/// No type modifier.
const ANY: i32 = -1;
/// `character`.
const BPCHAR: u32 = 1042;
/// Bytes that no value of a form has.
const NOTHING: &[u8] = &[0xff; 3];

/// One column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Codec {
    /// The desktop's type.
    pub(super) of: SqlType,
    passage: Passage,
    /// The form of its fields.
    form: Form,
    /// Whether blanks at the end of its texts mean nothing, in the cloud.
    is_padded: bool,
    /// The type of PostgreSQL in whose words the desktop's own values travel as text.
    own: PgType,
    decimals: Decimals,
}

/// What becomes of decimals of the second that the column doesn't keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decimals {
    /// The value is refused.
    Refused,
    /// They are left out: of a stamp.
    LeftOut,
}

impl Codec {
    /// That of a column.
    ///
    /// # Errors
    /// When it was not planned for a SQL Server.
    pub(super) fn of(c: &ColumnPlan, decimals: Decimals) -> Result<Self> {
        let odd = || Error::new(Kind::Other, format!("no form is known of the column {}", c.name));
        let of = c.sql_type.ok_or_else(odd)?;
        let form = match c.passage {
            Passage::Straight | Passage::Zoned => c.travels_as.form().ok_or_else(odd)?,
            Passage::Text => Form::Text,
        };
        let is_padded = c.passage == Passage::Straight && c.travels_as.oid == BPCHAR;
        Ok(Self { of, passage: c.passage, form, is_padded, own: of.travels_as(), decimals })
    }

    /// The value of a field as the desktop's column holds it.
    ///
    /// # Errors
    /// When the column can't hold it as it is.
    pub(super) fn value(self, field: Option<&[u8]>) -> Result<Value<'static>, Refusal> {
        let value = match (self.passage, field) {
            (Passage::Text, Some(bytes)) => match str::from_utf8(bytes) {
                Ok(text) => parse(text, self.words_form())?,
                Err(_) => decode(field, Form::Text)?,
            },
            _ => decode(field, self.form)?,
        };
        let value = match self.decimals {
            Decimals::Refused => value,
            Decimals::LeftOut => value.floored(self.of),
        };
        value.fit(self.of).map(Value::into_owned)
    }

    /// The value that [`words`](Self::words) tells, as the desktop's column holds it.
    ///
    /// # Errors
    /// When the column can't hold it as it is.
    pub(super) fn parse(self, words: &str) -> Result<Value<'static>, Refusal> {
        let form = match self.passage {
            Passage::Text => self.words_form(),
            Passage::Straight | Passage::Zoned => self.form,
        };
        parse(words, form)?.fit(self.of).map(Value::into_owned)
    }

    /// The field of a value that the desktop's column holds. What the form can't take travels in other
    /// bytes, which no field of a batch has.
    pub(super) fn field(self, value: &Value<'_>) -> Option<Bytes> {
        if *value == Value::Null {
            return None;
        }
        if self.passage != Passage::Text {
            let mut field = BytesMut::new();
            if encode(value, self.form, ANY, &mut field).is_ok() {
                // After the length.
                return Some(field.split_off(4).freeze());
            }
        }
        let words = text(value, self.words_form(), self.own.typmod).ok().flatten();
        Some(words.map_or(Bytes::from_static(NOTHING), Bytes::from))
    }

    /// What PostgreSQL prints of a field; of one that is no value of its type, its bytes.
    pub(super) fn words(self, field: Option<&[u8]>) -> Option<String> {
        let field = field?;
        let printed = match decode(Some(field), self.form) {
            Ok(value) => text(&value, self.form, ANY).ok().flatten(),
            Err(_) => None,
        };
        let printed = match (printed, self.is_padded) {
            (Some(text), true) => Some(text.trim_end_matches(' ').to_owned()),
            (printed, _) => printed,
        };
        printed.or_else(|| text(&Value::Bytes(field.into()), Form::Bytea, ANY).ok().flatten())
    }

    fn words_form(self) -> Form {
        self.own.form().unwrap_or(Form::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::types::Length;

    fn codec(of: SqlType, passage: Passage, form: Form) -> Codec {
        let decimals = Decimals::Refused;
        Codec { of, passage, form, is_padded: false, own: of.travels_as(), decimals }
    }

    #[test]
    fn what_a_column_holds_is_compared_in_the_form_of_the_batch() {
        let stamp = codec(SqlType::DateTime2 { scale: 7 }, Passage::Straight, Form::Timestamp);
        // The seventh decimal does not travel.
        let held = stamp.field(&Value::DateTime(630_822_816_000_000_007));
        assert_eq!(held.as_deref(), Some(&0_i64.to_be_bytes()[..]));
        assert_eq!(stamp.field(&Value::Null), None);
    }

    #[test]
    fn a_number_is_compared_as_the_column_keeps_it() {
        let money = codec(SqlType::Money, Passage::Straight, Form::Numeric);
        // 1.5 and 1.5000.
        let field = [0, 2, 0, 0, 0, 0, 0, 1, 0, 1, 0x13, 0x88];
        let value = money.value(Some(&field)).unwrap();
        assert!(value == Value::Decimal { digits: 15_000, scale: 4 });
        assert_eq!(money.words(money.field(&value).as_deref()).unwrap(), "1.5000");
    }

    #[test]
    fn a_value_that_the_column_would_change_is_refused() {
        let short =
            codec(SqlType::NVarChar { length: Length::Of(2) }, Passage::Straight, Form::Text);
        assert!(short.value(Some(b"abc")).is_err());
        assert!(short.value(Some(b"ab")).unwrap() == Value::Text(b"ab".as_slice().into()));
    }

    #[test]
    fn what_travels_as_text_is_of_the_columns_type() {
        let number = codec(SqlType::Int, Passage::Text, Form::Text);
        let value = number.value(Some(b"0042")).unwrap();
        assert!(value == Value::Int(42));
        assert_eq!(number.field(&value).as_deref(), Some(&b"42"[..]));
        assert!(number.value(Some(b"many")).is_err());
    }

    #[test]
    fn a_field_that_is_no_value_is_told_by_its_bytes() {
        let real = codec(SqlType::Real, Passage::Straight, Form::Float4);
        let nan = f32::NAN.to_be_bytes();
        assert!(real.value(Some(&nan)).is_err());
        assert_eq!(real.words(Some(&nan)).unwrap(), "\\x7fc00000");
    }
}
