//! Values out of rows.

use serde::de::DeserializeOwned;
use tiberius::time::DateTimeOffset;
use tiberius::{ColumnData, FromSql, Row};

use crate::db::sqlserver::sets::{any, get};
use crate::error::{Error, Kind, Result};
use crate::model::Instant;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// Days from 0001-01-01 to 2000-01-01.
const EPOCH_DAYS: i64 = 730_119;

/// A text that may be null.
pub(super) fn text(row: &Row, name: &str) -> Result<Option<String>> {
    Ok(any::<&str>(row, name)?.map(str::to_owned))
}

/// What a text says that tidegate has written as JSON. The error is without its cause, which may show
/// what it could not read.
pub(super) fn json<T: DeserializeOwned>(text: &str) -> Result<T> {
    let no_json = |_| Error::new(Kind::Other, "tidegate's own tables have a text that is no JSON");
    serde_json::from_str(text).map_err(no_json)
}

/// What a comparison gave.
pub(super) fn flag(row: &Row, name: &str) -> Result<bool> {
    Ok(get::<i32>(row, name)? != 0)
}

/// A moment that may be null.
pub(super) fn moment(row: &Row, name: &str) -> Result<Option<Instant>> {
    Ok(any::<Moment>(row, name)?.map(|Moment(at)| instant(at)))
}

/// The driver reads these only into types of crates that are not used here.
struct Moment(DateTimeOffset);

impl<'r> FromSql<'r> for Moment {
    fn from_sql(data: &'r ColumnData<'static>) -> Result<Option<Self>, tiberius::error::Error> {
        match data {
            ColumnData::DateTimeOffset(at) => Ok(at.map(Self)),
            _ => Err(tiberius::error::Error::Conversion("no datetimeoffset".into())),
        }
    }
}

/// Beside its offset, the server sends the moment in UTC.
fn instant(moment: DateTimeOffset) -> Instant {
    let (date, time) = (moment.datetime2().date(), moment.datetime2().time());
    let exponent = u32::from(time.scale());
    let micros = match exponent {
        0..=6 => time.increments() * 10_u64.pow(6 - exponent),
        _ => time.increments() / 10_u64.pow(exponent - 6),
    };
    let days = i64::from(date.days()) - EPOCH_DAYS;
    Instant(days * DAY + micros.cast_signed())
}

#[cfg(test)]
mod tests {
    use tiberius::time::{Date, DateTime2, Time};

    use super::*;

    #[test]
    fn a_moment_is_read_in_whatever_precision_it_comes() {
        for (days, increments, scale, text) in [
            (730_119, 0, 0, "2000-01-01 00:00:00+00"),
            (739_800, 863_999_999_999, 7, "2026-07-04 23:59:59.999999+00"),
            (739_800, 1, 3, "2026-07-04 00:00:00.001+00"),
            (0, 12, 6, "0001-01-01 00:00:00.000012+00"),
        ] {
            let at = DateTime2::new(Date::new(days), Time::new(increments, scale));
            assert_eq!(instant(DateTimeOffset::new(at, 120)).to_string(), text);
        }
    }
}
