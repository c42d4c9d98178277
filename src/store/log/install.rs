//! Puts the log's triggers on the tables of the cloud.

use serde::Serialize;

use crate::db::postgres::Connection;
use crate::error::{Error, Kind, Result};
use crate::model::TableName;
use crate::sql::{list, literal, table};
use crate::store::Store;

use super::{CHANGE, LogTable, TRUNCATE, Trigger};

/// What became of the tables, by their labels.
#[derive(Debug, Default, Serialize)]
pub struct Installed {
    /// Their triggers were made, or made anew.
    pub installed: Vec<String>,
    /// Their triggers were there.
    pub present: Vec<String>,
    /// They have none, or not those that they should have.
    pub skipped: Vec<Skipped>,
}

/// A table whose changes are not logged.
#[derive(Debug, Serialize)]
pub struct Skipped {
    /// The table.
    pub table: String,
    /// Why.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
    /// What kind of error it was; none where such a table can't have a log.
    #[serde(skip)]
    pub kind: Option<Kind>,
}

impl Store<'_> {
    /// Installs what is missing on those of `tables` that exist. A table that can't have it now is
    /// skipped; nothing is written where nothing is missing.
    pub async fn install_log(
        &self,
        connection: &Connection,
        tables: &[TableName],
        owner_column: &str,
    ) -> Result<Installed> {
        let tables = self.log_tables(connection, tables, owner_column).await?;
        let begun = self.log_begun(connection, &tables).await?;
        let mut done = Installed::default();
        for table in tables {
            let label = table.table.to_string();
            if let Some(reason) = table.unfit() {
                done.skipped.push(Skipped::unfit(label, reason));
            } else if table.is_logged() && begun.contains(&label) {
                done.present.push(label);
            } else if !table.owned {
                done.skipped.push(Skipped::because(label, &not_owned()));
            } else {
                let begins = !begun.contains(&label) || table.change != Trigger::Right;
                match self.install(connection, &table, owner_column, begins).await {
                    Ok(()) => done.installed.push(label),
                    Err(e) if e.kind() == Kind::Unauthorised => {
                        done.skipped.push(Skipped::because(label, &not_owned().because(e)));
                    }
                    Err(e) if e.kind() == Kind::Busy => {
                        done.skipped.push(Skipped::because(label, &busy().because(e)));
                    }
                    // Two at once: one of them does it.
                    Err(_) if self.is_installed(connection, &table, owner_column).await? => {
                        done.present.push(label);
                    }
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(done)
    }

    async fn is_installed(
        &self,
        connection: &Connection,
        table: &LogTable,
        owner_column: &str,
    ) -> Result<bool> {
        let names = std::slice::from_ref(&table.table);
        let tables = self.log_tables(connection, names, owner_column).await?;
        let begun = self.log_begun(connection, &tables).await?;
        Ok(tables.iter().all(|t| t.is_logged() && begun.contains(&t.table.to_string())))
    }

    async fn install(
        &self,
        connection: &Connection,
        log: &LogTable,
        owner_column: &str,
        begins: bool,
    ) -> Result<()> {
        let doing = format!("installing the change log's triggers on {}", log.table);
        let script = self.installation(log, owner_column, begins);
        let outcome = connection.batch(&doing, &script).await;
        if outcome.is_err() {
            connection.batch(&doing, "rollback").await?;
        }
        outcome
    }

    /// The statements that give those of `tables` that exist their triggers, as if none had any.
    pub async fn log_sql(
        &self,
        connection: &Connection,
        tables: &[TableName],
        owner_column: &str,
    ) -> Result<String> {
        let tables = self.log_tables(connection, tables, owner_column).await?;
        let fit = tables.into_iter().filter(|table| table.unfit().is_none());
        Ok(fit.map(|table| self.installation(&table.bare(), owner_column, true)).collect())
    }

    /// One table's transaction.
    fn installation(&self, log: &LogTable, owner_column: &str, begins: bool) -> String {
        let on = [("table", &*table(&log.table))];
        let mut script = self.sql.render("postgres/log_lock.sql", &on);
        script += &self.triggers(log, owner_column);
        if begins {
            let label = literal(&log.table.to_string());
            let slots = [("store", &*self.quoted), ("label", &*label)];
            script += &self.sql.render("postgres/log_begins.sql", &slots);
        }
        script + "commit;\n"
    }

    /// The statements that bring a table's triggers to what they have to be.
    fn triggers(&self, log: &LogTable, owner_column: &str) -> String {
        let label = log.table.to_string();
        let first = [&*label, owner_column, &*log.by_text].into_iter();
        let arguments = first.chain(log.key.iter().map(String::as_str)).map(literal);
        let arguments = list(arguments, ", ");
        let create = |name, on: &TableName| {
            let slots =
                [("store", &*self.quoted), ("table", &table(on)), ("arguments", &arguments)];
            self.sql.render(name, &slots)
        };
        let mut script = String::new();
        if log.change == Trigger::Other {
            script += &self.drop_trigger(CHANGE, &log.table);
        }
        if matches!(log.change, Trigger::Absent | Trigger::Other) {
            script += &create("postgres/log_change_trigger.sql", &log.table);
        }
        if log.change != Trigger::Right {
            let all = [&log.table].into_iter().chain(&log.partitions);
            script.extend(all.map(|on| self.always(CHANGE, on)));
        }
        for untold in &log.untold {
            if untold.stale {
                script += &self.drop_trigger(TRUNCATE, &untold.table);
            }
            script += &create("postgres/log_truncate_trigger.sql", &untold.table);
            script += &self.always(TRUNCATE, &untold.table);
        }
        script
    }

    fn always(&self, trigger: &str, on: &TableName) -> String {
        let slots = [("trigger", trigger), ("table", &*table(on))];
        self.sql.render("postgres/log_always.sql", &slots)
    }

    /// The statement that takes one of the log's triggers off a table.
    pub(in crate::store) fn drop_trigger(&self, trigger: &str, on: &TableName) -> String {
        let slots = [("trigger", trigger), ("table", &*table(on))];
        self.sql.render("postgres/log_drop_trigger.sql", &slots)
    }
}

impl Skipped {
    fn unfit(table: String, reason: &str) -> Self {
        let remedy = "`tidegate check` says whether it can be synced at all.";
        Self { table, reason: reason.to_owned(), remedy: remedy.to_owned(), kind: None }
    }

    /// A table that has none because of an error.
    pub(in crate::store) fn because(table: String, e: &Error) -> Self {
        let (reason, remedy) = (e.to_string(), e.remedy().to_owned());
        Self { table, reason, remedy, kind: Some(e.kind()) }
    }
}

fn not_owned() -> Error {
    Error::new(Kind::Unauthorised, "the role may not create triggers there that always fire")
        .remedied(
            "Migrate as a role that owns the table and tidegate's schema, or a member of both \
             owners; or do without triggers: capture = \"timestamp\" under [cloud].",
        )
}

fn busy() -> Error {
    Error::new(Kind::Busy, "somebody works on the table, and its lock was not to be had in 3 s")
        .remedied(
            "Run tidegate migrate again when it is quieter, or end the transaction that stays open.",
        )
}
