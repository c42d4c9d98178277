//! From a value to a cell of the driver.

use std::borrow::Cow;

use tiberius::ColumnData;
use tiberius::numeric::Numeric;
use tiberius::time::{Date, DateTime, DateTime2, DateTimeOffset, Time};

use super::calendar::{self, DAY_1900, END, LAST_DAY};
use super::fit::fragments;
use super::value::Value;
use crate::model::types::SqlType;
use crate::model::types::refusal::{CALENDAR, HALF_PAIR, MISMATCH, RANGE, Refusal};

/// The most digits after a point that the driver takes without a panic.
const SCALE_MAX: u8 = 38;

/// The scale of a staged `time` and `datetimeoffset`, in ticks.
const TICKS: u8 = 7;

/// Bytes that bulk load takes for one value, even of a `max` column.
const BULK_BYTES_MAX: usize = 65_535;

impl<'a> Value<'a> {
    /// The cell for bulk load into a column of [`staging_type`](SqlType::staging_type), and for a
    /// parameter, of which NULL too has the kind of its type.
    ///
    /// For a value that was read from such a column or that [`fit`](Value::fit) has passed. The driver
    /// writes a decimal and a time at the scale that they have, so they get the staged column's here.
    pub fn into_column_data(self, of: SqlType) -> Result<ColumnData<'a>, Refusal> {
        Ok(match (of, self) {
            (of, Value::Null) => null(of),
            (SqlType::Bit, Value::Bool(v)) => ColumnData::Bit(Some(v)),
            (SqlType::TinyInt, Value::Int(v)) => ColumnData::U8(Some(narrowed(v)?)),
            (SqlType::SmallInt, Value::Int(v)) => ColumnData::I16(Some(narrowed(v)?)),
            (SqlType::Int, Value::Int(v)) => ColumnData::I32(Some(narrowed(v)?)),
            (SqlType::BigInt, Value::Int(v)) => ColumnData::I64(Some(v)),
            (
                SqlType::Decimal { .. } | SqlType::Money | SqlType::SmallMoney,
                Value::Decimal { digits, scale: scale @ ..=SCALE_MAX },
            ) => ColumnData::Numeric(Some(Numeric::new_with_scale(digits, scale))),
            (SqlType::Real, Value::Real(v)) => ColumnData::F32(Some(v)),
            (SqlType::Float, Value::Float(v)) => ColumnData::F64(Some(v)),
            (of, Value::Text(v)) if of.is_text() => ColumnData::String(Some(string(v)?)),
            (
                SqlType::Binary { .. }
                | SqlType::VarBinary { .. }
                | SqlType::Image
                | SqlType::RowVersion,
                Value::Bytes(v),
            ) => ColumnData::Binary(Some(v)),
            (SqlType::UniqueIdentifier, Value::Uuid(v)) => ColumnData::Guid(Some(v)),
            (SqlType::Date, Value::Date(days)) => ColumnData::Date(Some(date(days)?)),
            (SqlType::Time { .. }, Value::Time(ticks)) => {
                ColumnData::Time(Some(time(ticks, TICKS)))
            }
            (SqlType::DateTime | SqlType::SmallDateTime, Value::DateTime(ticks)) => {
                let (days, time) = calendar::split(ticks);
                let fragments = u32::try_from(fragments(time)).map_err(|_| RANGE)?;
                ColumnData::DateTime(Some(DateTime::new(days - DAY_1900, fragments)))
            }
            (SqlType::DateTime2 { scale }, Value::DateTime(ticks)) => {
                ColumnData::DateTime2(Some(datetime2(ticks, scale)?))
            }
            (SqlType::DateTimeOffset { .. }, Value::DateTimeOffset { utc, offset }) => {
                let utc = datetime2(utc, TICKS)?;
                ColumnData::DateTimeOffset(Some(DateTimeOffset::new(utc, offset)))
            }
            _ => return Err(MISMATCH),
        })
    }

    /// Whether the driver's bulk load refuses the value for its size, so that its row has to be staged
    /// by parameters.
    pub fn is_beyond_bulk_load(&self) -> bool {
        match self {
            Value::Bytes(bytes) => bytes.len() > BULK_BYTES_MAX,
            // A byte of UTF-8 is at most two of UTF-16.
            Value::Text(text) if text.len() * 2 > BULK_BYTES_MAX => {
                let text = String::from_utf8_lossy(text);
                text.encode_utf16().count() * 2 > BULK_BYTES_MAX
            }
            _ => false,
        }
    }
}

