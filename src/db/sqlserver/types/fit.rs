//! A value as a column of SQL Server holds it.

use super::calendar::{self, DAY_1900, END, LAST_DAY, MINUTE, SECOND};
use super::decode::END_OF_DIGITS;
use super::read::{unpadded, utf8};
use super::value::Value;
use crate::model::types::Page;
use crate::model::types::refusal::{CALENDAR, DECIMALS, MISMATCH, RANGE, Refusal, TOO_LONG};
use crate::model::types::{Length, SqlType};

const ROUNDED: Refusal =
    Refusal::new("is a time that datetime would round: it keeps .000, .003 and .007 alone");
const SHORT: Refusal =
    Refusal::new("is shorter than the column, which would be filled up with zeros");
const BEFORE: Refusal = Refusal::new("is a day that the column's type doesn't reach");
const ZONELESS: Refusal = Refusal::new("is an instant, and the column's clock has no zone");

/// The first day of `datetime`, 1753-01-01.
const DAY_1753: i32 = 639_905;
/// The last day of `smalldatetime`, 2079-06-06.
const DAY_2079: i32 = DAY_1900 + u16::MAX as i32;

impl Value<'_> {
    /// The value as a column of type `of` holds it, which the server then neither rounds, nor cuts,
    /// nor pads; refused if that isn't the same value.
    pub fn fit(self, of: SqlType) -> Result<Self, Refusal> {
        if self == Value::Null {
            return Ok(Value::Null);
        }
        match of {
            SqlType::Bit => self.within(0, 1).map(|v| Value::Bool(v == 1)),
            SqlType::TinyInt => self.within(0, u8::MAX.into()).map(Value::Int),
            SqlType::SmallInt => self.within(i16::MIN.into(), i16::MAX.into()).map(Value::Int),
            SqlType::Int => self.within(i32::MIN.into(), i32::MAX.into()).map(Value::Int),
            SqlType::BigInt => self.within(i64::MIN, i64::MAX).map(Value::Int),
            SqlType::Decimal { precision, scale } => {
                let end = 10_i128.checked_pow(precision.into()).unwrap_or(END_OF_DIGITS);
                self.decimal(scale, -end + 1, end - 1)
            }
            SqlType::Money => self.decimal(4, i64::MIN.into(), i64::MAX.into()),
            SqlType::SmallMoney => self.decimal(4, i32::MIN.into(), i32::MAX.into()),
            SqlType::Real => self.real(),
            SqlType::Float => self.float(),
            SqlType::Char { length, page } => {
                self.unpadded().text(|v| narrow(v, page, Length::Of(length)))
            }
            SqlType::VarChar { length, page } => self.text(|v| narrow(v, page, length)),
            SqlType::Text { page } => self.text(|v| narrow(v, page, Length::Max)),
            SqlType::NChar { length } => self.unpadded().text(|v| wide(v, length)),
            SqlType::NVarChar { length: Length::Of(length) } => self.text(|v| wide(v, length)),
            SqlType::NVarChar { length: Length::Max } | SqlType::NText | SqlType::Xml => {
                self.text(|_| Ok(()))
            }
            SqlType::Binary { length } => self.bytes(length, Length::Of(length)),
            SqlType::VarBinary { length } => self.bytes(0, length),
            SqlType::Image => self.bytes(0, Length::Max),
            SqlType::RowVersion => self.bytes(8, Length::Of(8)),
            SqlType::UniqueIdentifier => match self {
                Value::Uuid(_) => Ok(self),
                _ => Err(MISMATCH),
            },
            SqlType::Date => self.date(),
            SqlType::Time { scale } => match self {
                Value::Time(ticks) => whole(ticks, scale).map(Value::Time),
                _ => Err(MISMATCH),
            },
            SqlType::DateTime => self.stamp(DAY_1753, LAST_DAY, thirds),
            SqlType::SmallDateTime => {
                self.stamp(DAY_1900, DAY_2079, |ticks| match ticks % MINUTE {
                    0 => Ok(ticks),
                    _ => Err(DECIMALS),
                })
            }
            SqlType::DateTime2 { scale } => self.stamp(0, LAST_DAY, |ticks| whole(ticks, scale)),
            SqlType::DateTimeOffset { scale } => self.instant(scale),
        }
    }

    fn within(self, least: i64, most: i64) -> Result<i64, Refusal> {
        let number = match self {
            Value::Bool(v) => v.into(),
            Value::Int(v) => v,
            Value::Decimal { .. } | Value::Real(_) | Value::Float(_) => {
                let (least, most) = (least.into(), most.into());
                match self.decimal(0, least, most)? {
                    Value::Decimal { digits, .. } => i64::try_from(digits).map_err(|_| RANGE)?,
                    _ => return Err(MISMATCH),
                }
            }
            _ => return Err(MISMATCH),
        };
        match (least..=most).contains(&number) {
            true => Ok(number),
            false => Err(RANGE),
        }
    }

    fn decimal(self, scale: u8, least: i128, most: i128) -> Result<Self, Refusal> {
        let (digits, has) = match self {
            Value::Bool(v) => (v.into(), 0),
            Value::Int(v) => (v.into(), 0),
            Value::Decimal { digits, scale } => (digits, scale),
            Value::Real(v) => (integral(v.into())?, 0),
            Value::Float(v) => (integral(v)?, 0),
            _ => return Err(MISMATCH),
        };
        let unit = 10_i128.checked_pow(scale.abs_diff(has).into()).ok_or(RANGE)?;
        let digits = match has <= scale {
            true => digits.checked_mul(unit).ok_or(RANGE)?,
            false if digits % unit == 0 => digits / unit,
            false => return Err(DECIMALS),
        };
        match (least..=most).contains(&digits) {
            true => Ok(Value::Decimal { digits, scale }),
            false => Err(RANGE),
        }
    }

    fn real(self) -> Result<Self, Refusal> {
        let value = match self {
            Value::Real(_) => return Ok(self),
            other => match other.float()? {
                Value::Float(value) => value,
                _ => return Err(MISMATCH),
            },
        };
        let narrow = value as f32;
        match f64::from(narrow).to_bits() == value.to_bits() {
            true => Ok(Value::Real(narrow)),
            false => Err(DECIMALS),
        }
    }

    fn float(self) -> Result<Self, Refusal> {
        match self {
            Value::Float(_) => Ok(self),
            Value::Real(value) => Ok(Value::Float(value.into())),
            Value::Int(value) if value.unsigned_abs() < 1 << f64::MANTISSA_DIGITS => {
                Ok(Value::Float(value as f64))
            }
            Value::Int(_) => Err(DECIMALS),
            _ => Err(MISMATCH),
        }
    }

    fn unpadded(self) -> Self {
        match self {
            Value::Text(text) => Value::Text(unpadded(text)),
            other => other,
        }
    }

    fn text(self, fits: impl Fn(&str) -> Result<(), Refusal>) -> Result<Self, Refusal> {
        match &self {
            Value::Text(text) => utf8(text).and_then(fits).map(|()| self),
            _ => Err(MISMATCH),
        }
    }

    fn bytes(self, least: u16, most: Length) -> Result<Self, Refusal> {
        let Value::Bytes(bytes) = &self else { return Err(MISMATCH) };
        if bytes.len() < usize::from(least) {
            return Err(SHORT);
        }
        is_short(bytes.len(), most).map(|()| self)
    }

    fn date(self) -> Result<Self, Refusal> {
        match self {
            Value::Date(_) => Ok(self),
            Value::DateTime(ticks) => match calendar::split(ticks) {
                (days, 0) => Ok(Value::Date(days)),
                _ => Err(DECIMALS),
            },
            _ => Err(MISMATCH),
        }
    }

    fn stamp(
        self,
        first: i32,
        last: i32,
        exact: impl Fn(i64) -> Result<i64, Refusal>,
    ) -> Result<Self, Refusal> {
        let ticks = match self {
            Value::Date(days) => calendar::ticks(days, 0),
            Value::DateTime(ticks) => ticks,
            Value::DateTimeOffset { .. } => return Err(ZONELESS),
            _ => return Err(MISMATCH),
        };
        match (first..=last).contains(&calendar::split(ticks).0) {
            true => exact(ticks).map(Value::DateTime),
            false => Err(BEFORE),
        }
    }

    fn instant(self, scale: u8) -> Result<Self, Refusal> {
        let Value::DateTimeOffset { utc, offset } = self else { return Err(MISMATCH) };
        let local = utc + i64::from(offset) * MINUTE;
        match (0..END).contains(&utc) && (0..END).contains(&local) {
            true => Ok(Value::DateTimeOffset { utc: whole(utc, scale)?, offset }),
            false => Err(CALENDAR),
        }
    }
}

