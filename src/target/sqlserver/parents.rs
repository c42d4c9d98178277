//! Foreign keys: rows whose parents are missing are found for the whole batch, not by failing.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bytes::Bytes;

use crate::error::Result;
use crate::model::plan::Parent;
use crate::model::types::Refusal;
use crate::model::{Reason, Verdict};
use crate::sql::tsql;

use super::SqlServerTx;
use super::rows::Staged;
use super::tables::{Deed, Line, Sheet, fill, number, unwritable};
use crate::target::outcome::gone;

/// What a row refers to.
type Reference = Vec<Bytes>;

impl SqlServerTx<'_> {
    /// Withholds rows without their parents, and rows of this batch whose parents in this batch
    /// are withheld by that, until nothing changes. A parent that somebody deletes from here on is
    /// found missing when the foreign key refuses its child and that is tried alone.
    pub(super) async fn withhold_orphans(&mut self) -> Result<()> {
        let plan = self.plan;
        let mut missing = Vec::new();
        for parent in &plan.parents {
            missing.push((parent, self.missing(parent).await?));
        }
        loop {
            let mut orphans = BTreeSet::new();
            for (parent, missing) in &missing {
                let present = self.in_batch(parent);
                let waits = |(number, row): &(usize, &Staged)| {
                    row.is_written()
                        && missing.contains(number)
                        && self.refers_to(row, parent).is_some_and(|to| !present.contains(&to))
                };
                orphans
                    .extend(self.rows.iter().enumerate().filter(waits).map(|(number, _)| number));
            }
            if orphans.is_empty() {
                return Ok(());
            }
            for number in orphans {
                self.rows[number].verdict = Verdict::Withheld(Reason::MissingParent);
            }
        }
    }

    /// The rows to be written whose parent the target does not have yet.
    async fn missing(&mut self, parent: &Parent) -> Result<HashSet<usize>> {
        let mut children: BTreeMap<Reference, Vec<usize>> = BTreeMap::new();
        let mut lines: Vec<Line> = Vec::new();
        for (number, row) in self.rows.iter().enumerate().filter(|(_, row)| row.is_written()) {
            let (Ok(wanted), Some(to)) = (&row.wanted, self.refers_to(row, parent)) else {
                continue;
            };
            let siblings = children.entry(to).or_default();
            if siblings.is_empty() {
                let cell = |(from, _): &(usize, String)| {
                    wanted.values[*from].clone().into_column_data(self.layout.codecs[*from].of)
                };
                let cells: Result<Vec<_>, Refusal> = parent.columns.iter().map(cell).collect();
                lines.push((number, Deed::None, cells.map_err(unwritable)?));
            }
            siblings.push(number);
        }
        if lines.is_empty() {
            return Ok(HashSet::new());
        }
        let sheet = Sheet::of_parent(&self.layout, parent);
        let sql = self.target.sql.render(
            "sqlserver/parents.sql",
            &[("parent", &tsql::table(&parent.table)), ("same_row", &sheet.same_row())],
        );
        let doing = self.doing("looking for the parents of");
        let connection = self.connection.as_mut().ok_or_else(gone)?;
        fill(connection, self.target.sql, &doing, (&sheet, lines)).await?;
        let rows = connection.rows(doing, &sql, &[]).await?;
        let present: HashSet<usize> =
            rows.into_iter().map(|row| number(row.into_iter().next())).collect();
        let lacking = children.into_values().filter(|rows| !present.contains(&rows[0]));
        Ok(lacking.flatten().collect())
    }

    /// What a row refers to, unless a column of that is NULL.
    fn refers_to(&self, row: &Staged, parent: &Parent) -> Option<Reference> {
        let wanted = row.wanted.as_ref().ok()?;
        parent.columns.iter().map(|(from, _)| wanted.fields()[*from].clone()).collect()
    }

    /// What rows of the same batch can be referred to by, once they are there.
    fn in_batch(&self, parent: &Parent) -> HashSet<Reference> {
        let plan = self.plan;
        if parent.table != plan.target {
            return HashSet::new();
        }
        let position =
            |(_, to): &(usize, String)| plan.columns.iter().position(|c| c.target == *to);
        let Some(columns) = parent.columns.iter().map(position).collect::<Option<Vec<_>>>() else {
            return HashSet::new();
        };
        let reference = |row: &Staged| {
            let wanted = row.wanted.as_ref().ok()?;
            columns.iter().map(|&i| wanted.fields()[i].clone()).collect()
        };
        self.rows.iter().filter(|row| row.arrives()).filter_map(reference).collect()
    }
}
