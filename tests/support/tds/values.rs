//! Values: PostgreSQL's binary form of [`SqlType::carrier`] on the one side, the wire's on the other.

use bytes::{BufMut, BytesMut};
use uuid::Uuid;

use super::decimal;
use super::errors::SqlError;
use super::text;
use super::types::SqlType::{self, *};
use super::types::{decimal_bytes, time_bytes};
use super::wire::{Reader, number};

const TICKS_PER_DAY: i64 = 864_000_000_000;
const TICKS_PER_MINUTE: i64 = 600_000_000;
/// From the first day of year 1 to those on which PostgreSQL's date and a datetime begin.
const DAYS_TO_2000: i32 = 730_119;
const DAYS_TO_1900: i64 = 693_595;
/// Added to the minutes of an offset, so that they are never negative where they are stored.
const OFFSET_BIAS: i16 = 840;

/// A row's value as `kind` has it on the wire.
pub fn put(buffer: &mut BytesMut, kind: SqlType, value: Option<&[u8]>) -> Result<(), SqlError> {
    let Some(value) = value else {
        put_null(buffer, kind);
        return Ok(());
    };
    match kind {
        Bit => buffer.put_slice(&[1, value[0]]),
        TinyInt => buffer.put_slice(&[1, value[1]]),
        SmallInt | Int | BigInt | Real | Float => put_reversed(buffer, value),
        Decimal(precision, scale) => {
            let (negative, digits) = decimal::from_postgres(value, scale)?;
            let length = decimal_bytes(precision);
            buffer.put_slice(&[length, u8::from(!negative)]);
            buffer.put_slice(&digits.to_le_bytes()[..usize::from(length) - 1]);
        }
        Money => {
            let money = decimal::money(value)?;
            buffer.put_u8(8);
            buffer.put_i32_le((money >> 32) as i32);
            buffer.put_u32_le(money as u32);
        }
        SmallMoney => {
            buffer.put_u8(4);
            buffer.put_i32_le(decimal::money(value)? as i32);
        }
        Guid => {
            buffer.put_u8(16);
            buffer.put_slice(&Uuid::from_bytes(array(value)?).to_bytes_le());
        }
        NVarChar(Some(_)) | NChar(_) => put_counted(buffer, value, text::put_utf16)?,
        VarChar(Some(_)) | Char(_) => put_counted(buffer, value, text::put_1252)?,
        NVarChar(None) | Xml => put_parts(buffer, value, text::put_utf16)?,
        VarChar(None) => put_parts(buffer, value, text::put_1252)?,
        VarBinary(Some(_)) | Binary(_) | RowVersion => {
            buffer.put_u16_le(value.len() as u16);
            buffer.put_slice(value);
        }
        VarBinary(None) => put_bytes_in_parts(buffer, value),
        Date | Time(_) | DateTime | SmallDateTime | DateTime2(_) | DateTimeOffset(_) => {
            put_moment(buffer, kind, value)?;
        }
    }
    Ok(())
}

fn put_null(buffer: &mut BytesMut, kind: SqlType) {
    match kind {
        NVarChar(None) | VarChar(None) | VarBinary(None) | Xml => buffer.put_u64_le(u64::MAX),
        NVarChar(_) | NChar(_) | VarChar(_) | Char(_) | VarBinary(_) | Binary(_) | RowVersion => {
            buffer.put_u16_le(u16::MAX);
        }
        _ => buffer.put_u8(0),
    }
}

fn put_reversed(buffer: &mut BytesMut, value: &[u8]) {
    buffer.put_u8(value.len() as u8);
    value.iter().rev().for_each(|byte| buffer.put_u8(*byte));
}

