//! From what PostgreSQL prints to a value.

use std::borrow::Cow;
use std::str::FromStr;

use super::calendar::{self, Civil, DAY, END, MINUTE, SECOND, SLACK};
use super::decode::Number;
use super::value::Value;
use crate::model::types::Form;
use crate::model::types::refusal::{CALENDAR, MALFORMED, NOT_FINITE, RANGE, Refusal};

/// Reads what [`text`](super::text) or PostgreSQL in the ISO style has printed; texts stay borrowed.
/// Refused is what [`decode`](super::decode) refuses.
pub fn parse(text: &str, form: Form) -> Result<Value<'_>, Refusal> {
    Ok(match form {
        Form::Bool => Value::Bool(match text {
            "true" | "t" => true,
            "false" | "f" => false,
            _ => return Err(MALFORMED),
        }),
        Form::Int2 => Value::Int(integer::<i16>(text)?.into()),
        Form::Int4 => Value::Int(integer::<i32>(text)?.into()),
        Form::Int8 => Value::Int(integer(text)?),
        Form::Float4 => match text.parse::<f32>().map_err(|_| MALFORMED)? {
            value if value.is_finite() => Value::Real(value),
            _ => return Err(NOT_FINITE),
        },
        Form::Float8 => match text.parse::<f64>().map_err(|_| MALFORMED)? {
            value if value.is_finite() => Value::Float(value),
            _ => return Err(NOT_FINITE),
        },
        Form::Numeric => numeric(text)?,
        Form::Text => Value::Text(Cow::Borrowed(text.as_bytes())),
        Form::Bytea => Value::Bytes(Cow::Owned(bytes(text).ok_or(MALFORMED)?)),
        Form::Uuid => Value::Uuid(text.parse().map_err(|_| MALFORMED)?),
        Form::Date => {
            let (text, is_bc) = era(text)?;
            let days = day(text, is_bc)?;
            let is_known = (0..=calendar::LAST_DAY).contains(&days);
            Value::Date(Some(days).filter(|_| is_known).ok_or(CALENDAR)?)
        }
        Form::Time => Value::Time(Some(clock(text)?).filter(|t| *t < DAY).ok_or(RANGE)?),
        Form::Timestamp => Value::DateTime(known(stamp(text, "")?, 0)?),
        Form::Timestamptz => {
            let (text, is_bc) = era(text)?;
            // The day's own dashes are over before the time begins.
            let time = text.find(' ').ok_or(MALFORMED)?;
            let zone = text[time..].find(['+', '-']).ok_or(MALFORMED)? + time;
            let ahead = offset(&text[zone..])?;
            let local = stamp(&text[..zone], if is_bc { " BC" } else { "" })?;
            Value::DateTimeOffset { utc: known(local - ahead, SLACK)?, offset: 0 }
        }
    })
}

fn integer<I: FromStr>(text: &str) -> Result<I, Refusal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match (text.parse(), is_number) {
        (Ok(number), true) => Ok(number),
        (Err(_), true) => Err(RANGE),
        (_, false) => Err(MALFORMED),
    }
}

fn numeric(text: &str) -> Result<Value<'static>, Refusal> {
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text),
    };
    if matches!(unsigned, "NaN" | "Infinity") {
        return Err(NOT_FINITE);
    }
    let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(decimals) {
        return Err(MALFORMED);
    }
    let kept = decimals.trim_end_matches('0');
    let mut number = Number { digits: 0, exponent: 0 };
    for digit in whole.bytes().chain(kept.bytes()) {
        number.push(10, u16::from(digit - b'0'))?;
    }
    number.exponent = -i32::try_from(kept.len()).map_err(|_| RANGE)?;
    let (digits, scale) = number.scaled(u32::try_from(decimals.len()).map_err(|_| RANGE)?)?;
    Ok(Value::Decimal { digits: if is_negative { -digits } else { digits }, scale })
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.strip_prefix("\\x")?.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok();
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

/// The text without its era, and whether that is BC; neither infinity has one.
fn era(text: &str) -> Result<(&str, bool), Refusal> {
    match text {
        "infinity" | "-infinity" => Err(CALENDAR),
        text => Ok(text.strip_suffix(" BC").map_or((text, false), |text| (text, true))),
    }
}

fn known(ticks: i64, slack: i64) -> Result<i64, Refusal> {
    match (-slack..END + slack).contains(&ticks) {
        true => Ok(ticks),
        false => Err(CALENDAR),
    }
}

