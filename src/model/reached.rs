//! Where a batch moves a position to: what the cloud does in SQL, for positions that another database
//! keeps.

use crate::error::{Error, Kind, Result};

use super::instant::Instant;
use super::jsonb;
use super::position::{Horizon, Position, kind};
use super::settings::Capture;

/// How far a batch has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reached {
    /// To the end of the table, as it was at the horizon.
    End(Horizon),
    /// To a row in the middle of the table, but never beyond the horizon.
    Row(Horizon, LastRow),
    /// Nowhere: its rows were read by their keys.
    Nowhere,
}

/// The last row of a batch: what is noted of it beside its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastRow {
    /// Its stamp, if it has one, and its key, as a JSON object.
    Stamped(Option<Instant>, String),
    /// Its version, if it has one.
    Versioned(Option<String>),
    /// The transaction and the number of its first entry in the change log, if it has one.
    Logged(Option<(u64, i64)>),
}

/// A position that has moved, or would not move back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where it is.
    pub position: Position,
    /// What the moment of the last run is after it.
    pub read_until: ReadUntil,
}

/// What a step says of when the table was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadUntil {
    /// It was read up to now.
    Now,
    /// The run reads again what lies before the position, and stopped there.
    AsBefore,
}

/// Where a step leads.
type Goal = (String, Option<String>);

impl Position {
    /// The next position, after a batch of a source that is read by `capture`. It never moves back,
    /// but it is another one: its generation grows.
    ///
    /// # Errors
    /// When the horizon is none of such a source.
    pub fn step(&self, capture: Capture, reached: &Reached) -> Result<Step> {
        let goal = match reached {
            Reached::Nowhere | Reached::End(Horizon(None)) | Reached::Row(Horizon(None), _) => None,
            Reached::End(Horizon(Some(horizon))) => Some(at_end(capture, horizon)?),
            Reached::Row(Horizon(Some(horizon)), row) => self.at_row(capture, horizon, row)?,
        };
        let goal = match goal {
            Some(goal) if self.is_behind(capture, &goal.0)? => Some(goal),
            _ => None,
        };
        let read_until = match (&goal, reached, capture) {
            (None, Reached::Row(..), Capture::Timestamp | Capture::Log) => ReadUntil::AsBefore,
            _ => ReadUntil::Now,
        };
        let (watermark, after) = match goal {
            Some((watermark, after)) => (Some(watermark), after),
            None => (self.watermark.clone(), self.after.clone()),
        };
        let position = Position { watermark, after, generation: self.generation + 1 };
        Ok(Step { position, read_until })
    }

    /// The last row, or the horizon if that is before it. A row that says nothing moves nothing.
    fn at_row(&self, capture: Capture, horizon: &str, row: &LastRow) -> Result<Option<Goal>> {
        Ok(match row {
            LastRow::Stamped(None, _) | LastRow::Versioned(None) | LastRow::Logged(None) => None,
            LastRow::Stamped(Some(stamp), key) if *stamp < instant(horizon)? => {
                Some((stamp.to_string(), Some(key.clone())))
            }
            LastRow::Versioned(Some(version)) if **version < *horizon => {
                Some((version.clone(), None))
            }
            LastRow::Stamped(..) | LastRow::Versioned(_) => Some(at_end(capture, horizon)?),
            LastRow::Logged(Some((transaction, number))) => {
                let bound = lowest(horizon)?;
                // Whoever has a number has stopped on the way.
                let number = if *transaction < bound { *number } else { 0 };
                Some(((*transaction).min(bound).to_string(), Some(self.after_entry(number))))
            }
        })
    }

    /// What the last complete run saw above its watermark stays known until the next one comes to its
    /// end.
    fn after_entry(&self, number: i64) -> String {
        let is_logged = self.watermark.as_deref().is_some_and(|at| kind(at) == Capture::Log);
        match self.seen().filter(|_| is_logged) {
            Some(seen) => format!("{{\"seq\": {number}, \"seen\": {}}}", jsonb::string(&seen)),
            None => format!("{{\"seq\": {number}}}"),
        }
    }

    /// Whether it is before `watermark`, or there. One of another kind says nothing.
    fn is_behind(&self, capture: Capture, watermark: &str) -> Result<bool> {
        let Some(at) = self.watermark.as_deref().filter(|at| kind(at) == capture.positions())
        else {
            return Ok(true);
        };
        Ok(match capture {
            Capture::Timestamp => instant(at)? <= instant(watermark)?,
            Capture::Rowversion | Capture::DesktopLog => at <= watermark,
            Capture::Log => lowest(at)? <= lowest(watermark)?,
        })
    }
}

fn at_end(capture: Capture, horizon: &str) -> Result<Goal> {
    Ok(match capture {
        Capture::Timestamp => (instant(horizon)?.to_string(), None),
        Capture::Rowversion | Capture::DesktopLog => (horizon.to_owned(), None),
        Capture::Log => {
            let seen = jsonb::object([("seen", Some(horizon))]);
            (lowest(horizon)?.to_string(), Some(seen))
        }
    })
}

fn instant(text: &str) -> Result<Instant> {
    Instant::parse(text).ok_or_else(|| unreadable(text))
}

/// The lowest transaction that was under way in a snapshot, `xmin:xmax:xip,xip…`.
fn lowest(snapshot: &str) -> Result<u64> {
    let lowest = snapshot.split(':').next().and_then(|xmin| xmin.parse().ok());
    lowest.ok_or_else(|| unreadable(snapshot))
}

