//! A look at a database: everything in one moment, nothing written.

use crate::error::Result;
use crate::sql::Sql;

use super::Connection;

impl Connection {
    /// Does `work` in one transaction that only reads, in which values look as in tidegate's own
    /// tables. The connection is given up where that fails.
    pub async fn look<T>(
        self,
        doing: &str,
        sql: &Sql,
        work: impl AsyncFnOnce(&Connection) -> Result<T>,
    ) -> Result<T> {
        let looked = async {
            self.batch(doing, &sql.render("postgres/snapshot.sql", &[("snapshot", "")])).await?;
            let found = work(&self).await?;
            self.batch(doing, "commit").await?;
            Ok(found)
        };
        let looked = looked.await;
        if looked.is_err() {
            self.discard();
        }
        looked
    }
}
