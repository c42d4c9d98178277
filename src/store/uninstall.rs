//! Takes everything of tidegate's out of a database.

use serde::Deserialize;
use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::text;
use crate::error::{Kind, Result};
use crate::model::TableName;
use crate::sql::{ident, list};

use super::{RIGHTS, Store};

/// What of tidegate is in a database.
#[derive(Debug, Deserialize)]
struct Belongings {
    triggers: Vec<OwnTrigger>,
    tables: Vec<String>,
    functions: Vec<String>,
    nothing_else: bool,
}

#[derive(Debug, Deserialize)]
struct OwnTrigger {
    #[serde(flatten)]
    table: TableName,
    trigger: String,
}

impl Store<'_> {
    /// The statements that take tidegate's triggers, functions and tables away; each is to be run in a
    /// transaction of its own. The schema goes with them, unless somebody else keeps something there.
    pub async fn removal(&self, connection: &Connection) -> Result<Vec<String>> {
        let tables: Vec<&str> = RIGHTS.iter().map(|(name, _)| *name).collect();
        let sql = self.sql.render("postgres/belongings.sql", &[]);
        let params = [text(&self.schema), (&tables as _, Type::TEXT_ARRAY)];
        let found: Belongings =
            connection.document("looking for what is tidegate's", &sql, &params).await?;
        let mut steps: Vec<String> =
            found.triggers.iter().map(|own| self.drop_trigger(&own.trigger, &own.table)).collect();
        if !found.tables.is_empty() {
            steps.push(self.drop_own(&found));
        }
        Ok(steps)
    }

    fn drop_own(&self, found: &Belongings) -> String {
        let own = |names: &[String]| {
            list(names.iter().map(|name| format!("{}.{}", self.quoted, ident(name))), ", ")
        };
        let tables = own(&found.tables);
        let mut script = self.sql.render("postgres/drop_tables.sql", &[("tables", &tables)]);
        if !found.functions.is_empty() {
            let functions = own(&found.functions);
            let slots = [("functions", &*functions)];
            script += &self.sql.render("postgres/drop_functions.sql", &slots);
        }
        if found.nothing_else {
            script += &self.render("postgres/drop_schema.sql");
        }
        script
    }

    /// Runs the steps of a [removal](Store::removal), one after the other.
    ///
    /// # Errors
    /// At the first step that fails; what was done before stays done, and another call goes on.
    pub async fn remove(&self, connection: &Connection, steps: &[String]) -> Result<()> {
        let doing = "removing what is tidegate's";
        let begin = self.sql.render("postgres/drop_begin.sql", &[]);
        for step in steps {
            let outcome = connection.batch(doing, &format!("{begin}{step}commit;\n")).await;
            if let Err(e) = outcome {
                connection.batch(doing, "rollback").await?;
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
        Ok(())
    }
}
