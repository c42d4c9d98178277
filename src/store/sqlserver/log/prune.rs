//! How much of the desktop's log is kept.

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::sets::get;
use crate::error::Result;

use super::super::SqlServerStore;

/// How many entries go at once: so many locks are not made one of the whole table, for which the users'
/// writes would have to wait.
const AT_ONCE: usize = 1_000;
/// How often, after one run.
const TIMES: usize = 100;

impl SqlServerStore<'_> {
    /// Forgets entries about the table called `label` that are older than seven days, below the version
    /// `below`, which every reader has passed. Bounded; a later call goes on.
    pub async fn prune_log(
        &self,
        connection: &mut Connection,
        label: &str,
        below: &[u8],
    ) -> Result<()> {
        let entries = AT_ONCE.to_string();
        let oldest = self.render_with("sqlserver/log_prunable.sql", ("entries", &entries));
        let prune = self.render("sqlserver/log_prune.sql");
        let doing = format!("pruning the desktop's change log of {label}");
        for _ in 0..TIMES {
            let rows = connection.rows(&doing, &oldest, &[&label, &below]).await?;
            let Some(row) = rows.first() else { break };
            let last: Vec<u8> = get::<&[u8]>(row, "version")?.to_vec();
            connection.run(&doing, &prune, &[&label, &last]).await?;
        }
        Ok(())
    }
}
