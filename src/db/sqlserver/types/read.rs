//! From a cell of the driver to a value.

use std::borrow::Cow;

use tiberius::ColumnData;
use tiberius::time::{DateTime, DateTime2, SmallDateTime, Time};

use super::calendar::{self, DAY, DAY_1900, END, LAST_DAY, MINUTE, SECOND};
use super::value::Value;
use crate::model::types::SqlType;
use crate::model::types::refusal::{CALENDAR, HALF_PAIR, MALFORMED, MISMATCH, NOT_FINITE, Refusal};

/// Ticks in a millisecond, the unit that `datetime` is printed in.
const MILLISECOND: i64 = SECOND / 1_000;

impl<'a> Value<'a> {
    /// The value of a cell that was selected by [`selected`](SqlType::selected) or
    /// [`selected_carefully`](SqlType::selected_carefully); texts and bytes stay borrowed.
    ///
    /// `datetime`'s 1/300 s become the milliseconds that SQL Server prints, .xx0, .xx3 and .xx7.
    pub fn read(cell: &'a ColumnData<'_>, of: SqlType) -> Result<Self, Refusal> {
        Ok(match cell {
            ColumnData::Bit(v) => v.map_or(Value::Null, Value::Bool),
            ColumnData::U8(v) => v.map_or(Value::Null, |v| Value::Int(v.into())),
            ColumnData::I16(v) => v.map_or(Value::Null, |v| Value::Int(v.into())),
            ColumnData::I32(v) => v.map_or(Value::Null, |v| Value::Int(v.into())),
            ColumnData::I64(v) => v.map_or(Value::Null, Value::Int),
            ColumnData::F32(None) | ColumnData::F64(None) => Value::Null,
            ColumnData::F32(Some(v)) if !v.is_finite() => return Err(NOT_FINITE),
            ColumnData::F64(Some(v)) if !v.is_finite() => return Err(NOT_FINITE),
            ColumnData::F32(Some(v)) => Value::Real(*v),
            // Money comes so if nobody cast it, and has lost what can't be known.
            ColumnData::F64(Some(v)) if of == SqlType::Float => Value::Float(*v),
            ColumnData::F64(Some(_)) => return Err(MISMATCH),
            ColumnData::Numeric(v) => {
                v.map_or(Value::Null, |v| Value::Decimal { digits: v.value(), scale: v.scale() })
            }
            ColumnData::String(v) => {
                v.as_deref().map_or(Value::Null, |v| text(Cow::Borrowed(v.as_bytes()), of))
            }
            ColumnData::Xml(v) => v
                .as_deref()
                .map_or(Value::Null, |v| Value::Text(Cow::Borrowed(v.as_ref().as_bytes()))),
            ColumnData::Binary(Some(v)) if of.is_text() => text(Cow::Owned(wtf8(v)?), of),
            ColumnData::Binary(v) => {
                v.as_deref().map_or(Value::Null, |v| Value::Bytes(Cow::Borrowed(v)))
            }
            ColumnData::Guid(v) => v.map_or(Value::Null, Value::Uuid),
            ColumnData::Date(v) => {
                v.map(|v| day(v.days())).transpose()?.map_or(Value::Null, Value::Date)
            }
            ColumnData::Time(v) => v.map(time).transpose()?.map_or(Value::Null, Value::Time),
            ColumnData::DateTime(v) => or_null(v.map(datetime))?,
            ColumnData::SmallDateTime(v) => or_null(v.map(smalldatetime))?,
            ColumnData::DateTime2(v) => or_null(v.map(datetime2))?,
            ColumnData::DateTimeOffset(None) => Value::Null,
            ColumnData::DateTimeOffset(Some(v)) => {
                Value::DateTimeOffset { utc: datetime2(v.datetime2())?, offset: v.offset() }
            }
        })
    }
}

fn or_null<'a>(ticks: Option<Result<i64, Refusal>>) -> Result<Value<'a>, Refusal> {
    Ok(ticks.transpose()?.map_or(Value::Null, Value::DateTime))
}

fn text(text: Cow<'_, [u8]>, of: SqlType) -> Value<'_> {
    Value::Text(match of.is_padded() {
        true => unpadded(text),
        false => text,
    })
}

/// Without the blanks that `char` and `nchar` are padded with.
pub(super) fn unpadded(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let kept = text.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..kept]),
        Cow::Owned(mut text) => {
            text.truncate(kept);
            Cow::Owned(text)
        }
    }
}

/// UTF-16, low byte first, as UTF-8 in which half a pair keeps its own three bytes.
fn wtf8(utf16: &[u8]) -> Result<Vec<u8>, Refusal> {
    let (units, rest) = utf16.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(MALFORMED);
    }
    let mut text = Vec::with_capacity(utf16.len());
    for unit in char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit))) {
        match unit {
            Ok(c) => text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(half) => {
                let half = half.unpaired_surrogate();
                let tail = |bits: u16| 0x80 | (bits & 0x3f) as u8;
                text.extend_from_slice(&[0xe0 | (half >> 12) as u8, tail(half >> 6), tail(half)]);
            }
        }
    }
    Ok(text)
}

/// The text, if it has no half of a pair.
pub(super) fn utf8(text: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(text).map_err(|_| HALF_PAIR)
}

fn day(days: u32) -> Result<i32, Refusal> {
    i32::try_from(days).ok().filter(|days| *days <= LAST_DAY).ok_or(CALENDAR)
}

