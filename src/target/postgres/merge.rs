//! 4 MERGE: `ON CONFLICT`, guarded by owner.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::db::postgres::statement::text;
use crate::error::Result;
use crate::model::write_set::{Expected, Written};
use crate::model::{TablePlan, Tally};
use crate::sql::{column, digest, ident, literal, table};

use super::{PgTx, policy, render};

impl PgTx<'_> {
    /// Writes what is to be inserted and updated; what the merge returns is what is expected.
    pub(super) async fn write(&mut self, mut tally: Tally) -> Result<Expected> {
        if self.contests {
            self.keep_losers().await?;
        }
        let parked = if tally.updated > 0 { self.park().await? } else { BTreeMap::new() };
        let (mut tables, strangers) =
            if tally.written() > 0 { self.upsert().await? } else { (BTreeMap::new(), 0) };
        let written: u64 = tables.values().map(|w| w.inserted + w.updated).sum();
        if written < tally.written() {
            tally = self.judge_met().await?;
        }
        if self.overwrites {
            self.settle().await?;
        }
        for (oid, rows) in &parked {
            tables.entry(*oid).or_default().updated += rows;
        }
        Ok(Expected {
            tx: self.id,
            staged: self.staged,
            tally,
            tables,
            parked: parked.values().sum(),
            strangers,
            also_writes: self.plan.settings.also_writes.clone(),
            synced: self.plan.synced.clone(),
        })
    }

    /// Judges planned inserts that met a row in the merge: it was not there when they were classified.
    async fn judge_met(&mut self) -> Result<Tally> {
        let sql = self.judging("postgres/met.sql", []);
        self.connection()?.run(self.doing("merging"), &sql, &self.judged_by()).await?;
        self.count_verdicts().await
    }

    /// What was written, table by table, and how much of it is not whose it was said to be.
    async fn upsert(&self) -> Result<(BTreeMap<u32, Written>, u64)> {
        let plan = self.plan;
        let (kept, remembered) = self.remembered();
        let (sent_owner, wanted_owner) = match plan.policy.writes_others() {
            true => (
                format!("excluded.{}::text", ident(&plan.owner_column().target)),
                render::staged_owner(plan),
            ),
            false => ("$1".to_owned(), "$1".to_owned()),
        };
        let sql = self.target.sql.render(
            "postgres/merge.sql",
            &[
                ("target", &table(&plan.target)),
                ("columns", &render::columns(plan)),
                ("overriding", render::overriding(plan)),
                ("values", &render::values(plan)),
                ("order", &render::key_numbers(plan, "v")),
                ("key", &render::bare_key(plan)),
                ("assignments", &render::assignments(plan)),
                ("held_owner", &render::held_owner(plan)),
                ("sent_owner", &sent_owner),
                ("wanted_owner", &wanted_owner),
                ("held_key", &render::key(plan, "t")),
                ("pinned_key", &render::key_numbers(plan, "u")),
                ("written_key", &render::named_key(plan, |c| column("t", &c.target))),
                ("same_written", &same_written(plan)),
                ("kept", &kept),
                ("remembered", &remembered),
            ],
        );
        let marks = [text(&plan.owner.writer)];
        let rows = self.connection()?.rows(self.doing("merging"), &sql, &marks).await?;
        let count = |row: &Row, name: &str| row.get::<_, i64>(name).unsigned_abs();
        let written = |row: &Row| {
            let oid = u32::try_from(row.get::<_, i64>("oid")).unwrap_or_default();
            let (inserted, updated) = (count(row, "inserted"), count(row, "updated"));
            (oid, Written { inserted, updated, deleted: 0 })
        };
        let strangers = rows.iter().map(|row| count(row, "strangers")).sum();
        Ok((rows.iter().map(written).collect(), strangers))
    }

    /// Where triggers may make something else of a row: what they made of it, and how that is
    /// remembered.
    fn remembered(&self) -> (String, String) {
        let plan = self.plan;
        if !plan.target_remakes {
            return (String::new(), String::new());
        }
        let remembered = self.target.sql.render(
            "postgres/remember.sql",
            &[
                ("store", self.target.store.quoted()),
                ("label", &literal(&plan.label())),
                ("key_json", &render::key_json(plan)),
                ("sent", &policy::staged_digest(plan)),
                ("same_written", &same_written(plan)),
            ],
        );
        (format!(", {} as kept", digest::of_target(plan, "t")), remembered)
    }

    /// Keeps the versions that lose, before they are written over.
    async fn keep_losers(&self) -> Result<()> {
        let plan = self.plan;
        let sql = self.target.sql.render(
            "postgres/trash.sql",
            &[
                ("store", self.target.store.quoted()),
                ("label", &literal(&plan.label())),
                ("key_json", &render::key_json(plan)),
                ("target", &table(&plan.target)),
                ("target_json", &render::target_json(plan)),
                ("staged_json", &render::staged_json(plan)),
                ("same_row", &render::target_is_staged(plan)),
                ("contested", &policy::is_contested(plan)),
            ],
        );
        let doing = || self.doing("keeping what loses of");
        let connection = self.connection()?;
        let output = self.target.sql.render("postgres/present_output.sql", &[]);
        connection.batch(doing(), &output).await?;
        let direction = plan.direction.word();
        let params = [(&self.target.run_id as _, Type::UUID), text(&direction)];
        connection.run(doing(), &sql, &params).await?;
        self.restore_output().await
    }

    /// Notes that changes of users which were pending are written over.
    async fn settle(&self) -> Result<()> {
        let sql = self.target.sql.render(
            "postgres/overwrite.sql",
            &[
                ("store", self.target.store.quoted()),
                ("label", &literal(&self.plan.label())),
                ("key_json", &render::key_json(self.plan)),
            ],
        );
        self.connection()?.run(self.doing("merging"), &sql, &[]).await?;
        Ok(())
    }
}

/// That a verdict is about a written row.
fn same_written(plan: &TablePlan) -> String {
    render::same_key(plan, "v", |i, _| format!("m.k{}", i + 1))
}
