//! The change log: whether the cloud's triggers note what mobile users do, and what is lost without.

use crate::check::finding::Finding;
use crate::error::End;
use crate::model::TableName;
use crate::sql::list;
use crate::store::{LogTable, Trigger};

/// More entries than this, and somebody should look.
pub(in crate::check) const ENTRIES_MAX: i64 = 1_000_000;

/// What is to be said of a table's triggers.
pub(in crate::check) fn findings(log: &LogTable) -> Option<Finding> {
    if log.unfit().is_some() || log.is_logged() {
        return None;
    }
    let (message, remedy) = match log.change {
        Trigger::Absent => (missing("there are no triggers for it"), MIGRATE),
        Trigger::Other => (missing("its triggers are for another key or name"), MIGRATE),
        Trigger::Sleeps => (
            missing("a trigger is disabled, or does not fire for what is replicated"),
            "Run tidegate migrate: it enables the trigger and notes the gap.",
        ),
        Trigger::Right => {
            let untold = list(log.untold.iter().map(|u| u.table.to_string()), ", ");
            (format!("the change log would not see that {untold} is emptied alone"), MIGRATE)
        }
    };
    Some(Finding::warning("change_log", message, remedy).of(&log.table).at(End::Cloud))
}

const MIGRATE: &str = "Run tidegate migrate.";

fn missing(why: &str) -> String {
    format!(
        "changes by mobile users are not logged: {why}; reverse runs can't carry them, and forward \
         runs tell mobile edits by stamps only"
    )
}

/// What is to be said of a log that nobody prunes.
pub(in crate::check) fn large(label: &str) -> Finding {
    Finding::warning(
        "change_log_size",
        format!("the change log holds more than {ENTRIES_MAX} entries that were not pruned"),
        "Reverse runs prune what is older than seven days once it is carried home: see whether they \
         run, and whether their counts are recorded.",
    )
    .of(&TableName::parse(label, "public"))
    .at(End::Cloud)
}

/// What is lost where the cloud's changes are told by stamps.
pub(in crate::check) fn unlogged() -> Finding {
    Finding::warning(
        "change_log",
        "the cloud's changes are told by their stamps: deletions by mobile users are not seen; a \
         trigger that sets the stamp, or an app that does not, makes edits look newer or older than \
         they are; and where triggers of both ends change what is written, rows never settle",
        "If none of it matters here, leave it so; otherwise set [cloud] capture = \"log\" and run \
         tidegate migrate.",
    )
    .at(End::Cloud)
}
