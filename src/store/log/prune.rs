//! How much of the log is kept.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::text;
use crate::error::Result;
use crate::store::Store;

/// How many entries one call looks at; one transaction's are never divided.
const AT_ONCE: i64 = 100_000;

impl Store<'_> {
    /// Forgets entries about the table called `label` that are older than seven days, of
    /// transactions below `below` (an xid8 as text, which every reader has passed). Gives how many;
    /// a later call goes on.
    pub async fn prune_log(
        &self,
        connection: &Connection,
        label: &str,
        below: &str,
    ) -> Result<u64> {
        let sql = self.render("postgres/prune_log.sql");
        let params = [text(&label), text(&below), (&AT_ONCE as _, Type::INT8)];
        let doing = format!("pruning the change log of {label}");
        let gone: i64 = connection.value(doing, &sql, &params).await?;
        Ok(gone.unsigned_abs())
    }

    /// The tables called `labels` and the transactions below which their logs are not needed any
    /// more, as the database that reverse writes knows.
    pub async fn prunable(
        &self,
        connection: &Connection,
        labels: &[String],
    ) -> Result<Vec<(String, String)>> {
        let sql = self.render("postgres/prunable.sql");
        let params = [(&labels as _, Type::TEXT_ARRAY)];
        let doing = "looking what of the change log is needed";
        let rows = connection.rows(doing, &sql, &params).await?;
        let known = |row: &Row| Some((row.get(0), row.get::<_, Option<String>>(1)?));
        Ok(rows.iter().filter_map(known).collect())
    }

    /// Those of the tables called `labels` of which the log holds more than `entries`.
    pub async fn large_logs(
        &self,
        connection: &Connection,
        labels: &[String],
        entries: i64,
    ) -> Result<Vec<String>> {
        let sql = self.render("postgres/log_size.sql");
        let params = [(&labels as _, Type::TEXT_ARRAY), (&entries as _, Type::INT8)];
        let rows = connection.rows("measuring the change log", &sql, &params).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}
