//! How far a source has been read, and what is asked of it next.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use serde::Deserialize;

use super::settings::Capture;

/// How far one table has been read in one direction: what `_sync_metadata` holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    /// `None` before the first load. By stamps: a stamp in the source's own precision, as text. By
    /// versions of rows or of a desktop's log: one of them, in hexadecimal, as in
    /// `0x00000000000007d1`. By the cloud's change log: a
    /// transaction, below which nothing can still commit.
    pub watermark: Option<String>,
    /// A JSON object. By stamps: the key of the last row read at exactly the watermark: go on
    /// strictly after it; `None`: the watermark is a horizon, and rows at it are read again. By the
    /// change log: `seen`, the snapshot that was read last, and `seq`, the last entry that was read
    /// of the transaction `watermark`.
    pub after: Option<String>,
    /// Grows with every commit; another value in the database means another run is at work.
    pub generation: i64,
}

impl Position {
    /// The same, unless it is of another kind than a run by `capture` goes on from: then the
    /// beginning.
    pub fn of_kind(self, capture: Capture) -> Self {
        match self.watermark.as_deref().map(kind) {
            Some(other) if other != capture.positions() => {
                Self { generation: self.generation, ..Self::default() }
            }
            _ => self,
        }
    }

    /// Whether it lies above what a database has come to: then that was restored from a backup. For
    /// a position in a change log, with the snapshot that was read, or among row versions.
    pub fn is_ahead_of(&self, horizon: &Horizon) -> bool {
        if let (Some(at), Some(horizon)) = (&self.watermark, &horizon.0)
            && kind(at) == Capture::Rowversion
        {
            // Both have the same number of digits.
            return kind(horizon) == Capture::Rowversion && at > horizon;
        }
        let xmin = horizon.0.as_deref().and_then(|snapshot| snapshot.split(':').next());
        number(self.watermark.as_deref()).zip(number(xmin)).is_some_and(|(at, xmin)| at > xmin)
    }

    /// In a change log: the snapshot that was read last.
    pub(super) fn seen(&self) -> Option<String> {
        let after: serde_json::Value = serde_json::from_str(self.after.as_deref()?).ok()?;
        after["seen"].as_str().map(str::to_owned)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.watermark.as_deref().unwrap_or("the beginning"))
    }
}

/// When a position was moved last, by the clocks of both ends.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct Moved {
    /// The watermark, by the source's clock of then: seconds since 1970.
    pub watermark: f64,
    /// How long ago it was, by the target's clock: seconds.
    pub ago: f64,
}

/// The source's clock has been set back since a position was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetBack {
    /// By how much, at least.
    pub by: Duration,
    /// Where to read from, so that nothing is lost that was stamped since.
    pub from: Position,
}

impl Moved {
    /// Clocks that run by themselves drift apart by less than this between two runs.
    const DRIFT: f64 = 1.0;
    /// Read in addition: what was stamped while the last run was under way, or in a transaction that
    /// was open then.
    const OVERLAP: f64 = 3600.0;

    /// Whether the source's clock, at `clock` now, has been set back since. A watermark is never
    /// later than the clock that it was taken from: so much longer ago, that clock stood at or above
    /// it, unless it was set since. It need not be below the watermark any more.
    pub fn set_back(&self, clock: f64, at: &Position) -> Option<SetBack> {
        let stood = clock - self.ago.max(0.0);
        let by = self.watermark - stood;
        if by <= Self::DRIFT {
            return None;
        }
        let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let from = UNIX_EPOCH + seconds(stood - Self::OVERLAP);
        let from = humantime::format_rfc3339_micros(from).to_string();
        let from = Position { watermark: Some(from), after: None, generation: at.generation };
        Some(SetBack { by: seconds(by.round()), from })
    }
}

/// The upper bound that is safe to read up to: nothing below it can still commit. By stamps, one of
/// them, or `None` while the source holds a prepared transaction, whose age is unknown: no step
/// forward. By row versions, the lowest one that an open transaction may have drawn. By the change log,
/// the snapshot that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Horizon(pub Option<String>);

/// What a view can be asked for.
#[derive(Debug, Clone, Copy)]
pub enum Selection<'a> {
    /// The whole table, without any predicate. What was changed since the position counts as
    /// changed.
    All(&'a Position),
    /// What changed since a position; the whole table if that is the beginning.
    Since(&'a Position),
    /// Single rows: what a retry reads again.
    Keys(&'a [Awaited]),
}

/// A row that was withheld and is to be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// Its key as a JSON object, column of the target → text.
    pub key: String,
    /// `true`: only its owner at the source can have changed, so it is read only if that is the
    /// writer's now.
    pub once_owned: bool,
    /// Where the table stood before the row was withheld, as a JSON object of a [`Position`]'s
    /// `watermark` and `after`; `None`: nothing of it is pending any more.
    pub since: Option<String>,
}

/// What a view of the source knew of the other direction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Carried {
    /// How far it had come; `None`: it never ran to an end.
    pub position: Option<Position>,
    /// The keys of rows that it could not write yet: what the other side did to them is pending
    /// still.
    pub held_back: Vec<String>,
    /// The keys of rows whose version lost: the source's own has to go to the other side, though it
    /// does not change again.
    pub won: Vec<String>,
}