/// A floating point number as an integer, if it is one that all the digits are known of.
fn integral(value: f64) -> Result<i128, Refusal> {
    match value.trunc() == value && value.abs() < (1_i64 << f64::MANTISSA_DIGITS) as f64 {
        true => Ok(value as i128),
        false => Err(DECIMALS),
    }
}

fn is_short(length: usize, most: Length) -> Result<(), Refusal> {
    let most = match most {
        Length::Of(most) => most.into(),
        Length::Max => i32::MAX as usize,
    };
    match length <= most {
        true => Ok(()),
        false => Err(TOO_LONG),
    }
}

/// Bytes of a code page.
fn narrow(text: &str, page: Page, length: Length) -> Result<(), Refusal> {
    is_short(page.bytes(text)?, length)
}

/// Units of UTF-16.
fn wide(text: &str, length: u16) -> Result<(), Refusal> {
    // A character has as many bytes as units or more.
    match text.len() <= usize::from(length) {
        true => Ok(()),
        false => is_short(text.encode_utf16().count(), Length::Of(length)),
    }
}

/// The ticks, if `scale` decimals of a second hold them.
fn whole(ticks: i64, scale: u8) -> Result<i64, Refusal> {
    let unit = SECOND / 10_i64.pow(scale.min(7).into());
    match ticks % unit {
        0 => Ok(ticks),
        _ => Err(DECIMALS),
    }
}