fn put_counted(
    buffer: &mut BytesMut,
    value: &[u8],
    put: fn(&mut BytesMut, &str),
) -> Result<(), SqlError> {
    let at = buffer.len();
    buffer.put_u16_le(0);
    put(buffer, utf8(value)?);
    let length = (buffer.len() - at - 2) as u16;
    buffer[at..at + 2].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

fn put_parts(
    buffer: &mut BytesMut,
    value: &[u8],
    put: fn(&mut BytesMut, &str),
) -> Result<(), SqlError> {
    let mut wire = BytesMut::new();
    put(&mut wire, utf8(value)?);
    put_bytes_in_parts(buffer, &wire);
    Ok(())
}

fn put_bytes_in_parts(buffer: &mut BytesMut, value: &[u8]) {
    buffer.put_u64_le(value.len() as u64);
    if !value.is_empty() {
        buffer.put_u32_le(value.len() as u32);
        buffer.put_slice(value);
    }
    buffer.put_u32_le(0);
}

fn put_moment(buffer: &mut BytesMut, kind: SqlType, value: &[u8]) -> Result<(), SqlError> {
    if kind == Date {
        buffer.put_u8(3);
        put_day(buffer, i32::from_be_bytes(array(value)?) + DAYS_TO_2000);
        return Ok(());
    }
    let ticks = i64::from_be_bytes(array(&value[..8])?);
    let (day, clock) = (ticks / TICKS_PER_DAY, ticks % TICKS_PER_DAY);
    match kind {
        Time(scale) => {
            buffer.put_u8(time_bytes(scale) as u8);
            put_clock(buffer, clock, scale);
        }
        DateTime2(scale) => {
            buffer.put_u8(time_bytes(scale) as u8 + 3);
            put_clock(buffer, clock, scale);
            put_day(buffer, day as i32);
        }
        DateTimeOffset(scale) => {
            buffer.put_u8(time_bytes(scale) as u8 + 5);
            put_clock(buffer, clock, scale);
            put_day(buffer, day as i32);
            buffer.put_i16_le(i16::from_be_bytes([value[8], value[9]]) - OFFSET_BIAS);
        }
        SmallDateTime => {
            buffer.put_u8(4);
            buffer.put_u16_le((day - DAYS_TO_1900) as u16);
            buffer.put_u16_le((clock / TICKS_PER_MINUTE) as u16);
        }
        _ => {
            // Of 1/300 seconds; the last may belong to the next day.
            let parts = (ticks % TICKS_PER_DAY * 300 + 5_000_000) / 10_000_000;
            let day_parts = 300 * 86_400;
            buffer.put_u8(8);
            buffer.put_i32_le((day - DAYS_TO_1900 + parts / day_parts) as i32);
            buffer.put_u32_le((parts % day_parts) as u32);
        }
    }
    Ok(())
}

fn put_clock(buffer: &mut BytesMut, ticks: i64, scale: u8) {
    let parts = ticks / ticks_of(scale);
    buffer.put_slice(&parts.to_le_bytes()[..time_bytes(scale)]);
}

fn put_day(buffer: &mut BytesMut, day: i32) {
    buffer.put_slice(&day.to_le_bytes()[..3]);
}

/// How many ticks the last digit of a time of this scale stands for.
fn ticks_of(scale: u8) -> i64 {
    10i64.pow(u32::from(7 - scale.min(7)))
}

fn utf8(value: &[u8]) -> Result<&str, SqlError> {
    std::str::from_utf8(value).map_err(|_| SqlError::protocol("PostgreSQL sent no UTF-8"))
}

fn array<const N: usize>(value: &[u8]) -> Result<[u8; N], SqlError> {
    value.try_into().map_err(|_| SqlError::protocol("a value has a strange length"))
}

/// A value of a parameter or of a bulk load's row; none for NULL.
pub fn read(from: &mut Reader<'_>, kind: SqlType) -> Result<Option<Vec<u8>>, SqlError> {
    let value = match kind {
        NVarChar(None) | VarChar(None) | VarBinary(None) | Xml => from.parts()?,
        NVarChar(_) | NChar(_) | VarChar(_) | Char(_) | VarBinary(_) | Binary(_) | RowVersion => {
            match from.number(2)? as u16 {
                u16::MAX => None,
                length => Some(from.bytes(usize::from(length))?.to_vec()),
            }
        }
        _ => match from.byte()? {
            0 => None,
            length => Some(from.bytes(usize::from(length))?.to_vec()),
        },
    };
    value.map(|value| carried(kind, value)).transpose()
}

/// PostgreSQL's form of a value of the wire.
fn carried(kind: SqlType, mut value: Vec<u8>) -> Result<Vec<u8>, SqlError> {
    Ok(match kind {
        Bit => vec![u8::from(value[0] != 0)],
        TinyInt => vec![0, value[0]],
        SmallInt | Int | BigInt | Real | Float => {
            value.reverse();
            value
        }
        Decimal(_, scale) => {
            decimal::to_postgres(value[0] == 0, number(&value[1..]), usize::from(scale))
        }
        Money => {
            let high = number(&value[..4]) as u32 as i32;
            let money = i64::from(high) << 32 | number(&value[4..]) as i64;
            decimal::to_postgres(money < 0, u128::from(money.unsigned_abs()), 4)
        }
        SmallMoney => {
            let money = i32::from_le_bytes(array(&value)?);
            decimal::to_postgres(money < 0, u128::from(money.unsigned_abs()), 4)
        }
        Guid => Uuid::from_bytes_le(array(&value)?).into_bytes().to_vec(),
        NVarChar(_) | NChar(_) | Xml => text::from_utf16(&value).into_bytes(),
        VarChar(_) | Char(_) => text::from_1252(&value).into_bytes(),
        VarBinary(_) | Binary(_) | RowVersion => value,
        Date => (number(&value) as i32 - DAYS_TO_2000).to_be_bytes().to_vec(),
        Time(_) | DateTime | SmallDateTime | DateTime2(_) | DateTimeOffset(_) => {
            moment(kind, &value)
        }
    })
}

fn moment(kind: SqlType, value: &[u8]) -> Vec<u8> {
    let ticks = |scale: u8, value: &[u8]| {
        let (clock, day) = value.split_at(time_bytes(scale));
        number(clock) as i64 * ticks_of(scale) + number(day) as i64 * TICKS_PER_DAY
    };
    match kind {
        Time(scale) | DateTime2(scale) => ticks(scale, value).to_be_bytes().to_vec(),
        DateTimeOffset(scale) => {
            let (stamp, offset) = value.split_at(value.len() - 2);
            let minutes = i16::from_le_bytes([offset[0], offset[1]]) + OFFSET_BIAS;
            let mut stored = ticks(scale, stamp).to_be_bytes().to_vec();
            stored.extend(minutes.to_be_bytes());
            stored.resize(16, 0);
            stored
        }
        SmallDateTime => {
            let day = number(&value[..2]) as i64 + DAYS_TO_1900;
            let clock = number(&value[2..]) as i64 * TICKS_PER_MINUTE;
            (day * TICKS_PER_DAY + clock).to_be_bytes().to_vec()
        }
        _ => {
            let day = i64::from(number(&value[..4]) as u32 as i32) + DAYS_TO_1900;
            // Whole milliseconds, as it is shown: .003 and not .0033333.
            let milliseconds = (number(&value[4..]) as i64 * 10 + 1) / 3;
            (day * TICKS_PER_DAY + milliseconds * 10_000).to_be_bytes().to_vec()
        }
    }
}