fn null(of: SqlType) -> ColumnData<'static> {
    match of {
        SqlType::Bit => ColumnData::Bit(None),
        SqlType::TinyInt => ColumnData::U8(None),
        SqlType::SmallInt => ColumnData::I16(None),
        SqlType::Int => ColumnData::I32(None),
        SqlType::BigInt => ColumnData::I64(None),
        SqlType::Decimal { .. } | SqlType::Money | SqlType::SmallMoney => ColumnData::Numeric(None),
        SqlType::Real => ColumnData::F32(None),
        SqlType::Float => ColumnData::F64(None),
        SqlType::Char { .. }
        | SqlType::VarChar { .. }
        | SqlType::Text { .. }
        | SqlType::NChar { .. }
        | SqlType::NVarChar { .. }
        | SqlType::NText
        | SqlType::Xml => ColumnData::String(None),
        SqlType::Binary { .. }
        | SqlType::VarBinary { .. }
        | SqlType::Image
        | SqlType::RowVersion => ColumnData::Binary(None),
        SqlType::Date => ColumnData::Date(None),
        SqlType::Time { .. } => ColumnData::Time(None),
        SqlType::DateTime | SqlType::SmallDateTime => ColumnData::DateTime(None),
        SqlType::DateTime2 { .. } => ColumnData::DateTime2(None),
        SqlType::DateTimeOffset { .. } => ColumnData::DateTimeOffset(None),
        SqlType::UniqueIdentifier => ColumnData::Guid(None),
    }
}

fn narrowed<I: TryFrom<i64>>(value: i64) -> Result<I, Refusal> {
    I::try_from(value).map_err(|_| RANGE)
}

fn string(text: Cow<'_, [u8]>) -> Result<Cow<'_, str>, Refusal> {
    match text {
        Cow::Borrowed(text) => std::str::from_utf8(text).map(Cow::Borrowed).map_err(|_| HALF_PAIR),
        Cow::Owned(text) => String::from_utf8(text).map(Cow::Owned).map_err(|_| HALF_PAIR),
    }
}

/// Panics in the driver beyond three bytes, so the calendar is looked at first.
fn date(days: i32) -> Result<Date, Refusal> {
    match u32::try_from(days) {
        Ok(known) if days <= LAST_DAY => Ok(Date::new(known)),
        _ => Err(CALENDAR),
    }
}

fn time(ticks: i64, scale: u8) -> Time {
    let scale = scale.min(7);
    Time::new(ticks.unsigned_abs() / 10_u64.pow(u32::from(7 - scale)), scale)
}

fn datetime2(ticks: i64, scale: u8) -> Result<DateTime2, Refusal> {
    if !(0..END).contains(&ticks) {
        return Err(CALENDAR);
    }
    let (days, of_day) = calendar::split(ticks);
    Ok(DateTime2::new(date(days)?, time(of_day, scale)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bulk_load_takes_no_more_than_its_driver_says() {
        let text = |text: String| Value::Text(text.into_bytes().into());
        for (value, is_beyond) in [
            (text("a".repeat(32_767)), false),
            (text("a".repeat(32_768)), true),
            // Two bytes each, and three.
            (text("ä".repeat(32_767)), false),
            (text("東".repeat(32_768)), true),
            (Value::Bytes(vec![0; 65_535].into()), false),
            (Value::Bytes(vec![0; 65_536].into()), true),
            (Value::Int(0), false),
        ] {
            assert_eq!(value.is_beyond_bulk_load(), is_beyond);
        }
    }

    #[test]
    fn a_value_of_another_kind_or_without_a_place_is_refused() {
        let half = Value::Text(b"\xed\xa0\x80".as_slice().into());
        for (value, of, refusal) in [
            (Value::Int(256), SqlType::TinyInt, RANGE),
            (Value::Int(1), SqlType::Bit, MISMATCH),
            (half, SqlType::NText, HALF_PAIR),
            (Value::Date(-1), SqlType::Date, CALENDAR),
            (Value::DateTime(END), SqlType::DateTime2 { scale: 7 }, CALENDAR),
            (Value::Decimal { digits: 0, scale: 39 }, SqlType::Money, MISMATCH),
        ] {
            assert_eq!(value.into_column_data(of), Err(refusal));
        }
    }
}