/// The ticks, if they are what SQL Server prints of some 1/300 s.
fn thirds(ticks: i64) -> Result<i64, Refusal> {
    let (_, time) = calendar::split(ticks);
    match milliseconds(fragments(time)) * (SECOND / 1_000) == time {
        true => Ok(ticks),
        false => Err(ROUNDED),
    }
}

/// The 1/300 s nearest to a time of the day; the last of the day is never passed by what
/// [`milliseconds`] gives.
pub(super) fn fragments(time: i64) -> i64 {
    (time * 300 + SECOND / 2) / SECOND
}

/// 1/300 s as SQL Server prints them: 10/3 ms to the nearest, and none lies half way.
pub(super) fn milliseconds(fragments: i64) -> i64 {
    (fragments * 10 + 1) / 3
}

#[cfg(test)]
mod tests {
    use super::super::calendar::DAY;
    use super::*;

    fn text(text: &str) -> Value<'_> {
        Value::Text(text.as_bytes().into())
    }

    fn decimal(digits: i128, scale: u8) -> Value<'static> {
        Value::Decimal { digits, scale }
    }

    const NOON: i64 = DAY_1900 as i64 * DAY + DAY / 2;
    const MILLISECOND: i64 = SECOND / 1_000;
    const WESTERN: Page = Page::WESTERN;

    #[test]
    fn a_value_that_the_column_holds_is_kept() {
        let numeric = SqlType::Decimal { precision: 5, scale: 2 };
        for (value, of, held) in [
            (Value::Int(1), SqlType::Bit, Value::Bool(true)),
            (Value::Int(255), SqlType::TinyInt, Value::Int(255)),
            (decimal(500, 2), SqlType::Int, Value::Int(5)),
            (decimal(15, 1), numeric, decimal(150, 2)),
            (decimal(99_999_000, 5), numeric, decimal(99_999, 2)),
            (Value::Int(5), SqlType::Money, decimal(50_000, 4)),
            (decimal(i64::MIN.into(), 4), SqlType::Money, decimal(i64::MIN.into(), 4)),
            (Value::Float(0.5), SqlType::Real, Value::Real(0.5)),
            (text("ab   "), SqlType::NChar { length: 2 }, text("ab")),
            (text("🙂"), SqlType::NVarChar { length: Length::Of(2) }, text("🙂")),
            (Value::DateTime(0), SqlType::Date, Value::Date(0)),
            (Value::Date(LAST_DAY), SqlType::DateTime, Value::DateTime(END - DAY)),
            (
                Value::DateTime(NOON + 7 * MILLISECOND),
                SqlType::DateTime,
                Value::DateTime(NOON + 7 * MILLISECOND),
            ),
        ] {
            assert!(value.clone().fit(of) == Ok(held), "{value:?} {of:?}");
        }
    }

    #[test]
    fn a_value_that_the_column_would_change_is_refused() {
        let char_2 = SqlType::Char { length: 2, page: WESTERN };
        let utf8_3 = SqlType::VarChar { length: Length::Of(3), page: Page::UTF8 };
        for (value, of, refusal) in [
            (Value::Int(2), SqlType::Bit, RANGE),
            (Value::Int(-1), SqlType::TinyInt, RANGE),
            (Value::Int(1 << 31), SqlType::Int, RANGE),
            (decimal(5, 1), SqlType::Int, DECIMALS),
            (decimal(1_234, 3), SqlType::Decimal { precision: 9, scale: 2 }, DECIMALS),
            (decimal(1_000, 0), SqlType::Decimal { precision: 5, scale: 2 }, RANGE),
            (decimal(i128::from(i64::MAX) + 1, 4), SqlType::Money, RANGE),
            (decimal(2_147_483_648, 4), SqlType::SmallMoney, RANGE),
            (Value::Float(0.1), SqlType::Real, DECIMALS),
            (Value::Float(1e300), SqlType::Int, DECIMALS),
            (text("abc"), char_2, TOO_LONG),
            (text("äöü"), utf8_3, TOO_LONG),
            (text("ab "), SqlType::NVarChar { length: Length::Of(2) }, TOO_LONG),
            (text("🙂"), SqlType::NVarChar { length: Length::Of(1) }, TOO_LONG),
            (text("5"), SqlType::Int, MISMATCH),
            (Value::Bytes([1].as_slice().into()), SqlType::Binary { length: 2 }, SHORT),
            (Value::Time(1), SqlType::Time { scale: 6 }, DECIMALS),
            (Value::DateTime(NOON + MILLISECOND), SqlType::DateTime, ROUNDED),
            (Value::DateTime(NOON + 7 * MILLISECOND + 1), SqlType::DateTime, ROUNDED),
            (Value::DateTime(NOON + SECOND), SqlType::SmallDateTime, DECIMALS),
            (Value::DateTime(0), SqlType::DateTime, BEFORE),
            (Value::Date(DAY_2079 + 1), SqlType::SmallDateTime, BEFORE),
            (Value::DateTime(NOON), SqlType::Date, DECIMALS),
            (Value::DateTimeOffset { utc: NOON, offset: 0 }, SqlType::DateTime, ZONELESS),
            (
                Value::DateTimeOffset { utc: END, offset: 0 },
                SqlType::DateTimeOffset { scale: 7 },
                CALENDAR,
            ),
            (
                Value::DateTimeOffset { utc: 0, offset: -1 },
                SqlType::DateTimeOffset { scale: 7 },
                CALENDAR,
            ),
        ] {
            assert!(value.clone().fit(of) == Err(refusal), "{value:?} {of:?}");
        }
    }

    #[test]
    fn every_fragment_of_a_datetime_is_held() {
        for fragment in 0..300 * 60 {
            let time = milliseconds(fragment) * MILLISECOND;
            assert_eq!(fragments(time), fragment);
            assert_eq!(thirds(NOON + time), Ok(NOON + time));
        }
        let last = 300 * 86_400 - 1;
        assert_eq!(milliseconds(last), 86_399_997);
        assert_eq!(fragments(86_399_997 * MILLISECOND), last);
    }
}
