//! Puts the log's triggers on the desktop's tables.

use crate::db::sqlserver::Connection;
use crate::error::{Error, Kind, Result};
use crate::model::TableName;
use crate::model::logging::Logging;
use crate::sql::{logging, tsql};
use crate::store::sqlserver::migrate::UNDO;
use crate::store::{Installed, Skipped};

use super::super::SqlServerStore;
use super::super::reading::flag;
use super::Begun;

/// A table that is captured by the log: its label, and what its log has to be, or why it can't have one.
pub type ToLog = (String, Result<Logging>);

const INSTALLING: &str = "installing the triggers of the desktop's change log";

impl SqlServerStore<'_> {
    /// Installs what is missing. A table that can't have its trigger now is skipped; nothing is written
    /// where nothing is missing.
    pub async fn install_log(
        &self,
        connection: &mut Connection,
        tables: Vec<ToLog>,
    ) -> Result<Installed> {
        let begun = self.log_begun(connection).await?;
        let mut done = Installed::default();
        for (label, wanted) in tables {
            let known = begun.get(&label);
            let outcome = match &wanted {
                Ok(log) if known.is_some_and(|k| k.fires && k.trigger == log.trigger()) => {
                    done.present.push(label);
                    continue;
                }
                Ok(log) => self.install(connection, log, known).await,
                Err(e) => {
                    done.skipped.push(Skipped::because(label, e));
                    continue;
                }
            };
            match outcome {
                Ok(()) => done.installed.push(label),
                Err(e) if e.kind() == Kind::Unauthorised => {
                    done.skipped.push(Skipped::because(label, &not_allowed(e)));
                }
                Err(e) if e.kind() == Kind::Busy => {
                    done.skipped.push(Skipped::because(label, &busy(e)));
                }
                Err(e) if e.kind() == Kind::Config => {
                    done.skipped.push(Skipped::because(label, &e));
                }
                Err(e) => return Err(e),
            }
        }
        Ok(done)
    }

    async fn install(
        &self,
        connection: &mut Connection,
        log: &Logging,
        known: Option<&Begun>,
    ) -> Result<()> {
        self.require_chain(connection, log).await?;
        let begin = self.sql.render("sqlserver/log_lock.sql", &[]);
        connection.begin_with(INSTALLING, &begin).await?;
        match self.replace(connection, log, known).await {
            Ok(()) => connection.end_with(INSTALLING, "commit").await,
            Err(e) => {
                connection.end_with(INSTALLING, UNDO).await?;
                Err(e)
            }
        }
    }

    async fn replace(
        &self,
        connection: &mut Connection,
        log: &Logging,
        known: Option<&Begun>,
    ) -> Result<()> {
        if let Some(known) = known {
            connection.batch(INSTALLING, &self.without_trigger(&known.trigger)).await?;
        }
        for statement in self.installation(log) {
            connection.batch(INSTALLING, &statement).await?;
        }
        Ok(())
    }

    /// The statements that give `tables` their triggers, as if none had any, as `sqlcmd` reads them.
    pub fn log_sql(&self, tables: &[ToLog]) -> String {
        let of_table = |(label, wanted): &ToLog| match wanted {
            Ok(log) => {
                let begin = self.sql.render("sqlserver/log_lock.sql", &[]);
                let steps = [vec![begin], self.installation(log), vec!["commit;\n".to_owned()]];
                steps.concat().into_iter().map(|step| step + "go\n").collect()
            }
            Err(e) => format!("-- {label}: its changes are not logged: {e}\n"),
        };
        tables.iter().map(of_table).collect()
    }

    /// One table's batches.
    fn installation(&self, log: &Logging) -> Vec<String> {
        let (name, label) = (log.trigger(), tsql::literal(&log.label));
        let trigger = self.sql.render(
            "sqlserver/log_trigger.sql",
            &[
                ("store", &self.quoted),
                ("trigger", &tsql::table(&name)),
                ("table", &tsql::table(&log.table)),
                ("label", &label),
                ("deleted_key", &logging::key(log, "d")),
                ("inserted_key", &logging::key(log, "i")),
                ("same_key", &logging::same_key(log, "i", "d")),
            ],
        );
        let begins = self.sql.render(
            "sqlserver/log_begins.sql",
            &[
                ("store", &self.quoted),
                ("label", &label),
                ("trigger_schema", &tsql::literal(&name.schema)),
                ("trigger_name", &tsql::literal(&name.name)),
            ],
        );
        vec![self.without_trigger(&name), trigger, begins]
    }

    /// A user's write must not fail because he may not write to the log.
    async fn require_chain(&self, connection: &mut Connection, log: &Logging) -> Result<()> {
        let sql = self.sql.render("sqlserver/log_own.sql", &[]);
        let own = tsql::table(&TableName::new(&self.schema, "_sync_changes"));
        let table = tsql::table(&log.table);
        let rows = connection.rows(INSTALLING, &sql, &[&own, &table]).await?;
        let chained = rows.first().map(|row| flag(row, "chained")).transpose()?;
        match chained == Some(true) {
            true => Ok(()),
            false => Err(Error::config(
                format!(
                    "{} and tidegate's own tables have different owners: the trigger would let users \
                     change the table only if they may write tidegate's",
                    log.table
                ),
                format!(
                    "alter authorization on schema::{} to the owner of {table}, dbo for one; then run \
                     tidegate migrate again.",
                    self.quoted
                ),
            )),
        }
    }
}

fn not_allowed(cause: Error) -> Error {
    Error::new(Kind::Unauthorised, "the role may not create triggers on the desktop's table")
        .remedied(
            "Migrate as a role that may alter the table, as in DESKTOP_URL=… tidegate migrate; or \
             set capture = \"rowversion\" or \"timestamp\" for it.",
        )
        .because(cause)
}

fn busy(cause: Error) -> Error {
    Error::new(Kind::Busy, "somebody works on the table, and its lock was not to be had in 3 s")
        .remedied(
            "Run tidegate migrate again when it is quieter, or end the transaction that stays open.",
        )
        .because(cause)
}
