//! Rows for people to look at: chosen between classification and merge, when both versions are there.

use std::collections::BTreeMap;

use crate::model::Verdict;
use crate::model::sample::{Change, Sample};
use crate::target::samples::why;

use super::SqlServerTx;
use super::rows::Staged;

/// How a row comes forward: those that are looked at again, then the first of each verdict, then the
/// second of each.
type Place = (bool, usize, &'static str);

impl SqlServerTx<'_> {
    /// Gathers rows of this batch, if somebody wants to see them.
    pub(super) fn gather_samples(&mut self) {
        let Some(samples) = self.target.ending.samples() else { return };
        let (room, again) = samples.wanted(&self.label);
        let mut seen: BTreeMap<(bool, &'static str), usize> = BTreeMap::new();
        let mut found: Vec<(Place, &Staged)> = Vec::new();
        for row in &self.rows {
            let (is_again, word) = (again.contains(&row.key), row.verdict.word());
            if is_again || row.verdict != Verdict::Unchanged {
                let number = seen.entry((is_again, word)).or_default();
                *number += 1;
                found.push(((!is_again, *number, word), row));
            }
        }
        found.sort_by_key(|(place, _)| *place);
        found.truncate(room + again.len());
        found.sort_by_key(|((_, number, word), _)| (*word, *number));
        self.samples = found.into_iter().map(|(_, row)| self.sample(row)).collect();
    }

    /// Keeps what was gathered of a batch that has come to its end: one that the target refuses is
    /// tried again in another way.
    pub(super) fn keep_samples(&mut self) {
        if let Some(samples) = self.target.ending.samples() {
            self.samples.drain(..).for_each(|row| samples.add(&self.label, row));
        }
    }

    fn sample(&self, row: &Staged) -> Sample {
        let plan = self.plan;
        let verdict = row.verdict;
        let rule = row.rule.and_then(|number| plan.policy.rule(number));
        let refused = row.wanted.as_ref().err().map(|refused| refused.0.clone());
        let detail = self.set_aside.as_ref().map(|(_, detail)| detail.clone());
        Sample {
            key: serde_json::from_str(&row.key).unwrap_or_default(),
            verdict,
            why: why(verdict, rule),
            detail: detail.or(refused),
            changes: match verdict {
                Verdict::Update => self.changes(row),
                _ => BTreeMap::new(),
            },
        }
    }

    fn changes(&self, row: &Staged) -> BTreeMap<String, Change> {
        let (Ok(wanted), Some(held)) = (&row.wanted, &row.held) else { return BTreeMap::new() };
        let plan = self.plan;
        let change = |(i, name): (usize, &String)| {
            let from = self.layout.words(held.fields(), i);
            let to = self.layout.words(wanted.fields(), i);
            (from != to).then(|| (name.clone(), Change { from, to }))
        };
        let is_settable = |name: &str| plan.settable().any(|c| c.name == name);
        let columns = plan.columns.iter().map(|c| &c.name).enumerate();
        columns.filter(|(_, name)| is_settable(name)).filter_map(change).collect()
    }
}
