//! The zone of stamps that name none.
//!
//! Twice a year a wall's clock lies. An hour that it shows twice is taken for the later one, and a
//! time that it leaps over is counted from before the leap; so does PostgreSQL's `at time zone`.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::calendar::{self, DAY_1970, SECOND};
use super::value::Value;
use crate::error::{Error, Result};

/// Within so many seconds around an instant, some clock shows its time: two days.
const AROUND: i64 = 2 * 86_400;

/// A zone with the days on which its clocks change; ticks are 100 ns since 0001-01-01.
#[derive(Clone)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of a name in the IANA database, as `assume_timezone` has it.
    pub fn named(name: &str) -> Result<Self> {
        TimeZone::get(name).map(Self).map_err(|e| {
            let remedy = "Use a name of the IANA database, such as Europe/London or UTC.";
            Error::config(format!("there is no time zone named \"{name}\""), remedy).because(e)
        })
    }

    /// The instant at which a clock of the zone shows `local`, as PostgreSQL's `at time zone` has it.
    pub fn to_utc(&self, local: i64) -> i64 {
        let offset = match self.0.to_ambiguous_timestamp(civil(local)).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Gap { before, .. } => before,
            AmbiguousOffset::Fold { after, .. } => after,
        };
        local - ticks(offset)
    }

    /// What a clock of the zone shows at the instant `utc`.
    pub fn to_local(&self, utc: i64) -> i64 {
        utc + ticks(self.0.to_offset(timestamp(utc)))
    }

    /// The smallest local time whose instant isn't before `utc`: `stamp >= bound` finds every row
    /// from then on, also those of an hour that the clock shows twice.
    pub fn lower_bound(&self, utc: i64) -> i64 {
        let at = timestamp(utc);
        let start = at.saturating_sub(SignedDuration::from_secs(AROUND)).unwrap_or(Timestamp::MIN);
        let end = at.saturating_add(SignedDuration::from_secs(AROUND)).unwrap_or(Timestamp::MAX);
        let mut offset = ticks(self.0.to_offset(start));
        // Local time runs evenly except at a change, so the bound is one of these.
        let mut candidates = vec![utc + offset];
        for change in self.0.following(start).take_while(|change| change.timestamp() <= end) {
            let instant = unix(change.timestamp());
            let after = ticks(change.offset());
            candidates.extend([instant + offset, instant + after, utc + after]);
            offset = after;
        }
        let reaches = |local: &i64| self.to_utc(*local) >= utc;
        candidates.into_iter().filter(reaches).min().unwrap_or_else(|| self.to_local(utc))
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.0.iana_name().unwrap_or("?"))
    }
}

impl Value<'_> {
    /// A stamp of the zone's clocks as the instant that it means; any other value as it is.
    pub fn to_utc(self, zone: &Zone) -> Self {
        match self {
            Value::DateTime(local) => Value::DateTimeOffset { utc: zone.to_utc(local), offset: 0 },
            other => other,
        }
    }

    /// An instant as the zone's clocks show it; any other value as it is.
    pub fn to_local(self, zone: &Zone) -> Self {
        match self {
            Value::DateTimeOffset { utc, .. } => Value::DateTime(zone.to_local(utc)),
            other => other,
        }
    }
}

fn ticks(offset: Offset) -> i64 {
    i64::from(offset.seconds()) * SECOND
}

/// The start of the Unix era in ticks.
const UNIX: i64 = DAY_1970 as i64 * calendar::DAY;

fn unix(timestamp: Timestamp) -> i64 {
    timestamp.as_second() * SECOND + UNIX
}

/// Whole seconds, since no clock changes between them; jiff's era ends a day before SQL Server's, and
/// the zone's last rule is in force on both days.
fn timestamp(utc: i64) -> Timestamp {
    let seconds = (utc - UNIX).div_euclid(SECOND);
    let last = Timestamp::MAX.as_second();
    Timestamp::from_second(seconds.min(last)).unwrap_or(Timestamp::MIN)
}

