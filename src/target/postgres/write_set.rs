//! What the transaction has really written: the difference of two readings of the server's
//! counters, cascades and triggers included.

use crate::db::postgres::statement::text;
use crate::error::{Error, Kind, Result};
use crate::model::TableName;
use crate::model::write_set::{TableWrites, WriteSet, Written};
use crate::sql::{literal, table};

use super::{PgTx, render};

/// Fires every deferred trigger. More than once, because one may defer again what it sets off.
const FIRE: &str = "set constraints all immediate; set constraints all immediate; \
                    set constraints all immediate";

/// One reading of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counter {
    oid: u32,
    table: TableName,
    root: TableName,
    file: Option<i64>,
    written: Written,
}

impl PgTx<'_> {
    /// Reads the counters as they are now.
    pub(super) async fn counters(&self) -> Result<Vec<Counter>> {
        let own_schema = literal(self.target.store.schema());
        let sql = self.target.sql.render("postgres/baseline.sql", &[("own_schema", &own_schema)]);
        let rows = self.connection()?.rows(self.doing("checking"), &sql, &[]).await?;
        Ok(rows.iter().map(counter).collect())
    }

    /// What has changed since the baseline, after every deferred trigger has fired.
    pub(super) async fn measure(&self) -> Result<WriteSet> {
        let connection = self.connection()?;
        connection.batch(self.doing("checking"), FIRE).await?;
        let now = self.counters().await?;
        self.refuse_without_baseline(&now)?;
        let mut tables: Vec<_> = now.iter().filter_map(|now| self.changes(now)).collect();
        let is_there = |before: &&Counter| now.iter().any(|now| now.oid == before.oid);
        tables.extend(self.baseline.iter().filter(|before| !is_there(before)).map(dropped));
        let foreign_rows = self.changed_foreign_rows().await?;
        Ok(WriteSet { tx: self.id, tables, foreign_rows, locked: Vec::new() })
    }

    /// Without it a TRUNCATE would go unseen, and what the session wrote before would count.
    fn refuse_without_baseline(&self, now: &[Counter]) -> Result<()> {
        match self.baseline.is_empty() && !now.is_empty() {
            true => Err(Error::new(Kind::Verification, "the write set has no baseline")),
            false => Ok(()),
        }
    }

    /// A table that isn't in the baseline counts from nothing.
    fn changes(&self, now: &Counter) -> Option<TableWrites> {
        let before = self.baseline.iter().find(|c| c.oid == now.oid);
        let base = before.map(|c| c.written).unwrap_or_default();
        let written = Written {
            inserted: now.written.inserted.abs_diff(base.inserted),
            updated: now.written.updated.abs_diff(base.updated),
            deleted: now.written.deleted.abs_diff(base.deleted),
        };
        let rewritten = before.is_some_and(|c| c.file != now.file);
        let changed = rewritten || written != Written::default();
        changed.then(|| TableWrites {
            oid: now.oid,
            table: now.table.clone(),
            root: now.root.clone(),
            written,
            rewritten,
        })
    }

    /// Rows of another owner under the staged keys that this transaction has changed.
    async fn changed_foreign_rows(&self) -> Result<u64> {
        if !self.holds_foreign_rows {
            return Ok(0);
        }
        let plan = self.plan;
        let not_ours = match plan.policy.writes_others() {
            true => "v.verdict not in ('insert', 'update')",
            false => "true",
        };
        let sql = self.target.sql.render(
            "postgres/foreign_rows.sql",
            &[
                ("target", &table(&plan.target)),
                ("same_row", &render::verdict_is_target(plan)),
                ("not_ours", not_ours),
            ],
        );
        let marks = [text(&plan.owner.writer)];
        let changed: i64 = self.connection()?.value(self.doing("checking"), &sql, &marks).await?;
        Ok(changed.unsigned_abs())
    }
}

/// A table that was there at the beginning and is no more.
fn dropped(before: &Counter) -> TableWrites {
    TableWrites {
        oid: before.oid,
        table: before.table.clone(),
        root: before.root.clone(),
        written: Written::default(),
        rewritten: true,
    }
}

fn counter(row: &tokio_postgres::Row) -> Counter {
    let count = |name: &str| row.get::<_, i64>(name).unsigned_abs();
    let name = |schema: &str, table: &str| {
        TableName::new(row.get::<_, String>(schema), row.get::<_, String>(table))
    };
    Counter {
        oid: u32::try_from(row.get::<_, i64>("oid")).unwrap_or_default(),
        table: name("schema_name", "table_name"),
        root: name("root_schema", "root_name"),
        file: row.get("file"),
        written: Written {
            inserted: count("inserted"),
            updated: count("updated"),
            deleted: count("deleted"),
        },
    }
}
