//! How the transactions of a SQL Server begin and end.

use std::mem;
use std::sync::PoisonError;

use crate::db::sqlserver::Connection;
use crate::error::Result;
use crate::model::TablePlan;
use crate::sql::tsql;
use crate::target::ending::{Edges, Ending, Place};

use super::SqlServerTarget;

impl Edges for SqlServerTarget<'_> {
    type Connection = Connection;

    fn ending(&self) -> &Ending<Connection> {
        &self.ending
    }

    fn hold(&self, plan: &TablePlan) -> String {
        self.sql.render("sqlserver/touch.sql", &[("target", &tsql::table(&plan.target))])
    }

    async fn idle(&self) -> Result<Connection> {
        self.settle().await;
        self.database.connection().await
    }

    async fn start(
        &self,
        doing: &str,
        place: Place<Connection>,
        statement: &str,
    ) -> Result<Connection> {
        let (mut connection, started) = match place {
            Place::Between(connection) | Place::Failed(connection) => (*connection, Ok(())),
            Place::Before | Place::Within => {
                let mut connection = self.idle().await?;
                let begin = self.sql.render("sqlserver/begin.sql", &[]);
                let begun = connection.begin_with(doing, &begin).await;
                (connection, begun)
            }
        };
        let started = match started {
            Ok(()) if !statement.is_empty() => connection.batch(doing, statement).await,
            started => started,
        };
        match started {
            Ok(()) => Ok(connection),
            Err(e) => {
                self.give_up(connection);
                Err(e)
            }
        }
    }

    /// It is rolled back meanwhile: a server takes its time to notice that a connection was closed. All
    /// of a rehearsal is lost with it, which begins anew with the next batch.
    fn give_up(&self, mut connection: Connection) {
        let sql = self.sql.render("sqlserver/roll_back.sql", &[]);
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).spawn(async move {
            // What can't be rolled back is when it is closed.
            if !connection.is_lost()
                && let Err(e) = connection.batch("rolling back", &sql).await
            {
                tracing::debug!("a transaction ends with its connection: {e}");
            }
            connection.discard();
        });
        if self.ending.is_rehearsal() {
            tracing::warn!(
                "a batch of this dry run failed, and what was rehearsed before it is forgotten: \
                 counts of rows that depend on it may differ from those of a run"
            );
            self.ending.put(Place::Before);
        }
    }

    fn discard(connection: Connection) {
        connection.discard();
    }
}

impl SqlServerTarget<'_> {
    /// Waits until what failed before is rolled back: until then its locks stand in our own way.
    pub async fn settle(&self) {
        let failed = mem::take(&mut *self.failed.lock().unwrap_or_else(PoisonError::into_inner));
        failed.join_all().await;
    }
}
