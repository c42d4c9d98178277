//! Single rows as a plan shows them: the one place where values of rows are kept for people.

use std::collections::BTreeMap;
use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::verdict::Verdict;

/// One row of a plan.
#[derive(Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its key as a JSON object, column of the target → text.
    pub key: serde_json::Value,
    /// What a run would do with it.
    pub verdict: Verdict,
    /// Why, in words for people: the rule that decides, or what stands in the way.
    pub why: &'static str,
    /// What the target said of a row that it refuses, without values.
    pub detail: Option<String>,
    /// What an update would change; nothing for any other verdict.
    pub changes: BTreeMap<String, Change>,
}

/// What becomes of one column; `None` is NULL.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What the target holds.
    pub from: Option<String>,
    /// What it would hold.
    pub to: Option<String>,
}

impl Serialize for Sample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("key", &self.key)?;
        match self.verdict {
            Verdict::Withheld(reason) => {
                map.serialize_entry("verdict", "withheld")?;
                map.serialize_entry("reason", reason.word())?;
            }
            verdict => map.serialize_entry("verdict", verdict.word())?,
        }
        map.serialize_entry("why", self.why)?;
        if let Some(detail) = &self.detail {
            map.serialize_entry("detail", detail)?;
        }
        if self.verdict == Verdict::Update {
            map.serialize_entry("changes", &self.changes)?;
        }
        map.end()
    }
}

/// Without the values: a report that is logged must not show them.
impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sample({})", self.verdict.word())
    }
}
