//! 2 STAGE: the batch into a temporary table.

use std::iter;

use bytes::Bytes;

use crate::error::{Error, Kind, Result};
use crate::model::Batch;
use crate::model::batch::{COPY_HEADER, COPY_TRAILER};

use super::{PgTx, Staging, render};

impl PgTx<'_> {
    /// Creates the stage and fills it by COPY; a key that comes twice keeps its later version.
    pub(super) async fn fill_stage(&mut self, batch: &Batch, staging: Staging) -> Result<()> {
        let plan = self.plan;
        let sql = self.target.sql;
        let definitions = render::definitions(plan, staging);
        let create = sql.render("postgres/stage.sql", &[("definitions", &definitions)]);
        let columns = render::stage_columns(plan);
        let copy = sql.render("postgres/stage_copy.sql", &[("columns", &columns)]);
        let connection = self.connection()?;
        connection.batch(self.doing("staging"), &create).await?;
        let pieces = iter::once(Bytes::from_static(COPY_HEADER))
            .chain(batch.pieces().iter().cloned())
            .chain(iter::once(Bytes::from_static(COPY_TRAILER)));
        let staged = connection.write_copy(self.doing("staging"), &copy, pieces).await?;
        if staged != batch.rows() {
            return Err(Error::new(
                Kind::Other,
                format!("{} rows were sent and {staged} were staged", batch.rows()),
            ));
        }
        self.staged = staged - self.drop_superseded().await?;
        Ok(())
    }

    /// Deletes all but the latest version of each key, where the source may give several: one
    /// without a unique key, and a SQL Server without snapshots, which may read a row that moves
    /// twice (case r16).
    async fn drop_superseded(&self) -> Result<u64> {
        let reads_once = self.plan.key_columns().all(|column| column.sql_type.is_none());
        if self.plan.key_is_unique_at_source && reads_once {
            return Ok(0);
        }
        let key = render::bare_key(self.plan);
        let sql = self.target.sql.render("postgres/dedupe.sql", &[("key", &key)]);
        self.connection()?.run(self.doing("staging"), &sql, &[]).await
    }
}
