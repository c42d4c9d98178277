//! Moments as PostgreSQL counts and writes them, for positions that another database keeps.

use std::fmt;

/// A `timestamptz`: microseconds since the beginning of the year 2000, UTC. The lowest and the highest
/// one are its infinities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub i64);

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// Days from 0000-03-01 to 2000-01-01.
const EPOCH_DAYS: i64 = 730_425;
/// Seconds from 1970 to 2000.
const UNIX_EPOCH: f64 = 946_684_800.0;

impl Instant {
    /// Before every other.
    pub const BEFORE_ALL: Self = Self(i64::MIN);
    /// After every other.
    pub const AFTER_ALL: Self = Self(i64::MAX);

    /// Reads what PostgreSQL writes with `DateStyle = ISO`, and RFC 3339. `None`: it is neither, or
    /// says no zone.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "infinity" => return Some(Self::AFTER_ALL),
            "-infinity" => return Some(Self::BEFORE_ALL),
            _ => {}
        }
        let (text, is_before_christ) = match text.strip_suffix(" BC") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (date, rest) = text.split_once(['T', ' '])?;
        let mut date = date.split('-').map(digits);
        let (year, month, day) = (date.next()??, date.next()??, date.next()??);
        let (time, offset) = rest.split_at(rest.find(['Z', '+', '-'])?);
        let year = if is_before_christ { 1 - year } else { year };
        let is_date = date.next().is_none() && (1..=12).contains(&month) && (1..=31).contains(&day);
        let days = is_date.then(|| days(year, month, day))?;
        days.checked_mul(DAY)?.checked_add(time_of(time)? - offset_of(offset)?).map(Self)
    }

    /// Whether it is none of the infinities.
    pub fn is_finite(self) -> bool {
        self != Self::BEFORE_ALL && self != Self::AFTER_ALL
    }

    /// Seconds since 1970.
    pub fn unix(self) -> f64 {
        self.0 as f64 / SECOND as f64 + UNIX_EPOCH
    }

    /// The same in JSON as PostgreSQL writes it.
    pub fn in_json(self) -> String {
        match self.is_finite() {
            true => self.to_string().replacen(' ', "T", 1).replacen("+00", "+00:00", 1),
            false => self.to_string(),
        }
    }
}

/// As PostgreSQL writes it in UTC.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AFTER_ALL => return f.write_str("infinity"),
            Self::BEFORE_ALL => return f.write_str("-infinity"),
            Self(_) => {}
        }
        let (year, month, day) = date(self.0.div_euclid(DAY));
        let time = self.0.rem_euclid(DAY);
        let (seconds, fraction) = (time / SECOND, time % SECOND);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let (year, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")?;
        if fraction > 0 {
            let digits = format!("{fraction:06}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        write!(f, "+00{era}")
    }
}

fn digits(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// `hh:mm:ss` with up to six digits of a second.
fn time_of(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let micros = digits(fraction).filter(|_| fraction.len() <= 6)?;
    let micros = (fraction.len()..6).fold(micros, |micros, _| micros * 10);
    Some(sexagesimal(clock)? * SECOND + micros)
}

/// `Z`, or a sign and `hh`, `hh:mm` or `hh:mm:ss`.
fn offset_of(text: &str) -> Option<i64> {
    match text.split_at_checked(1)? {
        ("Z", "") => Some(0),
        ("+", clock) => Some(sexagesimal(clock)? * SECOND),
        ("-", clock) => Some(-sexagesimal(clock)? * SECOND),
        _ => None,
    }
}

/// Seconds of `hh:mm:ss`, of which the last parts may be missing.
fn sexagesimal(text: &str) -> Option<i64> {
    let mut units = [3600, 60, 1].into_iter();
    text.split(':').try_fold(0, |sum, part| {
        let number = digits(part).filter(|_| part.len() == 2)?;
        Some(sum + number * units.next()?)
    })
}

/// Days since 2000-01-01 in the Gregorian calendar, which has a year 0. A year begins in March here,
/// so that the day that comes and goes is its last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let century = year.div_euclid(100);
    let leap_days = year.div_euclid(4) - century + century.div_euclid(4);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - EPOCH_DAYS
}

/// The year, month and day so many days after 2000-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + EPOCH_DAYS;
    let (cycle, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (year * 365 + year / 4 - year / 100);
    let month = (day * 5 + 2) / 153;
    let (year, day) = (cycle * 400 + year, day - (month * 153 + 2) / 5 + 1);
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_postgresql_does() {
        for (micros, text) in [
            (0, "2000-01-01 00:00:00+00"),
            (-1, "1999-12-31 23:59:59.999999+00"),
            (834_142_210_120_000, "2026-06-07 10:10:10.12+00"),
            (5_097_600_000_000, "2000-02-29 00:00:00+00"),
            (-63_082_281_600_000_000, "0001-01-01 00:00:00+00"),
            (-63_082_281_600_000_001, "0001-12-31 23:59:59.999999+00 BC"),
            (-211_813_488_000_000_000, "4714-11-24 00:00:00+00 BC"),
            (9_223_371_331_199_999_999, "294276-12-31 23:59:59.999999+00"),
            (i64::MAX, "infinity"),
            (i64::MIN, "-infinity"),
        ] {
            assert_eq!(Instant(micros).to_string(), text);
            assert_eq!(Instant::parse(text), Some(Instant(micros)), "{text}");
        }
    }

    #[test]
    fn a_moment_is_read_in_whatever_zone_it_says() {
        let noon = Instant::parse("2026-03-01T12:00:00Z");
        assert!(noon.is_some());
        for text in [
            "2026-03-01 13:30:00.000+01:30",
            "2026-03-01 04:00:00-08",
            "2026-03-01T12:00:00+00:00:00",
        ] {
            assert_eq!(Instant::parse(text), noon, "{text}");
        }
        assert_eq!(noon.map(Instant::unix), Some(1_772_366_400.0));
        assert_eq!(noon.map(Instant::in_json).as_deref(), Some("2026-03-01T12:00:00+00:00"));
    }

    #[test]
    fn what_is_no_moment_is_not_read() {
        for text in [
            "",
            "0x00000000000007d1",
            "734",
            "2026-03-01",
            "2026-03-01 12:00:00",
            "2026-13-01 12:00:00Z",
            "2026-03-01 1:00:00Z",
            "2026-03-01 12:00:00.0000001Z",
            "2026-03-01 12:00:00+1",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_is_found_again() {
        for day in -146_097..=146_097 {
            let (year, month, of_month) = date(day);
            assert_eq!(days(year, month, of_month), day);
        }
    }
}
