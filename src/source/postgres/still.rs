//! Which tables need not be read, because nothing has changed there since the position.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use crate::db::postgres::Connection;
use crate::error::Result;
use crate::model::{Capture, Position, Selection, TablePlan};
use crate::sql::Sql;

use super::log;
use super::render::{self, Probe};

/// A table that is locked, or so large that it can't tell without being read, is read as if it had
/// changed. All of them share this, and none stops another.
const PATIENCE: &str = "set local lock_timeout = '500ms'; set local statement_timeout = '2s'";

/// The positions since which nothing has changed, by table.
#[derive(Debug, Default)]
pub(super) struct Still(BTreeMap<String, Position>);

impl Still {
    /// Whether nothing is selected.
    pub(super) fn is(&self, plan: &TablePlan, selection: Selection<'_>) -> bool {
        matches!(selection, Selection::Since(at) if self.0.get(&plan.label()) == Some(at))
    }

    /// Asks within the snapshot that `holder` holds, in one flight; `store` is the schema of
    /// tidegate's own tables. From the beginning, everything is read.
    pub(super) async fn ask(
        holder: &Connection,
        sql: &Sql,
        store: &str,
        tables: &[(&TablePlan, &Position)],
    ) -> Result<Self> {
        let gone_on = tables.iter().filter(|(_, at)| at.watermark.is_some());
        let asked: Vec<_> =
            gone_on.map(|&(plan, at)| (plan, at, probe(sql, store, plan, at))).collect();
        if asked.is_empty() {
            return Ok(Self::default());
        }
        let answers = join_all(asked.iter().map(|(plan, _, probe)| changed(holder, plan, probe)));
        let (patient, answers) = tokio::join!(
            biased;
            holder.batch("looking for changes", PATIENCE),
            answers
        );
        patient?;
        let mut still = BTreeMap::new();
        for ((plan, at, _), changed) in asked.into_iter().zip(answers) {
            if !changed? {
                still.insert(plan.label(), at.clone());
            }
        }
        Ok(Self(still))
    }
}

fn probe(sql: &Sql, store: &str, plan: &TablePlan, at: &Position) -> Probe {
    match plan.capture {
        Capture::Timestamp | Capture::Rowversion | Capture::DesktopLog => {
            render::probe(sql, plan, at)
        }
        Capture::Log => log::probe(sql, plan, store, at),
    }
}

/// Its settings and then the question: they are sent together, and answered in their order.
async fn changed(holder: &Connection, plan: &TablePlan, probe: &Probe) -> Result<bool> {
    let doing = format!("looking for changes of {}", plan.label());
    let (bound, changed) = tokio::join!(
        biased;
        render::bind(holder, &doing, &probe.settings),
        holder.value(&doing, &probe.query, &[])
    );
    bound?;
    changed
}
