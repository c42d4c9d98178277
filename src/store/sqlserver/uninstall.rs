//! Takes everything of tidegate's out of the desktop.

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::sets::get;
use crate::error::{Kind, Result};
use crate::sql::list;
use crate::sql::tsql::ident;
use crate::store::RIGHTS;

use super::SqlServerStore;

/// What the names of everything of tidegate's begin with.
const PREFIX: &str = "_sync_";

impl SqlServerStore<'_> {
    /// The statements that take tidegate's tables away; each is to be run in a transaction of its own.
    /// The schema goes with them, unless somebody else keeps something there.
    pub async fn removal(&self, connection: &mut Connection) -> Result<Vec<String>> {
        if !self.exists(connection).await? {
            return Ok(Vec::new());
        }
        let sql = self.sql.render("sqlserver/belongings.sql", &[]);
        let doing = "looking for what is tidegate's";
        let rows = connection.rows(doing, &sql, &[&self.schema]).await?;
        let names = rows.iter().map(|row| get::<&str>(row, "name"));
        let names: Vec<&str> = names.collect::<Result<_>>()?;
        let is_own = |name: &&&str| RIGHTS.iter().any(|(own, _)| *own == **name);
        let own: Vec<&str> = names.iter().filter(is_own).copied().collect();
        let tables = list(own.iter().map(|name| format!("{}.{}", self.quoted, ident(name))), ", ");
        let mut step = self.sql.render("sqlserver/drop_tables.sql", &[("tables", &tables)]);
        // Some servers list what stands behind a table's identity beside it.
        if names.iter().all(|name| name.starts_with(PREFIX)) {
            step += &self.render("sqlserver/drop_schema.sql");
        }
        // Without its table a trigger would let nobody write.
        let mut steps = match own.contains(&"_sync_logged") {
            true => self.log_removal(connection).await?,
            false => Vec::new(),
        };
        steps.push(step);
        Ok(steps)
    }

    /// Runs the steps of a [removal](SqlServerStore::removal), one after the other.
    ///
    /// # Errors
    /// At the first step that fails; what was done before stays done, and another call goes on.
    pub async fn remove(&self, connection: &mut Connection, steps: &[String]) -> Result<()> {
        let doing = "removing what is tidegate's";
        let begin = self.sql.render("sqlserver/drop_begin.sql", &[]);
        for step in steps {
            connection.begin_with(doing, &begin).await?;
            match connection.batch(doing, step).await {
                Ok(()) => connection.end_with(doing, "commit").await?,
                Err(e) => {
                    connection.end_with(doing, super::migrate::UNDO).await?;
                    return Err(match e.kind() {
                        Kind::Busy => e.remedied(
                            "Somebody works on that table: uninstall again when it is quieter.",
                        ),
                        Kind::Unauthorised => e.remedied(
                            "Uninstall as a role that owns the synced tables and tidegate's schema.",
                        ),
                        _ => e,
                    });
                }
            }
        }
        Ok(())
    }
}