fn stamp(text: &str, more: &str) -> Result<i64, Refusal> {
    let (text, is_bc) = era(text)?;
    let (date, time) = text.split_once(' ').ok_or(MALFORMED)?;
    Ok(calendar::ticks(day(date, is_bc || !more.is_empty())?, clock(time)?))
}

fn day(text: &str, is_bc: bool) -> Result<i32, Refusal> {
    let mut parts = text.splitn(3, '-').map(integer::<u32>);
    let mut part = || parts.next().ok_or(MALFORMED)?;
    let (year, month, day) = (part()?.cast_signed(), part()?, part()?);
    let year = if is_bc { 1 - year } else { year };
    calendar::days(Civil { year, month, day }).ok_or(match year > 9_999 {
        true => CALENDAR,
        false => MALFORMED,
    })
}

/// `04:05:06.123`, to 24:00:00.
fn clock(text: &str) -> Result<i64, Refusal> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.splitn(3, ':').map(integer::<u32>);
    let mut part = |end: u32| match parts.next().ok_or(MALFORMED)?? {
        part if part < end => Ok(i64::from(part)),
        _ => Err(MALFORMED),
    };
    let seconds = (part(25)? * 60 + part(60)?) * 60 + part(60)?;
    if decimals.len() > 7 {
        return Err(MALFORMED);
    }
    let ticks: i64 = integer::<u32>(&format!("{decimals:0<7}"))?.into();
    Some(seconds * SECOND + ticks).filter(|ticks| *ticks <= DAY).ok_or(MALFORMED)
}

/// `+00`, `-03:30`, `+00:01:15`.
fn offset(text: &str) -> Result<i64, Refusal> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let mut units = [60 * MINUTE, MINUTE, SECOND].into_iter();
    let mut ahead = 0;
    for part in text[1..].split(':') {
        ahead += i64::from(integer::<u16>(part)?) * units.next().ok_or(MALFORMED)?;
    }
    Ok(sign * ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sql_server_does_not_know_is_refused() {
        for (text, form, refusal) in [
            ("NaN", Form::Numeric, NOT_FINITE),
            ("-Infinity", Form::Numeric, NOT_FINITE),
            ("NaN", Form::Float8, NOT_FINITE),
            ("-Infinity", Form::Float4, NOT_FINITE),
            ("infinity", Form::Date, CALENDAR),
            ("-infinity", Form::Timestamptz, CALENDAR),
            ("infinity", Form::Timestamp, CALENDAR),
            ("0044-03-15 BC", Form::Date, CALENDAR),
            ("0044-03-15 12:00:00+00 BC", Form::Timestamptz, CALENDAR),
            ("10000-01-01", Form::Date, CALENDAR),
            ("24:00:00", Form::Time, RANGE),
            ("32768", Form::Int2, RANGE),
            ("2026-02-29", Form::Date, MALFORMED),
            ("12:60:00", Form::Time, MALFORMED),
            ("+1", Form::Int4, MALFORMED),
            ("1e5", Form::Numeric, MALFORMED),
            ("\\xf", Form::Bytea, MALFORMED),
        ] {
            assert_eq!(parse(text, form).unwrap_err(), refusal, "{text}");
        }
        let long = "1".repeat(39);
        assert!(parse(&long, Form::Numeric).is_err());
    }

    #[test]
    fn zeros_that_are_too_many_are_left_out() {
        let text = format!("1.5{}", "0".repeat(60));
        assert_eq!(parse(&text, Form::Numeric), Ok(Value::Decimal { digits: 15, scale: 1 }));
        let text = format!("0.{}", "0".repeat(60));
        assert_eq!(parse(&text, Form::Numeric), Ok(Value::Decimal { digits: 0, scale: 0 }));
    }

    #[test]
    fn an_offset_is_taken_off() {
        for (text, utc) in [
            ("0001-01-01 00:00:00+00", 0),
            ("0001-01-01 05:30:00+05:30", 0),
            ("0001-01-01 00:00:00-03:30:15", (3 * 60 + 30) * MINUTE + 15 * SECOND),
            ("0001-12-31 23:00:00.5+00 BC", -60 * MINUTE + SECOND / 2),
        ] {
            let wanted = Value::DateTimeOffset { utc, offset: 0 };
            assert_eq!(parse(text, Form::Timestamptz), Ok(wanted), "{text}");
        }
    }
}
