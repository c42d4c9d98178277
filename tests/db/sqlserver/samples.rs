//! Values of every type of SQL Server: the ends of its range, and some without a pattern.

use tidegate::db::sqlserver::types::Value;
use tidegate::model::types::{Length, Page, SqlType};
use uuid::Uuid;

use crate::support::Dice;

const SECOND: i64 = 10_000_000;
const DAY: i64 = 86_400 * SECOND;
const LAST_DAY: i64 = 3_652_058;
const DAY_1753: i64 = 639_905;
const DAY_1900: i64 = 693_595;

/// One of each type, and of those with a length or a scale those at the ends.
pub fn types() -> Vec<SqlType> {
    let page = Page::WESTERN;
    let mut types = vec![
        SqlType::Bit,
        SqlType::TinyInt,
        SqlType::SmallInt,
        SqlType::Int,
        SqlType::BigInt,
        SqlType::Money,
        SqlType::SmallMoney,
        SqlType::Real,
        SqlType::Float,
        SqlType::Char { length: 10, page },
        SqlType::VarChar { length: Length::Of(20), page },
        SqlType::VarChar { length: Length::Max, page: Page::UTF8 },
        SqlType::Text { page },
        SqlType::NChar { length: 10 },
        SqlType::NVarChar { length: Length::Of(20) },
        SqlType::NVarChar { length: Length::Max },
        SqlType::NText,
        SqlType::Xml,
        SqlType::Binary { length: 16 },
        SqlType::VarBinary { length: Length::Of(20) },
        SqlType::Image,
        SqlType::RowVersion,
        SqlType::Date,
        SqlType::DateTime,
        SqlType::SmallDateTime,
        SqlType::UniqueIdentifier,
    ];
    let decimals = [(1, 0), (1, 1), (5, 2), (9, 9), (18, 4), (19, 19), (38, 0), (38, 10), (38, 38)];
    types.extend(decimals.map(|(precision, scale)| SqlType::Decimal { precision, scale }));
    for scale in [0, 3, 6, 7] {
        types.push(SqlType::Time { scale });
        types.push(SqlType::DateTime2 { scale });
        types.push(SqlType::DateTimeOffset { scale });
    }
    types
}

/// NULL, the ends and `more` values as a column of the type holds them.
pub fn values(of: SqlType, more: u64, dice: &mut Dice) -> Vec<Value<'static>> {
    let mut values = ends(of);
    values.push(Value::Null);
    values.extend((0..more).map(|_| value(of, dice)));
    values
}

fn ends(of: SqlType) -> Vec<Value<'static>> {
    match of {
        SqlType::Bit => vec![Value::Bool(false), Value::Bool(true)],
        SqlType::TinyInt => vec![Value::Int(0), Value::Int(255)],
        SqlType::SmallInt => vec![Value::Int(i16::MIN.into()), Value::Int(i16::MAX.into())],
        SqlType::Int => vec![Value::Int(i32::MIN.into()), Value::Int(i32::MAX.into())],
        SqlType::BigInt => vec![Value::Int(i64::MIN), Value::Int(i64::MAX), Value::Int(0)],
        SqlType::Real => [f32::MAX, f32::MIN, f32::MIN_POSITIVE, 0.0, 1e6, 1e-5, 0.1, 16_777_216.0]
            .map(Value::Real)
            .to_vec(),
        SqlType::Float => [
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            0.0,
            -0.0,
            1e15,
            1e-5,
            0.1,
            1e23,
            36_028_797_018_963_984.0,
            9_007_199_254_740_993.0,
        ]
        .map(Value::Float)
        .to_vec(),
        SqlType::Date => vec![Value::Date(0), Value::Date(LAST_DAY as i32)],
        SqlType::Time { scale } => vec![Value::Time(0), Value::Time(DAY - unit(scale))],
        SqlType::DateTime => {
            vec![Value::DateTime(DAY_1753 * DAY), Value::DateTime((LAST_DAY + 1) * DAY - 30_000)]
        }
        SqlType::SmallDateTime => vec![
            Value::DateTime(DAY_1900 * DAY),
            Value::DateTime((DAY_1900 + 65_536) * DAY - 60 * SECOND),
        ],
        SqlType::DateTime2 { scale } => {
            vec![Value::DateTime(0), Value::DateTime((LAST_DAY + 1) * DAY - unit(scale))]
        }
        SqlType::DateTimeOffset { scale } => vec![
            Value::DateTimeOffset { utc: 0, offset: 840 },
            Value::DateTimeOffset { utc: (LAST_DAY + 1) * DAY - unit(scale), offset: -840 },
        ],
        SqlType::Money => decimals(4, [i64::MIN.into(), i64::MAX.into()]),
        SqlType::SmallMoney => decimals(4, [i32::MIN.into(), i32::MAX.into()]),
        SqlType::Decimal { precision, scale } => {
            let most = 10_i128.pow(precision.into()) - 1;
            decimals(scale, [most, -most, 0, 1, -1])
        }
        SqlType::Binary { length } => vec![Value::Bytes(vec![0; length.into()].into())],
        SqlType::RowVersion => vec![Value::Bytes(vec![0xff; 8].into())],
        SqlType::VarBinary { .. } | SqlType::Image => {
            vec![Value::Bytes(vec![].into()), Value::Bytes(vec![0, 0xff].into())]
        }
        SqlType::UniqueIdentifier => vec![Value::Uuid(Uuid::nil()), Value::Uuid(Uuid::max())],
        of if is_wide(of) => ["", "🙂🙂", "\u{10ffff}", "\\N\t\r\n\"';"].map(text).to_vec(),
        _ => ["", "€ÿ\u{a0}", "\\N\t\r\n\"';"].map(text).to_vec(),
    }
}

