//! Numbers of up to 38 digits: PostgreSQL's numeric in base 10,000, the wire's in one integer.

use super::errors::SqlError;

const NEGATIVE: u16 = 0x4000;
/// Above it stand NaN and the infinities.
const SIGN_MAX: u16 = NEGATIVE;
const HEADER_BYTES: usize = 8;

/// Whether it is negative, and its digits down to `scale`; what is smaller is cut off.
pub fn from_postgres(value: &[u8], scale: u8) -> Result<(bool, u128), SqlError> {
    let overflow = || SqlError::new(8115, "Arithmetic overflow error converting numeric.");
    let word = |at: usize| u16::from_be_bytes([value[at], value[at + 1]]);
    let (weight, sign) = (i32::from(word(2) as i16), word(4));
    if sign > SIGN_MAX {
        return Err(overflow());
    }
    let mut sum = 0u128;
    for (place, at) in (HEADER_BYTES..value.len()).step_by(2).enumerate() {
        let (digit, exponent) = (u128::from(word(at)), (weight - place as i32) * 4);
        let exponent = exponent + i32::from(scale);
        let part = match u32::try_from(exponent) {
            Ok(exponent) => 10u128.checked_pow(exponent).and_then(|power| digit.checked_mul(power)),
            Err(_) => Some(digit / 10u128.pow(exponent.unsigned_abs().min(4))),
        };
        sum = part.and_then(|part| sum.checked_add(part)).ok_or_else(overflow)?;
    }
    Ok((sign == NEGATIVE && sum > 0, sum))
}

/// Ten-thousandths.
pub fn money(value: &[u8]) -> Result<i64, SqlError> {
    let (negative, digits) = from_postgres(value, 4)?;
    let money = if negative { -(digits as i128) } else { digits as i128 };
    i64::try_from(money).map_err(|_| SqlError::new(8115, "Arithmetic overflow error for money."))
}

/// PostgreSQL's form of `digits` with the last `scale` of them behind the point.
pub fn to_postgres(negative: bool, digits: u128, scale: usize) -> Vec<u8> {
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let whole = format!("{whole:0>width$}", width = whole.len().next_multiple_of(4));
    let fraction = format!("{fraction:0<width$}", width = scale.next_multiple_of(4));
    let all = whole.clone() + &fraction;
    let words = all.as_bytes().chunks_exact(4);
    let words = words.map(|word| word.iter().fold(0, |n, digit| n * 10 + u16::from(digit - b'0')));
    let words: Vec<u16> = words.collect();
    let sign = if negative { NEGATIVE } else { 0 };
    let mut value = Vec::with_capacity(HEADER_BYTES + words.len() * 2);
    let weight = (whole.len() / 4) as u16 - 1;
    for word in [words.len() as u16, weight, sign, scale as u16].iter().chain(&words) {
        value.extend(word.to_be_bytes());
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scale_goes_both_ways() {
        let digits = 98_765_432_109_876_543_210_987_654_321_098_765_432;
        for scale in 0..=38 {
            for (negative, digits) in [(false, digits), (true, digits), (true, 1), (false, 0)] {
                let value = to_postgres(negative, digits, usize::from(scale));
                assert_eq!(from_postgres(&value, scale).unwrap(), (negative, digits), "{scale}");
            }
        }
    }
}
