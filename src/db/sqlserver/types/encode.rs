//! From a value to a field of a binary COPY.

use bytes::{BufMut, BytesMut};

use super::calendar::{self, DAY, DAY_2000, MICROSECOND};
use super::value::Value;
use crate::model::types::Form;
use crate::model::types::PgType;
use crate::model::types::refusal::{MISMATCH, RANGE, Refusal, TOO_LONG};

/// A length of -1 means NULL.
const NULL: i32 = -1;

/// The digits of PostgreSQL's numeric count to this.
const BASE: u128 = 10_000;
const BASE_DIGITS: u8 = 4;

/// Writes `value` as one field, its length in four bytes and its bytes; of a refused value nothing
/// is written.
///
/// `typmod` is the column's, of the form's type: a text that is longer is refused, because PostgreSQL
/// would cut blanks off its end. Microseconds are floored, so that a watermark is never above the
/// value that it was read from. What [`fits`](crate::model::types::SqlType::fits) calls `No` isn't looked for again.
pub fn encode(
    value: &Value<'_>,
    form: Form,
    typmod: i32,
    out: &mut BytesMut,
) -> Result<(), Refusal> {
    match (value, form) {
        (Value::Null, _) => out.put_i32(NULL),
        (Value::Bool(v), Form::Bool) => field(out, &[u8::from(*v)]),
        (Value::Bool(v), _) => integer(i64::from(*v), form, out)?,
        (Value::Int(v), _) => integer(*v, form, out)?,
        (Value::Decimal { digits, scale }, Form::Numeric) => numeric(*digits, *scale, out),
        (Value::Decimal { digits, scale: 0 }, _) => {
            integer(i64::try_from(*digits).map_err(|_| RANGE)?, form, out)?;
        }
        (Value::Real(v), Form::Float4) => field(out, &v.to_be_bytes()),
        (Value::Real(v), Form::Float8) => field(out, &f64::from(*v).to_be_bytes()),
        (Value::Float(v), Form::Float8) => field(out, &v.to_be_bytes()),
        (Value::Text(text), Form::Text) => match (PgType { oid: form.oid(), typmod }).length() {
            Some(length) if is_longer(text, length) => return Err(TOO_LONG),
            _ => bytes(text, out)?,
        },
        (Value::Bytes(v), Form::Bytea) => bytes(v, out)?,
        (Value::Uuid(v), Form::Uuid) => field(out, v.as_bytes()),
        (Value::Date(days), Form::Date) => field(out, &(days - DAY_2000).to_be_bytes()),
        (Value::Date(days), Form::Timestamp) => {
            field(out, &microseconds(calendar::ticks(*days, 0)).to_be_bytes());
        }
        (Value::Time(ticks), Form::Time) => field(out, &(ticks / MICROSECOND).to_be_bytes()),
        (Value::DateTime(ticks), Form::Timestamp) => {
            field(out, &microseconds(*ticks).to_be_bytes());
        }
        (Value::DateTimeOffset { utc, .. }, Form::Timestamptz) => {
            field(out, &microseconds(*utc).to_be_bytes());
        }
        _ => return Err(MISMATCH),
    }
    Ok(())
}

/// Microseconds since 2000-01-01.
fn microseconds(ticks: i64) -> i64 {
    (ticks - i64::from(DAY_2000) * DAY).div_euclid(MICROSECOND)
}

/// `N` is a handful of bytes.
fn field<const N: usize>(out: &mut BytesMut, bytes: &[u8; N]) {
    out.put_i32(N as i32);
    out.put_slice(bytes);
}

fn bytes(bytes: &[u8], out: &mut BytesMut) -> Result<(), Refusal> {
    out.put_i32(i32::try_from(bytes.len()).map_err(|_| TOO_LONG)?);
    out.put_slice(bytes);
    Ok(())
}

/// Whether `text` has more characters; those that aren't UTF-8 are left to PostgreSQL.
fn is_longer(text: &[u8], length: i32) -> bool {
    let length = usize::try_from(length).unwrap_or(0);
    let starts = |byte: &&u8| (**byte).cast_signed() >= -64;
    text.len() > length && text.iter().filter(starts).count() > length
}

fn integer(value: i64, form: Form, out: &mut BytesMut) -> Result<(), Refusal> {
    match form {
        Form::Bool => match value {
            0 | 1 => field(out, &[u8::from(value == 1)]),
            _ => return Err(RANGE),
        },
        Form::Int2 => field(out, &i16::try_from(value).map_err(|_| RANGE)?.to_be_bytes()),
        Form::Int4 => field(out, &i32::try_from(value).map_err(|_| RANGE)?.to_be_bytes()),
        Form::Int8 => field(out, &value.to_be_bytes()),
        Form::Numeric => numeric(i128::from(value), 0, out),
        Form::Float4 => match value.unsigned_abs() < 1 << f32::MANTISSA_DIGITS {
            true => field(out, &(value as f32).to_be_bytes()),
            false => return Err(RANGE),
        },
        Form::Float8 => match value.unsigned_abs() < 1 << f64::MANTISSA_DIGITS {
            true => field(out, &(value as f64).to_be_bytes()),
            false => return Err(RANGE),
        },
        _ => return Err(MISMATCH),
    }
    Ok(())
}

/// The groups of four digits around the point, the first above and the last below it; 38 digits and
/// a point anywhere are never more than eleven.
struct Groups {
    digits: [u16; 12],
    first: usize,
    count: usize,
    /// Groups before the point.
    whole: usize,
}

impl Groups {
    fn of(magnitude: u128, scale: u8) -> Self {
        let mut groups = Self { digits: [0; 12], first: 0, count: 0, whole: 0 };
        let point = 10_u128.pow(u32::from(scale));
        let (mut whole, mut rest) = (magnitude / point, magnitude % point);
        while whole > 0 {
            groups.push((whole % BASE) as u16);
            whole /= BASE;
        }
        groups.digits[..groups.count].reverse();
        groups.whole = groups.count;
        let mut left = scale;
        while rest > 0 && left >= BASE_DIGITS {
            left -= BASE_DIGITS;
            let unit = 10_u128.pow(u32::from(left));
            groups.push((rest / unit) as u16);
            rest %= unit;
        }
        if rest > 0 {
            groups.push((rest * 10_u128.pow(u32::from(BASE_DIGITS - left))) as u16);
        }
        groups.trim();
        groups
    }

    fn push(&mut self, group: u16) {
        self.digits[self.count] = group;
        self.count += 1;
    }

    /// PostgreSQL keeps no zeros at either end.
    fn trim(&mut self) {
        while self.count > self.first && self.digits[self.count - 1] == 0 {
            self.count -= 1;
        }
        while self.first < self.count && self.digits[self.first] == 0 {
            self.first += 1;
        }
    }
}

fn numeric(digits: i128, scale: u8, out: &mut BytesMut) {
    let groups = Groups::of(digits.unsigned_abs(), scale);
    let kept = &groups.digits[groups.first..groups.count];
    let weight = match kept.is_empty() {
        true => 0,
        false => groups.whole as i16 - 1 - groups.first as i16,
    };
    out.put_i32(8 + 2 * kept.len() as i32);
    out.put_i16(kept.len() as i16);
    out.put_i16(weight);
    out.put_u16(if digits < 0 { 0x4000 } else { 0 });
    out.put_u16(u16::from(scale));
    for group in kept {
        out.put_u16(*group);
    }
}
