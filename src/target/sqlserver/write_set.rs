//! What the transaction has really written, as far as a SQL Server tells: it counts nothing for us, so
//! the statements' own counts, what was found afterwards, and the tables that are locked for writing.

use crate::db::sqlserver::sets;
use crate::error::Result;
use crate::model::TableName;
use crate::model::write_set::{TableWrites, WriteSet, Written};

use super::SqlServerTx;
use super::rows::Staged;

impl SqlServerTx<'_> {
    /// What was written.
    pub(super) async fn measure(&mut self) -> Result<WriteSet> {
        let table = self.plan.target.clone();
        let written = TableWrites {
            oid: self.number,
            root: table.clone(),
            table,
            written: self.merged,
            rewritten: false,
        };
        let tables = match self.merged == Written::default() {
            true => Vec::new(),
            false => vec![written],
        };
        let locked = self.locked_tables().await?;
        Ok(WriteSet {
            tx: self.id,
            tables,
            foreign_rows: self.changed_foreign_rows().await?,
            locked,
        })
    }

    /// The other synced tables that our own transaction has locked for writing: nothing here writes
    /// them, but a trigger may. A table that is only written by others is none of ours.
    async fn locked_tables(&mut self) -> Result<Vec<TableName>> {
        if self.merged == Written::default() {
            return Ok(Vec::new());
        }
        if !self.shows_locks {
            tracing::debug!(
                table = self.label,
                "without the right VIEW SERVER STATE nobody can see where triggers write"
            );
            return Ok(Vec::new());
        }
        let doing = self.doing("checking");
        let sql = self.target.sql.render("sqlserver/write_locks.sql", &[]);
        let mut locked = Vec::new();
        for row in self.connection()?.rows(doing, &sql, &[]).await? {
            let schema: &str = sets::get(&row, "schema_name")?;
            let table = TableName::new(schema, sets::get::<&str>(&row, "table_name")?);
            if table != self.plan.target && self.plan.synced.contains(&table) {
                locked.push(table);
            }
        }
        Ok(locked)
    }

    /// Rows of another owner that the batch met, pinned and was not to write, and that are others by
    /// now: only triggers can have done that.
    async fn changed_foreign_rows(&mut self) -> Result<u64> {
        if self.merged == Written::default() || !self.plan.target_remakes {
            return Ok(0);
        }
        let is_foreign = |row: &Staged| {
            !row.is_written() && row.is_pinned && row.is_held_by_another(&self.layout)
        };
        let foreign = self.numbers(is_foreign);
        let lines = self.meet(&foreign, "").await?;
        let mut unchanged = 0;
        for (number, now) in &lines {
            let before = self.rows.get(*number).and_then(|row| row.held.as_ref());
            unchanged += u64::from(before.is_some_and(|before| before.fields() == now.fields()));
        }
        Ok(foreign.len() as u64 - unchanged)
    }
}
