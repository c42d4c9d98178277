//! Rows that the target refuses: set aside without looking at their values.

use std::collections::BTreeMap;

use crate::db::sqlserver::{catalogue, sets};
use crate::error::{Error, Kind, Result};
use crate::model::types::SqlType;
use crate::model::{Reason, Tally, Verdict};
use crate::sql::tsql;

use super::SqlServerTx;

impl SqlServerTx<'_> {
    /// Withholds every staged row with `reason`.
    ///
    /// # Errors
    /// [`Kind::Other`] when the table is not the one that was planned: no row is to be blamed.
    pub(super) async fn refuse(&mut self, reason: Reason, detail: &str) -> Result<Tally> {
        self.refuse_altered().await?;
        for row in &mut self.rows {
            (row.verdict, row.rule) = (Verdict::Withheld(reason), None);
        }
        self.set_aside = Some((reason, detail.to_owned()));
        Ok(self.tally())
    }

    async fn refuse_altered(&mut self) -> Result<()> {
        let plan = self.plan;
        let sql = self.target.sql.render("sqlserver/as_planned.sql", &[]);
        let (doing, target) = (self.doing("withholding"), tsql::table(&plan.target));
        let rows = self.connection()?.rows(doing, &sql, &[&target]).await?;
        let mut now: BTreeMap<String, Option<SqlType>> = BTreeMap::new();
        for row in &rows {
            let name: &str = sets::get(row, "name")?;
            now.insert(name.to_owned(), catalogue::declared(row)?.ok());
        }
        match plan.columns.iter().all(|c| now.get(&c.target) == Some(&c.sql_type)) {
            true => Ok(()),
            false => {
                let (label, end) = (&self.label, plan.direction.target());
                let message =
                    format!("the {end}'s {label} was altered after the run had looked at it");
                Err(Error::new(Kind::Other, message).remedied("The next run plans anew."))
            }
        }
    }
}