fn value(of: SqlType, dice: &mut Dice) -> Value<'static> {
    let below = |dice: &mut Dice, end: i64| dice.roll(end.unsigned_abs()).cast_signed();
    match of {
        SqlType::Bit => Value::Bool(dice.one_in(2)),
        SqlType::TinyInt => Value::Int(below(dice, 256)),
        SqlType::SmallInt => Value::Int(i64::from(any(dice) as i16)),
        SqlType::Int => Value::Int(i64::from(any(dice) as i32)),
        SqlType::BigInt => Value::Int(any(dice) >> dice.roll(64)),
        SqlType::Money => Value::Decimal { digits: (any(dice) >> dice.roll(64)).into(), scale: 4 },
        SqlType::SmallMoney => Value::Decimal { digits: (any(dice) as i32).into(), scale: 4 },
        SqlType::Decimal { precision, scale } => {
            let digits = dice.roll(u64::from(precision) + 1) as u32;
            let any = i128::from(any(dice)) << 64 | i128::from(any(dice).unsigned_abs());
            Value::Decimal { digits: any % 10_i128.pow(digits), scale }
        }
        SqlType::Real => Value::Real(match dice.roll(2) {
            0 => Some(f32::from_bits(any(dice) as u32)).filter(|v| v.is_finite()).unwrap_or(0.5),
            _ => (any(dice) >> (32 + dice.roll(32))) as f32,
        }),
        SqlType::Float => Value::Float(match dice.roll(3) {
            0 => Some(f64::from_bits(any(dice) as u64)).filter(|v| v.is_finite()).unwrap_or(0.5),
            1 => (any(dice) >> dice.roll(64)) as f64,
            _ => below(dice, 1_000_000) as f64 / 100.0,
        }),
        SqlType::Date => Value::Date(below(dice, LAST_DAY + 1) as i32),
        SqlType::Time { scale } => {
            let ticks = below(dice, DAY);
            Value::Time(ticks - ticks % unit(scale))
        }
        SqlType::DateTime => {
            let day = DAY_1753 + below(dice, LAST_DAY - DAY_1753 + 1);
            let milliseconds = (below(dice, 300 * 86_400) * 10 + 1) / 3;
            Value::DateTime(day * DAY + milliseconds * 10_000)
        }
        SqlType::SmallDateTime => {
            Value::DateTime(DAY_1900 * DAY + below(dice, 65_536 * 1_440) * 60 * SECOND)
        }
        SqlType::DateTime2 { scale } => {
            let ticks = below(dice, (LAST_DAY + 1) * DAY);
            Value::DateTime(ticks - ticks % unit(scale))
        }
        SqlType::DateTimeOffset { scale } => {
            let ticks = DAY + below(dice, (LAST_DAY - 1) * DAY);
            let offset = below(dice, 1_681) as i16 - 840;
            Value::DateTimeOffset { utc: ticks - ticks % unit(scale), offset }
        }
        SqlType::Binary { .. } => bytes(16, dice),
        SqlType::RowVersion => bytes(8, dice),
        SqlType::VarBinary { .. } | SqlType::Image => bytes(dice.roll(21), dice),
        SqlType::UniqueIdentifier => {
            Value::Uuid(Uuid::from_u64_pair(any(dice) as u64, any(dice) as u64))
        }
        of => words(of, dice),
    }
}

fn any(dice: &mut Dice) -> i64 {
    (dice.roll(1 << 32) << 32 | dice.roll(1 << 32)).cast_signed()
}

fn unit(scale: u8) -> i64 {
    SECOND / 10_i64.pow(scale.into())
}

fn decimals<const N: usize>(scale: u8, digits: [i128; N]) -> Vec<Value<'static>> {
    digits.map(|digits| Value::Decimal { digits, scale }).to_vec()
}

fn bytes(length: u64, dice: &mut Dice) -> Value<'static> {
    Value::Bytes((0..length).map(|_| dice.roll(256) as u8).collect())
}

pub fn text(text: &str) -> Value<'static> {
    Value::Text(text.as_bytes().to_vec().into())
}

/// Whether it holds all of Unicode.
fn is_wide(of: SqlType) -> bool {
    !matches!(
        of,
        SqlType::Char { .. } | SqlType::Text { .. } | SqlType::VarChar { page: Page::WESTERN, .. }
    )
}

fn words(of: SqlType, dice: &mut Dice) -> Value<'static> {
    let letters: &[char] = match is_wide(of) {
        true => &['a', 'Z', ' ', '0', '\'', 'ä', '€', '東', '\u{ffff}', '🙂', '\u{301}'],
        false => &['a', 'Z', ' ', '0', '\'', '\\', '\n', 'ä', '€'],
    };
    // Ten units for all but those that have room for more.
    let padded = matches!(of, SqlType::Char { .. } | SqlType::NChar { .. });
    let count = dice.roll(if padded { 6 } else { 11 });
    let words: String = (0..count).map(|_| dice.pick(letters)).collect();
    text(if padded { words.trim_end_matches(' ') } else { &words })
}