fn civil(local: i64) -> DateTime {
    let (days, time) = calendar::split(local);
    let day = calendar::civil(days);
    let seconds = time / SECOND;
    let part = |n: i64| n as i8;
    let (hour, minute, second) =
        (part(seconds / 3_600), part(seconds / 60 % 60), part(seconds % 60));
    let (month, day_of_month) = (part(day.month.into()), part(day.day.into()));
    DateTime::new(day.year as i16, month, day_of_month, hour, minute, second, 0)
        .unwrap_or(DateTime::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::super::text::text;
    use super::*;
    use crate::model::types::Form;

    fn ticks_of(stamp: &str) -> i64 {
        match parse(stamp, Form::Timestamp) {
            Ok(Value::DateTime(ticks)) => ticks,
            other => panic!("{other:?}"),
        }
    }

    fn printed(ticks: i64) -> String {
        text(&Value::DateTime(ticks), Form::Timestamp, -1).unwrap().unwrap()
    }

    #[test]
    fn a_clock_that_lies_is_read_as_postgresql_reads_it() {
        for (zone, local, utc) in [
            ("UTC", "2026-03-29 01:30:00", "2026-03-29 01:30:00"),
            ("Etc/GMT-3", "2026-03-29 01:30:00", "2026-03-28 22:30:00"),
            ("Europe/London", "2026-07-01 12:00:00", "2026-07-01 11:00:00"),
            // Shown by no clock, from 01:00 to 02:00.
            ("Europe/London", "2026-03-29 00:59:59.9999", "2026-03-29 00:59:59.9999"),
            ("Europe/London", "2026-03-29 01:30:00", "2026-03-29 01:30:00"),
            ("Europe/London", "2026-03-29 02:00:00", "2026-03-29 01:00:00"),
            // Shown twice, from 01:00 to 02:00.
            ("Europe/London", "2026-10-25 00:59:59.9999", "2026-10-24 23:59:59.9999"),
            ("Europe/London", "2026-10-25 01:00:00", "2026-10-25 01:00:00"),
            ("Europe/London", "2026-10-25 01:59:59.9999", "2026-10-25 01:59:59.9999"),
            ("America/New_York", "2026-03-08 02:30:00", "2026-03-08 07:30:00"),
            ("America/New_York", "2026-11-01 01:30:00", "2026-11-01 06:30:00"),
            ("America/New_York", "9999-12-31 23:59:59", "10000-01-01 04:59:59"),
            ("Asia/Tokyo", "0001-01-01 00:00:00", "0001-12-31 14:41:01 BC"),
        ] {
            let zoned = Zone::named(zone).unwrap();
            assert_eq!(printed(zoned.to_utc(ticks_of(local))), utc, "{zone} {local}");
        }
    }

    #[test]
    fn an_instant_is_shown_as_the_clock_did() {
        for (utc, local) in [
            ("2026-10-25 00:30:00", "2026-10-25 01:30:00"),
            ("2026-10-25 01:30:00", "2026-10-25 01:30:00"),
            ("2026-03-29 01:30:00", "2026-03-29 02:30:00"),
        ] {
            let london = Zone::named("Europe/London").unwrap();
            assert_eq!(printed(london.to_local(ticks_of(utc))), local);
        }
    }

    #[test]
    fn r10_the_bound_is_below_the_hour_that_is_shown_twice() {
        for (zone, utc, bound) in [
            ("UTC", "2026-10-25 00:30:00", "2026-10-25 00:30:00"),
            ("Europe/London", "2026-07-01 11:00:00", "2026-07-01 12:00:00"),
            // Rows of the repeated hour count as 01:00 and later.
            ("Europe/London", "2026-10-25 00:00:00", "2026-10-25 01:00:00"),
            ("Europe/London", "2026-10-25 00:30:00", "2026-10-25 01:00:00"),
            ("Europe/London", "2026-10-25 01:30:00", "2026-10-25 01:30:00"),
            // What was stamped in the hour that no clock showed counts as 01:00 and later, too.
            ("Europe/London", "2026-03-29 01:30:00", "2026-03-29 01:30:00"),
            ("Europe/London", "2026-03-29 02:00:00", "2026-03-29 03:00:00"),
            ("America/New_York", "2026-11-01 05:30:00", "2026-11-01 01:00:00"),
            ("America/New_York", "2026-03-08 07:30:00", "2026-03-08 02:30:00"),
        ] {
            let zoned = Zone::named(zone).unwrap();
            assert_eq!(printed(zoned.lower_bound(ticks_of(utc))), bound, "{zone} {utc}");
        }
    }

    #[test]
    fn an_unknown_zone_is_refused() {
        let error = Zone::named("Europe/Londn").unwrap_err();
        assert!(error.to_string().contains("no time zone named \"Europe/Londn\""), "{error}");
    }
}
