//! How the transactions of a PostgreSQL begin and end.

use crate::db::postgres::Connection;
use crate::error::Result;
use crate::model::TablePlan;
use crate::sql::table;
use crate::target::ending::{Edges, Ending, Place};

use super::PgTarget;

/// From here on what a batch does in a rehearsal can be undone.
const SAVEPOINT: &str = "savepoint tidegate_batch";
const UNDO: &str = "rollback to savepoint tidegate_batch";

impl Edges for PgTarget<'_> {
    type Connection = Connection;

    fn ending(&self) -> &Ending<Connection> {
        &self.ending
    }

    fn hold(&self, plan: &TablePlan) -> String {
        format!("lock table {} in row exclusive mode", table(&plan.target))
    }

    async fn idle(&self) -> Result<Connection> {
        self.database.connection().await
    }

    async fn start(
        &self,
        doing: &str,
        place: Place<Connection>,
        statement: &str,
    ) -> Result<Connection> {
        let render = |name| self.sql.render(name, &[]);
        let (connection, start) = match place {
            Place::Between(connection) => {
                (*connection, render("postgres/own_output.sql") + &render("postgres/clear.sql"))
            }
            Place::Failed(connection) => (*connection, UNDO.to_owned()),
            Place::Before | Place::Within => {
                let begin = render("postgres/begin.sql");
                let savepoint = if self.ending.is_rehearsal() { SAVEPOINT } else { "" };
                (self.database.connection().await?, begin + savepoint)
            }
        };
        match connection.batch(doing, &format!("{start};\n{statement}")).await {
            Ok(()) => Ok(connection),
            Err(e) => {
                self.give_up(connection);
                Err(e)
            }
        }
    }

    fn give_up(&self, connection: Connection) {
        match self.ending.is_rehearsal() && !connection.is_lost() {
            true => self.ending.put(Place::Failed(Box::new(connection))),
            false => connection.discard(),
        }
    }

    fn discard(connection: Connection) {
        connection.discard();
    }
}
