//! The rows of a rehearsal that people look at, as they are gathered.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::model::Verdict;
use crate::model::policy::Rule;
use crate::model::sample::Sample;

/// The rows that were gathered so far.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// So many a table.
    limit: usize,
    /// The key of a row that is wanted whatever becomes of it.
    wanted: Option<String>,
    /// By the label of the table.
    tables: Mutex<BTreeMap<String, Vec<Sample>>>,
}

impl Samples {
    /// Gathers up to `limit` rows a table.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Gathers the row with this key alone.
    pub(super) fn of(key: String) -> Self {
        Self { wanted: Some(key), ..Self::default() }
    }

    /// Takes out what was gathered of one table.
    pub(super) fn take(&self, label: &str) -> Vec<Sample> {
        self.with(|tables| tables.remove(label).unwrap_or_default())
    }

    fn with<R>(&self, work: impl FnOnce(&mut BTreeMap<String, Vec<Sample>>) -> R) -> R {
        work(&mut self.tables.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many rows more there is room for, and the keys of those that a retry may bring after all.
    pub(super) fn wanted(&self, label: &str) -> (usize, Vec<String>) {
        self.with(|tables| {
            let gathered = tables.get(label).map(Vec::as_slice).unwrap_or_default();
            let waiting = gathered.iter().filter(|row| is_withheld(row));
            let keys = waiting.map(|row| row.key.to_string());
            let keys = keys.chain(self.wanted.clone()).collect();
            (self.limit.saturating_sub(gathered.len()), keys)
        })
    }

    /// Adds a row, or gives it its last verdict.
    pub(super) fn add(&self, label: &str, row: Sample) {
        let is_wanted = self.wanted.is_some();
        self.with(|tables| {
            let gathered = tables.entry(label.to_owned()).or_default();
            match gathered.iter().position(|known| known.key == row.key) {
                Some(i) if row.verdict == Verdict::Unchanged && !is_wanted => {
                    drop(gathered.remove(i))
                }
                Some(i) if is_withheld(&gathered[i]) => gathered[i] = row,
                // A row that was inserted without a reference, which is set now.
                Some(_) => {}
                None => gathered.push(row),
            }
        });
    }
}

fn is_withheld(row: &Sample) -> bool {
    matches!(row.verdict, Verdict::Withheld(_))
}

/// The rule says why, unless something stood in the way of what it decided.
pub(super) fn why(verdict: Verdict, rule: Option<&Rule>) -> &'static str {
    match (rule, verdict) {
        (Some(rule), _) if rule.verdict == verdict => rule.why,
        (_, Verdict::Withheld(reason)) => reason.why(),
        (rule, _) => rule.map_or("", |rule| rule.why),
    }
}
