//! Values as PostgreSQL prints them, in UTC and in the ISO style.

use std::fmt::Write as _;

use super::calendar::{self, SECOND};
use super::float;
use super::read::utf8;
use super::value::Value;
use crate::model::types::Form;
use crate::model::types::PgType;
use crate::model::types::refusal::Refusal;

/// What `value::text` is in a column of the form's type with this `typmod`; `None` for NULL.
///
/// For keys, positions, and columns of other types, into which PostgreSQL casts the text. Half a
/// surrogate pair is refused.
pub fn text(value: &Value<'_>, form: Form, typmod: i32) -> Result<Option<String>, Refusal> {
    let text = match (value, form) {
        (Value::Null, _) => return Ok(None),
        (Value::Bool(v), Form::Bool | Form::Text) => v.to_string(),
        (Value::Int(v @ (0 | 1)), Form::Bool) => (*v == 1).to_string(),
        (Value::Bool(v), _) => decimal(i128::from(*v), 0, form, typmod),
        (Value::Int(v), Form::Float4) => float::real(*v as f32),
        (Value::Int(v), Form::Float8) => float::double(*v as f64),
        (Value::Int(v), _) => decimal(i128::from(*v), 0, form, typmod),
        (Value::Decimal { digits, scale }, _) => decimal(*digits, *scale, form, typmod),
        (Value::Real(v), Form::Float8) => float::double((*v).into()),
        (Value::Real(v), _) => float::real(*v),
        (Value::Float(v), _) => float::double(*v),
        (Value::Text(v), _) => utf8(v)?.to_owned(),
        (Value::Bytes(v), _) => hexadecimal(v),
        (Value::Uuid(v), _) => v.to_string(),
        (Value::Date(days), Form::Timestamp) => stamp(calendar::ticks(*days, 0), ""),
        (Value::Date(days), _) => stamp_of(*days, None, ""),
        (Value::Time(ticks), _) => clock(*ticks),
        (Value::DateTime(ticks), _) => stamp(*ticks, ""),
        (Value::DateTimeOffset { utc, .. }, _) => stamp(*utc, "+00"),
    };
    Ok(Some(text))
}

fn decimal(digits: i128, scale: u8, form: Form, typmod: i32) -> String {
    let kept = (PgType { oid: form.oid(), typmod }).numeric().filter(|_| form == Form::Numeric);
    let kept = kept.and_then(|(_, scale)| usize::try_from(scale).ok()).unwrap_or(0);
    let scale = usize::from(scale);
    let sign = if digits < 0 { "-" } else { "" };
    let mut text = format!("{sign}{:0>width$}", digits.unsigned_abs(), width = scale + 1);
    if kept.max(scale) > 0 {
        text.insert(text.len() - scale, '.');
        text.extend(std::iter::repeat_n('0', kept.saturating_sub(scale)));
    }
    text
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(DIGITS[usize::from(n)]);
    let pairs = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    "\\x".chars().chain(pairs).collect()
}

/// `04:05:06.123`; a seventh decimal is left out.
fn clock(ticks: i64) -> String {
    let seconds = ticks / SECOND;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    let mut text = format!("{hours:02}:{minutes:02}:{:02}", seconds % 60);
    let microseconds = ticks % SECOND / calendar::MICROSECOND;
    if microseconds > 0 {
        // Writing to a String doesn't fail.
        let _ = write!(text, ".{microseconds:06}");
        text.truncate(text.trim_end_matches('0').len());
    }
    text
}

fn stamp(ticks: i64, zone: &str) -> String {
    let (days, time) = calendar::split(ticks);
    stamp_of(days, Some(time), zone)
}

fn stamp_of(days: i32, time: Option<i64>, zone: &str) -> String {
    let day = calendar::civil(days);
    let (year, era) = match day.year {
        year @ 1.. => (year, ""),
        year => (1 - year, " BC"),
    };
    let time = time.map(|time| format!(" {}", clock(time))).unwrap_or_default();
    format!("{year:04}-{:02}-{:02}{time}{zone}{era}", day.month, day.day)
}
