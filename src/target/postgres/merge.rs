//! 4 MERGE: `ON CONFLICT`, guarded by owner.

use std::collections::BTreeMap;

use tokio_postgres::Row;

use crate::db::postgres::statement::text;
use crate::error::Result;
use crate::model::Tally;
use crate::model::plan::{Passing, Unique};
use crate::model::write_set::{Expected, Written};
use crate::sql::{column, ident, table};

use super::{PgTx, render};

impl PgTx<'_> {
    /// Writes what is to be inserted and updated; what the merge returns is what is expected.
    pub(super) async fn write(&mut self, mut tally: Tally) -> Result<Expected> {
        let parked = if tally.updated > 0 { self.park().await? } else { BTreeMap::new() };
        let (mut tables, strangers) =
            if tally.written() > 0 { self.upsert().await? } else { (BTreeMap::new(), 0) };
        let written: u64 = tables.values().map(|w| w.inserted + w.updated).sum();
        if written < tally.written() {
            tally = self.judge_met().await?;
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
        let plan = self.plan;
        let sql = self.target.sql.render(
            "postgres/met.sql",
            &[
                ("held_owner", &render::held_owner(plan)),
                ("verdict", &render::verdict(plan)),
                ("target", &table(&plan.target)),
                ("same_row", &render::target_is_staged(plan)),
            ],
        );
        let marks = [text(&plan.owner.writer), text(&plan.owner.other)];
        self.connection()?.run(self.doing("merging"), &sql, &marks).await?;
        self.count_verdicts().await
    }

    /// That the target's row is later than what is written. Not one that is pinned: it was judged
    /// already, and where it was parked the target's triggers may have stamped it since.
    fn held_is_later(&self) -> String {
        let later = render::later(self.plan, "t", |name| format!("excluded.{}", ident(name)));
        let may_park = |u: &Unique| matches!(u.passing, Passing::Parked(..));
        match self.plan.target_sets_stamp && self.plan.uniques.iter().any(may_park) {
            true => format!(
                "({later} and not exists (select from pg_temp.tidegate_verdict v \
                 where v.verdict = 'update' and {}))",
                render::verdict_is_target(self.plan)
            ),
            false => later,
        }
    }

    /// What was written, table by table, and how much of it is not the writer's.
    async fn upsert(&self) -> Result<(BTreeMap<u32, Written>, u64)> {
        let plan = self.plan;
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
                ("held_is_later", &self.held_is_later()),
                ("written_key", &render::named_key(plan, |c| column("t", &c.target))),
                ("same_written", &render::same_key(plan, "v", |i, _| format!("m.k{}", i + 1))),
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
}
