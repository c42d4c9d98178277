//! What the next run does with the row: that run itself, over this row alone, and rolled back.

use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::error::Result;
use crate::model::sample::Sample;
use crate::model::{Capture, Direction, TablePlan};
use crate::run::{self, Trouble, Way};
use crate::sql::Sql;
use crate::store::Values;

use super::report::{Next, Side};

/// Runs that are rolled back, over one row.
pub(super) struct Rehearsal<'r> {
    pub(super) config: &'r Config,
    /// The plan of the way forward.
    pub(super) plan: &'r TablePlan,
    /// The key as tidegate's own tables have it.
    pub(super) key: &'r str,
    pub(super) sql: &'r Sql,
    pub(super) stop: &'r CancellationToken,
}

impl Rehearsal<'_> {
    /// What the next run in `direction` does with the row, of which its source has `source`.
    pub(super) async fn next(&self, direction: Direction, source: &Side) -> Next {
        let full = match self.rehearse(direction, false).await {
            Ok(Some(sample)) => return Next::Read(sample),
            Ok(None) => self.rehearse(direction, true).await,
            Err(trouble) => return Next::Refused(trouble),
        };
        match full {
            Ok(full) => Next::Unread { why: self.why_unread(direction, source), full },
            Err(trouble) => Next::Refused(trouble),
        }
    }

    /// What becomes of the row, if it is read.
    async fn rehearse(&self, direction: Direction, full: bool) -> Result<Option<Sample>, Trouble> {
        let request = run::Request {
            tables: vec![self.plan.label()],
            full,
            dry_run: true,
            rows: None,
            row: Some(self.key.to_owned()),
        };
        let way = Way::One(direction);
        let report = run::run(self.config, way, &request, self.sql, self.stop, &|_| {}).await;
        let report = report.map_err(|e| Trouble::from(&e))?;
        let Some(table) = report.tables.into_iter().next() else { return Ok(None) };
        let rows = table.rehearsed.and_then(|rehearsed| rehearsed.rows).unwrap_or_default();
        // It was read alone; others may have been tried again with it.
        let is_it = |row: &Sample| row.key == self.key_object();
        match (rows.into_iter().find(is_it), table.error) {
            (Some(row), _) => Ok(Some(row)),
            (None, Some(trouble)) => Err(trouble),
            (None, None) => Ok(None),
        }
    }

    fn key_object(&self) -> serde_json::Value {
        serde_json::from_str(self.key).unwrap_or_default()
    }

    fn why_unread(&self, direction: Direction, source: &Side) -> String {
        let end = direction.source();
        let Some(values) = &source.values else {
            return format!("the {end} has no such row");
        };
        match (direction, self.config.cloud_capture) {
            (Direction::Reverse, Capture::Log) => {
                "the change log has nothing about it that reverse has not read".to_owned()
            }
            (Direction::Forward, _) if self.plan.capture == Capture::Rowversion => {
                format!("its version on the {end} says that it has not changed since the last run")
            }
            (Direction::Forward, _) if self.plan.capture == Capture::DesktopLog => {
                format!("the {end}'s change log has nothing about it since the last run")
            }
            _ if self.is_unstamped(direction, values) => {
                format!("its row on the {end} has no stamp, by which a change would be found")
            }
            _ => format!("its stamp on the {end} says that it has not changed since the last run"),
        }
    }

    fn is_unstamped(&self, direction: Direction, values: &Values) -> bool {
        let stamps = &self.plan.stamps;
        let names: Vec<&str> = match direction {
            Direction::Forward => stamps.source.iter().map(|stamp| &*stamp.name).collect(),
            Direction::Reverse => stamps.target.iter().map(String::as_str).collect(),
        };
        let name_at_source = |c: &crate::model::plan::ColumnPlan| match direction {
            Direction::Forward => c.source_name().map(str::to_owned),
            Direction::Reverse => Some(c.target.clone()),
        };
        let mut travelling = self
            .plan
            .columns
            .iter()
            .filter(|c| name_at_source(c).is_some_and(|name| names.contains(&&*name)))
            .peekable();
        travelling.peek().is_some()
            && travelling.all(|c| values.get(&c.name).is_none_or(Option::is_none))
    }
}
