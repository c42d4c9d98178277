//! One table of one end that is a PostgreSQL, as one snapshot has it.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::db::postgres::statement::text;
use crate::db::postgres::{Connection, Database};
use crate::error::{Error, Kind, Result};
use crate::model::TablePlan;
use crate::source::postgres::{Inventory, key};
use crate::source::{Age, Keyed};
use crate::sql::{Sql, column, table};

use super::tally::Digest;

/// The other end is asked meanwhile, which may take as long as one statement.
const IDLE: Duration = Duration::from_secs(60);

/// A transaction that only reads. Dropped before its end, it throws its connection away.
pub(super) struct Snapshot<'s> {
    connection: Option<Connection>,
    sql: &'s Sql,
    doing: String,
}

/// The cloud's table, in the words of [`Inventory`].
pub(super) fn of_cloud(plan: &TablePlan) -> Inventory {
    let value = |name: &str| column("t", name);
    Inventory {
        table: format!("{} t", table(&plan.target)),
        key: key(plan, |c| value(&c.target)),
        owner: format!("{}::text", value(&plan.owner_column().target)),
        age: "'read'".to_owned(),
        settings: Vec::new(),
    }
}

impl<'s> Snapshot<'s> {
    /// Begins one for `plan`'s table; none of its statements takes longer than `timeout`.
    pub(super) async fn take(
        database: &Database,
        plan: &TablePlan,
        timeout: Duration,
        sql: &'s Sql,
    ) -> Result<Self> {
        let connection = database.connection().await?;
        let doing = format!("verifying {}", plan.label());
        let snapshot = Self { connection: Some(connection), sql, doing };
        let begin = sql.render("postgres/snapshot.sql", &[("snapshot", "")]);
        snapshot.connection()?.batch(&snapshot.doing, &begin).await?;
        let bounds = [
            ("statement_timeout", format!("{}ms", timeout.as_millis())),
            ("idle_in_transaction_session_timeout", format!("{}ms", (timeout + IDLE).as_millis())),
            // Interrupted, we don't leave a statement behind that nobody waits for.
            ("client_connection_check_interval", "2s".to_owned()),
        ];
        snapshot.bind(&bounds).await?;
        Ok(snapshot)
    }

    /// Sets settings until the end.
    pub(super) async fn bind(&self, settings: &[(&'static str, String)]) -> Result<()> {
        let (names, values): (Vec<&str>, Vec<&str>) =
            settings.iter().map(|(name, value)| (*name, &**value)).unzip();
        let bind = self.sql.render("postgres/bind.sql", &[]);
        let params = [(&names as _, Type::TEXT_ARRAY), (&values as _, Type::TEXT_ARRAY)];
        self.connection()?.rows(&self.doing, &bind, &params).await?;
        Ok(())
    }

    /// Rows of every owner; an empty owner stands for NULL.
    pub(super) async fn count(&self, of: &Inventory) -> Result<BTreeMap<String, Digest>> {
        let slots = [("table", &*of.table), ("key", &*of.key), ("owner", &*of.owner)];
        let sql = self.sql.render("postgres/inventory_count.sql", &slots);
        let rows = self.connection()?.rows(&self.doing, &sql, &[]).await?;
        Ok(rows.iter().map(|row| (row.get("owner"), digest(row))).collect())
    }

    /// Rows of one owner, by bucket.
    pub(super) async fn buckets(
        &self,
        of: &Inventory,
        mark: &str,
    ) -> Result<BTreeMap<i32, Digest>> {
        let slots = [("table", &*of.table), ("key", &*of.key), ("owner", &*of.owner)];
        let sql = self.sql.render("postgres/inventory_buckets.sql", &slots);
        let rows = self.connection()?.rows(&self.doing, &sql, &[text(&mark)]).await?;
        Ok(rows.iter().map(|row| (row.get("bucket"), digest(row))).collect())
    }

    /// The rows of some buckets; those of one owner if `mark` names one.
    pub(super) async fn keys(
        &self,
        of: &Inventory,
        buckets: &[i32],
        mark: Option<&str>,
    ) -> Result<Vec<Keyed>> {
        let slots =
            [("table", &*of.table), ("key", &*of.key), ("owner", &*of.owner), ("age", &*of.age)];
        let sql = self.sql.render("postgres/inventory_keys.sql", &slots);
        let params = [(&buckets as _, Type::INT4_ARRAY), text(&mark)];
        let rows = self.connection()?.rows(&self.doing, &sql, &params).await?;
        let keyed = |row: &Row| Keyed {
            key: row.get("key"),
            owner: row.get("owner"),
            age: match row.get("age") {
                "newer" => Age::Newer,
                "unstamped" => Age::Unstamped,
                _ => Age::Read,
            },
        };
        Ok(rows.iter().map(keyed).collect())
    }

    /// The connection, in its transaction.
    pub(super) fn connection(&self) -> Result<&Connection> {
        self.connection.as_ref().ok_or_else(|| Error::new(Kind::Other, "the snapshot has ended"))
    }

    /// Gives the connection back.
    pub(super) async fn end(mut self) -> Result<()> {
        self.connection()?.batch(&self.doing, "commit").await?;
        drop(self.connection.take());
        Ok(())
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.discard();
        }
    }
}

fn digest(row: &Row) -> Digest {
    Digest { rows: row.get::<_, i64>("rows").unsigned_abs(), digest: row.get("digest") }
}
