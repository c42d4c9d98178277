//! From a field of a binary COPY to a value.

use std::borrow::Cow;

use uuid::Uuid;

use super::calendar::{DAY, DAY_2000, END, LAST_DAY, MICROSECOND, SLACK};
use super::value::Value;
use crate::model::types::Form;
use crate::model::types::refusal::{CALENDAR, MALFORMED, NOT_FINITE, Refusal};

const DIGITS: Refusal = Refusal::new("has more than the 38 digits that SQL Server keeps");
const MIDNIGHT: Refusal = Refusal::new("is 24:00, which SQL Server doesn't know");

/// Reads a field without its length; `None` is NULL. Texts and bytes stay borrowed.
///
/// Refused is what no type of SQL Server holds: NaN and the infinities, years before 1 and after
/// 9999, 24:00, and numbers of more than 38 digits. Whether the column holds the value is for
/// [`Value::fit`] to say; an instant may be a day off those years, since a zone may bring it back.
pub fn decode(field: Option<&[u8]>, form: Form) -> Result<Value<'_>, Refusal> {
    let Some(field) = field else { return Ok(Value::Null) };
    Ok(match form {
        Form::Bool => Value::Bool(fixed::<1>(field)? != [0]),
        Form::Int2 => Value::Int(i16::from_be_bytes(fixed(field)?).into()),
        Form::Int4 => Value::Int(i32::from_be_bytes(fixed(field)?).into()),
        Form::Int8 => Value::Int(i64::from_be_bytes(fixed(field)?)),
        Form::Float4 => finite(f32::from_be_bytes(fixed(field)?), f32::is_finite, Value::Real)?,
        Form::Float8 => finite(f64::from_be_bytes(fixed(field)?), f64::is_finite, Value::Float)?,
        Form::Numeric => numeric(field)?,
        Form::Text => Value::Text(Cow::Borrowed(field)),
        Form::Bytea => Value::Bytes(Cow::Borrowed(field)),
        Form::Uuid => Value::Uuid(Uuid::from_bytes(fixed(field)?)),
        Form::Date => {
            let days = i32::from_be_bytes(fixed(field)?).checked_add(DAY_2000);
            let is_known = |days: &i32| (0..=LAST_DAY).contains(days);
            Value::Date(days.filter(is_known).ok_or(CALENDAR)?)
        }
        Form::Time => {
            let ticks = i64::from_be_bytes(fixed(field)?).checked_mul(MICROSECOND);
            Value::Time(ticks.filter(|ticks| (0..DAY).contains(ticks)).ok_or(MIDNIGHT)?)
        }
        Form::Timestamp => Value::DateTime(stamp(field, 0)?),
        Form::Timestamptz => Value::DateTimeOffset { utc: stamp(field, SLACK)?, offset: 0 },
    })
}

fn fixed<const N: usize>(field: &[u8]) -> Result<[u8; N], Refusal> {
    field.try_into().map_err(|_| MALFORMED)
}

fn finite<'a, F: Copy>(
    value: F,
    is_finite: impl Fn(F) -> bool,
    of: impl Fn(F) -> Value<'a>,
) -> Result<Value<'a>, Refusal> {
    match is_finite(value) {
        true => Ok(of(value)),
        false => Err(NOT_FINITE),
    }
}

/// Ticks from microseconds since 2000-01-01.
fn stamp(field: &[u8], slack: i64) -> Result<i64, Refusal> {
    let ticks = i64::from_be_bytes(fixed(field)?).checked_mul(MICROSECOND);
    let ticks = ticks.and_then(|ticks| ticks.checked_add(i64::from(DAY_2000) * DAY));
    let is_known = |ticks: &i64| (-slack..END + slack).contains(ticks);
    ticks.filter(is_known).ok_or(CALENDAR)
}

const NEGATIVE: u16 = 0x4000;
/// The digits of a group.
const GROUP: i32 = 4;