/// Since when the changes of a table are in the log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Logged {
    /// When that began, by the clock of the database.
    pub installed_at: String,
    /// Entries of transactions below this one are not there.
    pub pruned_below: u64,
}

impl Logged {
    /// Whether every change since `at` is in the log: the position has passed the transaction that
    /// began it, or the snapshot that was read last saw that one.
    pub fn reaches(&self, at: &Position) -> bool {
        let passed = number(at.watermark.as_deref()).is_some_and(|from| from >= self.pruned_below);
        passed || at.seen().is_some_and(|seen| sees(&seen, self.pruned_below))
    }
}

/// By what a source was read that has come to this watermark.
pub(super) fn kind(watermark: &str) -> Capture {
    match () {
        () if watermark.starts_with("0x") => Capture::Rowversion,
        () if watermark.bytes().all(|byte| byte.is_ascii_digit()) => Capture::Log,
        () => Capture::Timestamp,
    }
}

fn number(text: Option<&str>) -> Option<u64> {
    text.and_then(|text| text.parse().ok())
}

/// Whether the snapshot `xmin:xmax:xip,xip…` sees a transaction that has ended since.
fn sees(snapshot: &str, transaction: u64) -> bool {
    let mut parts = snapshot.split(':').skip(1);
    let below = number(parts.next()).is_some_and(|xmax| transaction < xmax);
    let mut running = parts.next().unwrap_or_default().split(',');
    below && !running.any(|xid| number(Some(xid)) == Some(transaction))
}

/// A withheld row that waits for others in a ring of foreign keys, and for nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InRing {
    /// The label of its table.
    pub table: String,
    /// Its key as a JSON object, column of the target → text.
    pub key: String,
}

/// Where the position goes when a batch commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checkpoint {
    /// In the middle of a table: the batch's last row, but never beyond the horizon.
    LastRow(Horizon),
    /// At the end of a table: the horizon.
    End(Horizon),
    /// Nowhere: the rows were read by their keys.
    Stay,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: f64 = 1_772_366_400.0;

    /// A position that was moved at noon, two seconds behind the clock.
    fn moved(ago: f64) -> Moved {
        Moved { watermark: NOON - 2.0, ago }
    }

    #[test]
    fn clocks_that_go_on_set_nothing_back() {
        for (ago, clock) in [
            (0.0, NOON),
            (300.0, NOON + 300.0),
            (86_400.0, NOON + 86_397.5),
            // The desktop's clock was set forward, or the cloud's back.
            (300.0, NOON + 4_000.0),
            (-500.0, NOON + 300.0),
        ] {
            assert_eq!(moved(ago).set_back(clock, &Position::default()), None, "{ago} {clock}");
        }
    }

    #[test]
    fn positions_in_a_desktops_log_are_versions() {
        let at = |text: &str| Position { watermark: Some(text.to_owned()), ..Position::default() };
        let version = at("0x00000000000007d1");
        assert_eq!(version.clone().of_kind(Capture::DesktopLog), version);
        for other in ["1000", "2026-03-01 10:00:00+00"] {
            assert_eq!(at(other).of_kind(Capture::DesktopLog), Position::default());
        }
    }

    #[test]
    fn a_log_reaches_back_to_positions_that_have_seen_its_beginning() {
        let logged = Logged { installed_at: String::new(), pruned_below: 100 };
        let at = |watermark: &str, seen: &str| Position {
            watermark: Some(watermark.to_owned()),
            after: Some(format!("{{\"seen\": \"{seen}\"}}")),
            generation: 1,
        };
        for (at, reaches) in [
            (at("100", "100:100:"), true),
            (at("99", "99:100:99"), false),
            (at("99", "99:101:99"), true),
            // The beginning had not been committed yet.
            (at("99", "99:101:99,100"), false),
            (Position::default(), false),
        ] {
            assert_eq!(logged.reaches(&at), reaches, "{at:?}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_is_noticed_also_once_it_has_passed_the_watermark() {
        let at = Position { watermark: None, after: Some("{}".into()), generation: 7 };
        for (ago, from) in
            [(60.0, "2026-03-01T10:50:00.000000Z"), (900.0, "2026-03-01T10:50:00.000000Z")]
        {
            let found = moved(ago).set_back(NOON - 600.0 + ago, &at).unwrap();
            assert_eq!(found.by, Duration::from_secs(598));
            let from = Position { watermark: Some(from.into()), after: None, generation: 7 };
            assert_eq!(found.from, from);
        }
    }
}
