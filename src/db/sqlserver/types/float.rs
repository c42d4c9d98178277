//! Floating point numbers as PostgreSQL prints them since version 12.
//!
//! The shortest digits that come back, like everybody's, except that PostgreSQL takes no digits that
//! lie half way between two numbers, since a reader might round them the other way, and rounds a half
//! to even.

use std::fmt::LowerExp;

/// `real`, of whose exponents -4 to 5 are printed without one.
pub(super) fn real(value: f32) -> String {
    let bits = value.to_bits();
    let edges = Edges::new((bits & 0x7f_ffff).into(), (bits >> 23 & 0xff).cast_signed(), 23, 127);
    layout(&digits(value, edges, |text| text.parse() == Ok(value)), 6)
}

/// `double precision`, of whose exponents -4 to 14 are printed without one.
pub(super) fn double(value: f64) -> String {
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let edges = Edges::new(bits & 0xf_ffff_ffff_ffff, exponent, 52, 1_023);
    layout(&digits(value, edges, |text| text.parse() == Ok(value)), 15)
}

/// As many digits as any of them needs.
const DIGITS_MAX: usize = 17;

/// The digits in scientific notation, `-1.25e-7`: as few as come back, and of those the nearest, the
/// even one of two.
fn digits<F: LowerExp>(value: F, edges: Edges, comes_back: impl Fn(&str) -> bool) -> String {
    let shortest = format!("{value:e}");
    let fewest = parts(&shortest).0.len();
    let mut nearest = (fewest..=DIGITS_MAX).map(|count| format!("{value:.*e}", count - 1));
    nearest.find(|text| comes_back(text) && !edges.touch(text)).unwrap_or(shortest)
}

/// The two numbers half way to the neighbours, as an odd number times a power of two.
#[derive(Clone, Copy)]
struct Edges([(u128, i32); 2]);

impl Edges {
    /// Of the number with these bits; `width` bits of fraction.
    fn new(fraction: u64, exponent: i32, width: u32, bias: i32) -> Self {
        let hidden = u128::from(exponent != 0) << width;
        let mantissa = u128::from(fraction) | hidden;
        let power = exponent.max(1) - bias - width.cast_signed();
        let above = (2 * mantissa + 1, power - 1);
        // Below a power of two the neighbour is nearer.
        let below = match fraction == 0 && exponent > 1 {
            true => (4 * mantissa - 1, power - 2),
            false => ((2 * mantissa).saturating_sub(1), power - 1),
        };
        Self([above, below])
    }

    /// Whether the digits are one of the two to the last.
    fn touch(self, scientific: &str) -> bool {
        let (digits, exponent) = parts(scientific);
        let after_point = digits.len().saturating_sub(1) as i32;
        let Ok(number) = digits.parse::<u128>() else { return false };
        let power = exponent - after_point;
        self.0.into_iter().any(|(odd, twos)| is_same(number, power, odd, twos))
    }
}

/// Whether `number` × 10^`tens` is `odd` × 2^`twos`.
fn is_same(number: u128, tens: i32, odd: u128, twos: i32) -> bool {
    let fives = 5_u128.checked_pow(tens.unsigned_abs());
    let (left, right) = match tens >= 0 {
        true => (fives.and_then(|fives| number.checked_mul(fives)), Some(odd)),
        false => (Some(number), fives.and_then(|fives| odd.checked_mul(fives))),
    };
    // What overflows is bigger than the other side.
    let (Some(left), Some(right)) = (left, right) else { return false };
    let zeros = left.trailing_zeros().cast_signed();
    left != 0 && left >> zeros == right && tens + zeros == twos
}

/// The digits without sign and point, and the exponent of the first.
fn parts(scientific: &str) -> (String, i32) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let digits = mantissa.chars().filter(char::is_ascii_digit).collect();
    (digits, exponent.parse().unwrap_or(0))
}

/// Without an exponent if that is from -4 to below `most`, else with one of two digits or more.
fn layout(scientific: &str, most: i32) -> String {
    let (digits, exponent) = parts(scientific);
    let sign = if scientific.starts_with('-') { "-" } else { "" };
    if !(-4..most).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let direction = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}e{direction}{:02}", exponent.abs());
    }
    let count = digits.len() as i32;
    match exponent {
        ..0 => format!("{sign}0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1)),
        _ if exponent + 1 >= count => {
            format!("{sign}{digits}{}", "0".repeat((exponent + 1 - count) as usize))
        }
        _ => {
            let (whole, rest) = digits.split_at(exponent as usize + 1);
            format!("{sign}{whole}.{rest}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_printed_as_postgresql_does() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (100.0, "100"),
            (-1.5, "-1.5"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (123_456_789_012_345.6, "123456789012345.6"),
            (1e15, "1e+15"),
            (1.25e300, "1.25e+300"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            // …980 is shorter, but half way to the neighbour.
            (36_028_797_018_963_984.0, "3.6028797018963984e+16"),
        ] {
            assert_eq!(double(value), text);
        }
    }

    #[test]
    fn reals_are_printed_as_postgresql_does() {
        for (value, text) in [
            (0.1, "0.1"),
            (999_999.0, "999999"),
            (1e6, "1e+06"),
            (16_777_216.0, "1.6777216e+07"),
            // 3,763,515.25 lies between two of eight digits.
            (15_054_061.0 / 4.0, "3.7635152e+06"),
            (f32::MAX, "3.4028235e+38"),
            (1e-45, "1e-45"),
        ] {
            assert_eq!(real(value), text);
        }
    }
}