fn numeric(field: &[u8]) -> Result<Value<'static>, Refusal> {
    let (head, groups) = field.split_first_chunk::<8>().ok_or(MALFORMED)?;
    let [count, weight, sign, scale] =
        [0, 2, 4, 6].map(|at| u16::from_be_bytes([head[at], head[at + 1]]));
    let (groups, rest) = groups.as_chunks::<2>();
    if sign != 0 && sign != NEGATIVE {
        return Err(NOT_FINITE);
    }
    if groups.len() != usize::from(count) || !rest.is_empty() {
        return Err(MALFORMED);
    }
    let exponent = (i32::from(weight.cast_signed()) - i32::from(count) + 1) * GROUP;
    let mut number = Number { digits: 0, exponent };
    if let Some((last, before)) = groups.split_last() {
        before.iter().try_for_each(|group| number.push(10_000, u16::from_be_bytes(*group)))?;
        number.push_last(u16::from_be_bytes(*last))?;
    }
    let (digits, scale) = number.scaled(scale.into())?;
    Ok(Value::Decimal { digits: if sign == 0 { digits } else { -digits }, scale })
}

/// `digits` × 10^`exponent`, without zeros at the end.
pub(super) struct Number {
    pub(super) digits: i128,
    pub(super) exponent: i32,
}

/// The first number that has too many digits.
pub(super) const END_OF_DIGITS: i128 = 10_i128.pow(38);

impl Number {
    pub(super) fn push(&mut self, base: i128, group: u16) -> Result<(), Refusal> {
        let digits = self.digits.checked_mul(base);
        let digits = digits.and_then(|digits| digits.checked_add(group.into()));
        self.digits = digits.filter(|digits| *digits < END_OF_DIGITS).ok_or(DIGITS)?;
        Ok(())
    }

    fn push_last(&mut self, group: u16) -> Result<(), Refusal> {
        let (mut group, mut base) = (group, 10_000);
        while group != 0 && group.is_multiple_of(10) {
            group /= 10;
            base /= 10;
            self.exponent += 1;
        }
        self.push(base, group)
    }

    /// The digits with as many after the point as PostgreSQL prints, or with fewer zeros at the end
    /// if those are too many for SQL Server.
    pub(super) fn scaled(self, printed: u32) -> Result<(i128, u8), Refusal> {
        let least = self.exponent.min(0).unsigned_abs();
        let at = |scale: u32| {
            let zeros = u32::try_from(i64::from(scale) + i64::from(self.exponent)).ok()?;
            let digits = match self.digits {
                0 => Some(0),
                digits => digits.checked_mul(10_i128.checked_pow(zeros)?),
            };
            let scale = u8::try_from(scale).ok().filter(|scale| *scale <= 38)?;
            Some((digits.filter(|digits| *digits < END_OF_DIGITS)?, scale))
        };
        at(printed)
            .or_else(|| at(least))
            .or_else(|| (self.digits == 0).then_some((0, 0)))
            .ok_or(DIGITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(field: &[u8], form: Form) -> Refusal {
        decode(Some(field), form).unwrap_err()
    }

    #[test]
    fn what_sql_server_does_not_know_is_refused() {
        let numeric = |sign: u16| [[0; 4].as_slice(), &sign.to_be_bytes(), &[0; 2]].concat();
        for sign in [0xC000, 0xD000, 0xF000] {
            assert_eq!(refused(&numeric(sign), Form::Numeric), NOT_FINITE);
        }
        for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(refused(&float.to_be_bytes(), Form::Float8), NOT_FINITE);
            assert_eq!(refused(&(float as f32).to_be_bytes(), Form::Float4), NOT_FINITE);
        }
        let days = [i32::MAX, i32::MIN, -DAY_2000 - 1, LAST_DAY - DAY_2000 + 1];
        for day in days {
            assert_eq!(refused(&day.to_be_bytes(), Form::Date), CALENDAR);
        }
        let year_10000 = (END - i64::from(DAY_2000) * DAY) / MICROSECOND;
        for stamp in [i64::MAX, i64::MIN, year_10000] {
            assert_eq!(refused(&stamp.to_be_bytes(), Form::Timestamp), CALENDAR);
        }
        assert_eq!(refused(&(DAY / MICROSECOND).to_be_bytes(), Form::Time), MIDNIGHT);
    }

    #[test]
    fn a_field_of_another_length_is_refused() {
        for form in [Form::Bool, Form::Int4, Form::Numeric, Form::Uuid, Form::Timestamptz] {
            assert_eq!(refused(&[0; 3], form), MALFORMED);
        }
        assert_eq!(refused(&[0, 2, 0, 0, 0, 0, 0, 0, 0, 1], Form::Numeric), MALFORMED);
    }
}