fn unreadable(position: &str) -> Error {
    Error::new(Kind::Other, format!("{position} is no position that tidegate has written"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(watermark: &str, after: Option<&str>) -> Position {
        let after = after.map(str::to_owned);
        Position { watermark: Some(watermark.to_owned()), after, generation: 7 }
    }

    fn horizon(text: &str) -> Horizon {
        Horizon(Some(text.to_owned()))
    }

    fn stamped(text: &str) -> LastRow {
        LastRow::Stamped(Instant::parse(text), "{\"id\": \"1\"}".to_owned())
    }

    #[track_caller]
    fn check(from: &Position, capture: Capture, to: &Reached, step: (Position, ReadUntil)) {
        let (position, read_until) = step;
        let position = Position { generation: from.generation + 1, ..position };
        assert_eq!(from.step(capture, to).unwrap(), Step { position, read_until }, "{to:?}");
    }

    const STOOD: &str = "2026-03-01 10:00:00+00";
    const NOON: &str = "2026-03-01 12:00:00+00";
    const KEY: Option<&str> = Some("{\"id\": \"1\"}");

    #[test]
    fn a_position_by_stamps_moves_with_the_rows_and_never_back() {
        use ReadUntil::{AsBefore, Now};
        let row = |stamp| Reached::Row(horizon(NOON), stamped(stamp));
        let from = at(STOOD, KEY);
        for (to, step) in [
            (Reached::End(horizon("2026-03-01T12:00:00Z")), (at(NOON, None), Now)),
            (Reached::End(horizon("2026-03-01 09:00:00+00")), (from.clone(), Now)),
            (Reached::End(Horizon(None)), (from.clone(), Now)),
            (row("2026-03-01 11:00:00Z"), (at("2026-03-01 11:00:00+00", KEY), Now)),
            (row("2026-03-01 13:00:00Z"), (at(NOON, None), Now)),
            (row("2026-03-01 09:00:00Z"), (from.clone(), AsBefore)),
            (row("none"), (from.clone(), AsBefore)),
            (Reached::Row(Horizon(None), stamped(NOON)), (from.clone(), AsBefore)),
            (Reached::Nowhere, (from.clone(), Now)),
        ] {
            check(&from, Capture::Timestamp, &to, step);
        }
        let first = row("-infinity");
        check(&Position::default(), Capture::Timestamp, &first, (at("-infinity", KEY), Now));
    }

    #[test]
    fn a_position_in_a_change_log_moves_with_the_entries_and_never_back() {
        use ReadUntil::{AsBefore, Now};
        let row =
            |xid, seq| Reached::Row(horizon("100:105:101"), LastRow::Logged(Some((xid, seq))));
        let seen = Some("{\"seen\": \"90:95:\"}");
        let from = at("90", seen);
        let and_seen = |seq| format!("{{\"seq\": {seq}, \"seen\": \"90:95:\"}}");
        for (to, step) in [
            (
                Reached::End(horizon("100:105:101")),
                (at("100", Some("{\"seen\": \"100:105:101\"}")), Now),
            ),
            (row(95, 12), (at("95", Some(&and_seen(12))), Now)),
            (row(100, 12), (at("100", Some(&and_seen(0))), Now)),
            (row(103, 12), (at("100", Some(&and_seen(0))), Now)),
            (row(89, 12), (from.clone(), AsBefore)),
            (Reached::Row(horizon("100:105:101"), LastRow::Logged(None)), (from.clone(), AsBefore)),
            (Reached::Nowhere, (from.clone(), Now)),
        ] {
            check(&from, Capture::Log, &to, step);
        }
        // A hundred is more than ninety, though not as a text.
        check(&at("1000", seen), Capture::Log, &row(99, 1), (at("1000", seen), AsBefore));
        check(
            &Position::default(),
            Capture::Log,
            &row(95, 3),
            (at("95", Some("{\"seq\": 3}")), Now),
        );
    }

    #[test]
    fn a_position_among_row_versions_moves_with_the_rows_and_never_back() {
        let row = |version: &str| {
            Reached::Row(
                horizon("0x00000000000000aa"),
                LastRow::Versioned(Some(version.to_owned())),
            )
        };
        let from = at("0x0000000000000099", None);
        for (to, goal) in [
            (Reached::End(horizon("0x00000000000000aa")), "0x00000000000000aa"),
            (row("0x00000000000000a0"), "0x00000000000000a0"),
            (row("0x00000000000000ab"), "0x00000000000000aa"),
            (row("0x0000000000000098"), "0x0000000000000099"),
        ] {
            for capture in [Capture::Rowversion, Capture::DesktopLog] {
                check(&from, capture, &to, (at(goal, None), ReadUntil::Now));
            }
        }
    }

    #[test]
    fn a_position_of_another_kind_says_nothing() {
        let noon = Reached::End(horizon(NOON));
        check(&at("734", None), Capture::Timestamp, &noon, (at(NOON, None), ReadUntil::Now));
        let log = Reached::Row(horizon("100:105:"), LastRow::Logged(Some((95, 3))));
        let from = at(STOOD, Some("{\"seen\": \"1\"}"));
        check(&from, Capture::Log, &log, (at("95", Some("{\"seq\": 3}")), ReadUntil::Now));
    }

    #[test]
    fn a_horizon_that_is_none_moves_nothing() {
        assert!(at(STOOD, None).step(Capture::Log, &Reached::End(horizon("soon"))).is_err());
        assert!(at(STOOD, None).step(Capture::Timestamp, &Reached::End(horizon("10"))).is_err());
    }
}
