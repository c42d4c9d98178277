//! Days and ticks since 0001-01-01 in the proleptic Gregorian calendar, which both databases use.

/// Ticks of 100 ns in a second.
pub(super) const SECOND: i64 = 10_000_000;
/// Ticks in a minute.
pub(super) const MINUTE: i64 = 60 * SECOND;
/// Ticks in a day.
pub(super) const DAY: i64 = 86_400 * SECOND;
/// Ticks in a microsecond, PostgreSQL's unit.
pub(super) const MICROSECOND: i64 = 10;

/// The day where `datetime` and `smalldatetime` begin to count, 1900-01-01.
pub(super) const DAY_1900: i32 = 693_595;
/// The day where PostgreSQL begins to count, 2000-01-01.
pub(super) const DAY_2000: i32 = 730_119;
/// The day where Unix begins to count, 1970-01-01.
pub(super) const DAY_1970: i32 = 719_162;
/// SQL Server's last day, 9999-12-31.
pub(super) const LAST_DAY: i32 = 3_652_058;
/// The first tick that SQL Server doesn't have.
pub(super) const END: i64 = (LAST_DAY as i64 + 1) * DAY;

/// What an instant of these years may differ from them in any zone.
pub(super) const SLACK: i64 = DAY;

/// A day as people write it; the year 0 is 1 BC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i32,
    pub(super) month: u32,
    pub(super) day: u32,
}

/// Days of 400 years, after which the calendar repeats.
const ERA: i32 = 146_097;
/// From 0000-03-01, where a leap day ends the year, to 0001-01-01.
const MARCH: i32 = 306;

/// The day `days` after 0001-01-01 (Howard Hinnant's `civil_from_days`).
pub(super) fn civil(days: i32) -> Civil {
    let since = days + MARCH;
    let (era, day) = (since.div_euclid(ERA), since.rem_euclid(ERA));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i32::from(month <= 2);
    Civil { year, month: month.unsigned_abs(), day: day.unsigned_abs() }
}

/// The days from 0001-01-01 to `civil`, if there is such a day.
pub(super) fn days(wanted: Civil) -> Option<i32> {
    let Civil { year, month, day } = wanted;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year.abs() > 300_000 {
        return None;
    }
    let (month, day) = (month.cast_signed(), day.cast_signed());
    let year = year - i32::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - MARCH;
    (civil(days) == wanted).then_some(days)
}

/// The day of `ticks` and the ticks since its midnight.
pub(super) fn split(ticks: i64) -> (i32, i64) {
    // 2^63 ticks are 10,675,199 days.
    (ticks.div_euclid(DAY) as i32, ticks.rem_euclid(DAY))
}

/// Both together.
pub(super) fn ticks(days: i32, time: i64) -> i64 {
    i64::from(days) * DAY + time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_the_first_of_the_year_one() {
        for (year, month, day, count) in [
            (1, 1, 1, 0),
            (1900, 1, 1, DAY_1900),
            (1970, 1, 1, DAY_1970),
            (2000, 1, 1, DAY_2000),
            (9999, 12, 31, LAST_DAY),
            (0, 12, 31, -1),
        ] {
            assert_eq!(days(Civil { year, month, day }), Some(count));
        }
    }

    #[test]
    fn every_day_comes_back_and_follows_the_one_before() {
        let mut before = civil(-400);
        for day in -399..=LAST_DAY + 2 {
            let now = civil(day);
            assert_eq!(days(now), Some(day));
            assert!((now.year, now.month, now.day) > (before.year, before.month, before.day));
            before = now;
        }
    }

    #[test]
    fn a_day_that_is_none_is_refused() {
        for (year, month, day) in [(2026, 2, 29), (1900, 2, 29), (2026, 13, 1), (2026, 4, 31)] {
            assert_eq!(days(Civil { year, month, day }), None);
        }
    }
}
