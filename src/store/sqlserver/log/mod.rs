//! The desktop's change log: the triggers that keep it, and how much of it is kept.

mod install;
mod prune;

use std::collections::BTreeMap;

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::sets::get;
use crate::error::Result;
use crate::model::TableName;
use crate::sql::tsql;

use super::SqlServerStore;
use super::reading::flag;

pub use install::ToLog;

/// The log of a table, as it was begun.
struct Begun {
    trigger: TableName,
    /// Whether its trigger is there and not disabled.
    fires: bool,
}

impl SqlServerStore<'_> {
    /// The logs that were begun, by the labels of their tables.
    async fn log_begun(&self, connection: &mut Connection) -> Result<BTreeMap<String, Begun>> {
        let sql = self.render("sqlserver/log_begun.sql");
        let rows = connection.rows("looking at the desktop's change log", &sql, &[]).await?;
        let begun = |row| {
            let label: &str = get(row, "table_name")?;
            let name = |part| get::<&str>(row, part);
            let trigger = TableName::new(name("trigger_schema")?, name("trigger_name")?);
            Ok((label.to_owned(), Begun { trigger, fires: flag(row, "firing")? }))
        };
        rows.iter().map(begun).collect()
    }

    /// The statements that take the log's triggers off their tables.
    pub(super) async fn log_removal(&self, connection: &mut Connection) -> Result<Vec<String>> {
        let begun = self.log_begun(connection).await?;
        Ok(begun.values().map(|log| self.without_trigger(&log.trigger)).collect())
    }

    fn without_trigger(&self, trigger: &TableName) -> String {
        self.sql.render("sqlserver/log_forget.sql", &[("trigger", &tsql::table(trigger))])
    }
}
