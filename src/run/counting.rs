//! The row-count check: the mobile rows that are there against the last record and the change log.

use crate::error::{Error, Kind, Result};
use crate::store::Logged;

use super::report::{Outcome, TableReport, Trouble};

/// Compares the mobile rows of `table`, `now`, with those that there should be.
///
/// # Errors
/// [`Kind::Verification`] when rows are missing and nobody is known to have removed them.
pub(super) fn check(
    table: &str,
    before: Option<u64>,
    now: u64,
    logged: Option<&Logged>,
) -> Result<()> {
    let Some(logged) = logged else {
        warn_of_fall(table, before, now);
        return Ok(());
    };
    match logged.missing(now) {
        0 => Ok(()),
        missing if missing > 0 => Err(Error::new(
            Kind::Verification,
            format!(
                "{missing} mobile rows are missing, and the change log has nobody who removed them: \
                 {logged}, {now} there"
            ),
        )
        .remedied(
            "What the run wrote stays. Look who removed them unseen (triggers that were disabled, a \
             restored backup, a dropped partition), and restore them from a backup; the next run \
             compares with what is there now.",
        )),
        _ => {
            tracing::warn!(
                table,
                expected = logged.expected(),
                now,
                "{table}: mobile rows appeared that the change log did not see: {logged}, {now} \
                 there; look for triggers that were disabled"
            );
            Ok(())
        }
    }
}

/// Where there is no change log, a fall can't be told from a mobile user's own deletion.
fn warn_of_fall(table: &str, before: Option<u64>, now: u64) {
    if let Some(before) = before
        && now < before
    {
        tracing::warn!(
            table,
            before,
            after = now,
            "{table}: mobile rows fell from {before} to {now} since they were last counted; \
             no transaction of tidegate deleted one, so look for deletions by mobile users"
        );
    }
}

impl TableReport {
    /// What the check found is worse than what ended the table's work, if anything did.
    pub(super) fn fail(&mut self, found: Error, earlier: Option<&Error>) {
        let found = match earlier {
            Some(earlier) => found.within(format!("{earlier}; and")),
            None => found,
        };
        self.outcome = Outcome::of(found.kind());
        self.error = Some(Trouble::from(&found));
    }
}
