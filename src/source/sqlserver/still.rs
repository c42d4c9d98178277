//! Which tables need not be read, because nothing has changed there since the position.

use std::collections::BTreeMap;

use crate::db::sqlserver::{Connection, sets};
use crate::error::{Kind, Result};
use crate::model::{Position, Selection, TablePlan};
use crate::sql::{Sql, tsql};

use super::log::{self, is_logged};
use super::params::Params;
use super::render::Asking;

/// The positions since which nothing has changed, by table.
#[derive(Debug, Default)]
pub(super) struct Still(BTreeMap<String, Position>);

impl Still {
    /// Whether nothing is selected.
    pub(super) fn is(&self, plan: &TablePlan, selection: Selection<'_>) -> bool {
        matches!(selection, Selection::Since(at) if self.0.get(&plan.label()) == Some(at))
    }

    /// Asks of all tables that are read from a position on, in one statement; `store` is the schema of
    /// tidegate's own tables.
    pub(super) async fn ask(
        connection: &mut Connection,
        sql: &Sql,
        store: Option<&str>,
        tables: &[(Asking<'_>, &Position)],
    ) -> Result<Self> {
        let mut params = Params::default();
        let mut questions = Vec::new();
        let mut asked = BTreeMap::new();
        for (i, (asking, at)) in tables.iter().enumerate() {
            let Some(watermark) = &at.watermark else { continue };
            if params.len() + asking.plan.stamps.source.len().max(2) >= Params::MAX {
                break;
            }
            let label = asking.plan.label();
            let (source, changed_since) = match store.filter(|_| is_logged(asking.plan)) {
                Some(store) => log::changed_since(store, &label, watermark, &mut params)?,
                None => {
                    let changed_since = asking.changed_since(watermark, &mut params)?;
                    (tsql::table(&asking.plan.source), changed_since)
                }
            };
            let slots = [
                ("number", &*i.to_string()),
                ("source", &source),
                ("changed_since", &changed_since),
            ];
            questions.push(sql.render("sqlserver/changed_since.sql", &slots));
            asked.insert(i as i32, (label, (*at).clone()));
        }
        if questions.is_empty() {
            return Ok(Self::default());
        }
        let question = questions.join("\nunion all\n");
        let changed = connection.rows("looking for changes", &question, &params.all()).await;
        let changed = match changed {
            // A user holds a row of one of them; whoever reads that table finds out which.
            Err(e) if e.kind() == Kind::Busy => {
                tracing::warn!(error = %e, "all tables are read");
                return Ok(Self::default());
            }
            changed => changed?,
        };
        for row in changed {
            if sets::get::<i32>(&row, "changed")? == 1 {
                asked.remove(&sets::get(&row, "number")?);
            }
        }
        Ok(Self(asked.into_values().collect()))
    }
}