fn time(time: Time) -> Result<i64, Refusal> {
    let unit = 7_u8.checked_sub(time.scale()).ok_or(MALFORMED)?;
    let ticks = i64::try_from(time.increments()).ok();
    let ticks = ticks.and_then(|ticks| ticks.checked_mul(10_i64.pow(unit.into())));
    ticks.filter(|ticks| *ticks < DAY).ok_or(MALFORMED)
}

fn datetime2(stamp: DateTime2) -> Result<i64, Refusal> {
    Ok(calendar::ticks(day(stamp.date().days())?, time(stamp.time())?))
}

fn datetime(stamp: DateTime) -> Result<i64, Refusal> {
    let day = stamp.days().checked_add(DAY_1900).ok_or(CALENDAR)?;
    let milliseconds = super::fit::milliseconds(stamp.seconds_fragments().into());
    let ticks = calendar::ticks(day, milliseconds * MILLISECOND);
    match (0..END).contains(&ticks) {
        true => Ok(ticks),
        false => Err(CALENDAR),
    }
}

/// The driver calls them fragments of a second, but they are minutes.
fn smalldatetime(stamp: SmallDateTime) -> Result<i64, Refusal> {
    let time = i64::from(stamp.seconds_fragments()) * MINUTE;
    match time < DAY {
        true => Ok(calendar::ticks(i32::from(stamp.days()) + DAY_1900, time)),
        false => Err(MALFORMED),
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::text;
    use super::*;
    use crate::model::types::Form;
    use crate::model::types::Length;

    const NVARCHAR: SqlType = SqlType::NVarChar { length: Length::Max };

    fn printed(cell: &ColumnData<'_>, of: SqlType) -> Option<String> {
        text(&Value::read(cell, of).unwrap(), Form::Text, -1).unwrap()
    }

    fn utf16(units: &[u16]) -> ColumnData<'static> {
        let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        ColumnData::Binary(Some(bytes.into()))
    }

    #[test]
    fn r12_a_datetime_has_the_milliseconds_that_sql_server_prints() {
        for (fragments, milliseconds) in
            [(0, ""), (1, ".003"), (2, ".007"), (3, ".01"), (299, ".997"), (149, ".497")]
        {
            let cell = ColumnData::DateTime(Some(DateTime::new(46_054, fragments)));
            let wanted = format!("2026-02-03 00:00:00{milliseconds}");
            assert_eq!(printed(&cell, SqlType::DateTime), Some(wanted));
        }
        let last = ColumnData::DateTime(Some(DateTime::new(2_958_463, 300 * 86_400 - 1)));
        let wanted = Some("9999-12-31 23:59:59.997".to_owned());
        assert_eq!(printed(&last, SqlType::DateTime), wanted);
        let first = ColumnData::DateTime(Some(DateTime::new(-53_690, 0)));
        assert_eq!(printed(&first, SqlType::DateTime), Some("1753-01-01 00:00:00".to_owned()));
    }

    #[test]
    fn a_smalldatetime_counts_minutes() {
        let cell = ColumnData::SmallDateTime(Some(SmallDateTime::new(65_535, 1_439)));
        assert_eq!(printed(&cell, SqlType::SmallDateTime), Some("2079-06-06 23:59:00".to_owned()));
    }

    #[test]
    fn a_text_read_carefully_is_the_same_text() {
        let read = |units: &[u16]| match Value::read(&utf16(units), NVARCHAR).unwrap() {
            Value::Text(text) => text.into_owned(),
            _ => Vec::new(),
        };
        let units: Vec<u16> = "Zürich 🙂\0".encode_utf16().collect();
        assert_eq!(read(&units), "Zürich 🙂\0".as_bytes());
        // Each half alone, and both the wrong way round.
        assert_eq!(read(&[0x61, 0xd83d]), b"a\xed\xa0\xbd");
        assert_eq!(read(&[0xde42, 0xd83d]), b"\xed\xb9\x82\xed\xa0\xbd");
    }

    #[test]
    fn blanks_that_the_server_filled_up_with_are_left_out() {
        let cell = ColumnData::String(Some("ab  ".into()));
        let nchar = SqlType::NChar { length: 4 };
        assert_eq!(printed(&cell, nchar).as_deref(), Some("ab"));
        assert_eq!(printed(&cell, NVARCHAR).as_deref(), Some("ab  "));
        let careful = utf16(&[0x61, 0x20, 0x20]);
        assert_eq!(printed(&careful, nchar).as_deref(), Some("a"));
    }

    #[test]
    fn v10_money_as_a_double_is_refused() {
        let cell = ColumnData::F64(Some(0.1));
        assert_eq!(Value::read(&cell, SqlType::Money), Err(MISMATCH));
    }

    #[test]
    fn what_no_server_sends_is_refused() {
        for cell in [
            ColumnData::F64(Some(f64::NAN)),
            ColumnData::Time(Some(Time::new(1, 8))),
            ColumnData::Time(Some(Time::new(86_400, 0))),
            ColumnData::DateTime(Some(DateTime::new(i32::MAX, 0))),
            ColumnData::SmallDateTime(Some(SmallDateTime::new(0, 1_440))),
            ColumnData::Date(Some(tiberius::time::Date::new(3_652_059))),
        ] {
            assert!(Value::read(&cell, SqlType::Float).is_err(), "{cell:?}");
        }
        let odd = ColumnData::Binary(Some(vec![0x61].into()));
        assert_eq!(Value::read(&odd, NVARCHAR), Err(MALFORMED));
    }
}
