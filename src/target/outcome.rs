//! What became of a COMMIT: where its answer was lost, the database is asked.

use std::time::Duration;

use tokio::time::sleep;
use uuid::Uuid;

use crate::error::{Error, Kind, Result};

/// How often an unknown outcome is asked for, a little later each time: a server needs a while to
/// restart.
const READ_BACKS: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The generation and the run that a position carries; `None` of a run where there is no position.
pub(super) type Mark = (i64, Option<Uuid>);

/// The error that the transaction has ended.
pub(super) fn gone() -> Error {
    Error::new(Kind::Other, "the transaction has lost its connection")
}

/// The outcome of the commit of table `label` that failed with `refused`: if only the answer was lost,
/// `ask` finds the mark that the position carries now, and `ours` is that of the commit.
pub(super) async fn of_commit(
    label: &str,
    refused: Error,
    ours: Mark,
    ask: impl AsyncFn() -> Result<Mark>,
) -> Result<()> {
    fail::fail_point!("no_read_back", |_| Err(Error::new(Kind::Transient, "planted")));
    // Any other error is a refusal.
    if !refused.kind().is_transient() {
        return Err(refused);
    }
    tracing::warn!(table = label, "the answer to COMMIT was lost; reading it back");
    match read_back(ask).await? == ours {
        true => Ok(()),
        false => Err(refused),
    }
}

async fn read_back(ask: impl AsyncFn() -> Result<Mark>) -> Result<Mark> {
    let mut last = gone();
    for attempt in 1..=READ_BACKS {
        sleep(FIRST_PAUSE * attempt * attempt).await;
        match ask().await {
            Ok(mark) => return Ok(mark),
            Err(e) => last = e,
        }
    }
    Err(last.within("the outcome of COMMIT is unknown"))
}
