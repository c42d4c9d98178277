//! Foreign keys: rows whose parents are missing are found for the whole batch, not by failing.

use crate::error::Result;
use crate::model::TablePlan;
use crate::model::plan::Parent;
use crate::sql::{column, ident, list, table};

use super::{PgTx, render};

impl PgTx<'_> {
    /// Withholds rows without their parents, and rows of this batch whose parents in this batch
    /// are withheld by that, until nothing changes.
    pub(super) async fn withhold_orphans(&self) -> Result<()> {
        let refers_to_itself = self.plan.parents.iter().any(|p| p.table == self.plan.target);
        loop {
            let mut withheld = 0;
            for parent in &self.plan.parents {
                withheld += self.about_parent("postgres/parents.sql", parent).await?;
            }
            if withheld == 0 || !refers_to_itself {
                return Ok(());
            }
        }
    }

    /// Takes references to missing parents out of new rows, where they may be NULL.
    pub(super) async fn detach(&self) -> Result<()> {
        for parent in self.plan.parents.iter().filter(|p| p.is_breakable()) {
            self.about_parent("postgres/detach.sql", parent).await?;
        }
        Ok(())
    }

    async fn about_parent(&self, statement: &'static str, parent: &Parent) -> Result<u64> {
        let slots = slots(self.plan, parent);
        let slots: Vec<(&str, &str)> = slots.iter().map(|(name, text)| (*name, &**text)).collect();
        let sql = self.target.sql.render(statement, &slots);
        self.connection()?.run(self.doing("classifying"), &sql, &[]).await
    }
}

/// The slots of the statements about one foreign key: `f1`, `f2` … are its columns, `p` the
/// parent's row, `o` another staged row.
fn slots(plan: &TablePlan, parent: &Parent) -> Vec<(&'static str, String)> {
    let each = |build: &dyn Fn(usize, String, String) -> String, separator: &str| {
        let build = |(i, (from, to)): (usize, &(usize, String))| {
            build(i + 1, render::staged(&plan.columns[*from]), column("p", to))
        };
        list(parent.columns.iter().enumerate().map(build), separator)
    };
    let clear =
        |(from, _): &(usize, String)| format!("{} = null", ident(&plan.columns[*from].target));
    let lock = if parent.lockable { "for key share of p skip locked" } else { "" };
    vec![
        ("parent", table(&parent.table)),
        ("wanted", each(&|i, from, _| format!("{from} as f{i}"), ", ")),
        ("refers", each(&|_, from, _| format!("{from} is not null"), " and ")),
        ("present", each(&|i, _, to| format!("{to} as f{i}"), ", ")),
        ("wanted_is_parent", each(&|i, _, to| format!("w.f{i} = {to}"), " and ")),
        ("staged_is_parent", each(&|_, from, to| format!("{to} = {from}"), " and ")),
        ("staged_is_present", each(&|i, from, _| format!("p.f{i} = {from}"), " and ")),
        ("staged_parent", staged_parent(plan, parent)),
        ("lock", lock.to_owned()),
        ("clear", list(parent.columns.iter().map(clear), ", ")),
    ]
}

/// A row of the same batch that the staged row refers to, and that is, or will be, there.
fn staged_parent(plan: &TablePlan, parent: &Parent) -> String {
    if parent.table != plan.target {
        return "select where false".to_owned();
    }
    let of_other = |name: &str| {
        plan.columns.iter().find(|c| c.target == name).map(|c| render::staged_as("o", c))
    };
    let same = |(from, to): &(usize, String)| {
        let value = of_other(to).unwrap_or_else(|| "null".to_owned());
        format!("{value} = {}", render::staged(&plan.columns[*from]))
    };
    format!(
        "select from pg_temp.tidegate_stage o join pg_temp.tidegate_verdict ov on o.ctid = ov.place \
         where {} and ov.verdict in ({})",
        list(parent.columns.iter().map(same), " and "),
        render::arrived()
    )
}
