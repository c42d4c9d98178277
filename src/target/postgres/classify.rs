//! 3 CLASSIFY: decide without locks, pin what is to be written, decide again.

use tokio_postgres::types::Type;

use crate::db::postgres::statement::{Param, text};
use crate::error::{Error, Kind, Result};
use crate::model::plan::Cycles;
use crate::model::{Tally, Verdict};
use crate::sql::{column, list, table};

use super::{PgTx, policy, render};

const ANALYZE: &str = "analyze pg_temp.tidegate_verdict (verdict)";

impl PgTx<'_> {
    /// The verdict of every staged row.
    pub(super) async fn decide(&mut self, cycles: Cycles) -> Result<Tally> {
        self.first_look().await?;
        let first = self.count_verdicts().await?;
        let (parents, uniques) = (!self.plan.parents.is_empty(), !self.plan.uniques.is_empty());
        if first.written() == 0 || first.updated == 0 && !parents && !uniques {
            return Ok(first);
        }
        if first.updated > 0 {
            self.pin().await?;
            self.second_look().await?;
        }
        if parents && cycles == Cycles::Break {
            self.detaches = true;
            self.detach().await?;
        }
        self.withhold_hopeless().await?;
        self.count_verdicts().await
    }

    /// Withholds rows that could not be written. Each that keeps its old values may take the last
    /// hope from others.
    async fn withhold_hopeless(&self) -> Result<()> {
        loop {
            self.withhold_orphans().await?;
            if self.withhold_taken().await? == 0 {
                return Ok(());
            }
        }
    }

    async fn first_look(&self) -> Result<()> {
        let plan = self.plan;
        let key = ("staged_key", render::named_key(plan, render::staged));
        let sql = self.judging("postgres/classify.sql", [key]);
        let connection = self.connection()?;
        connection.run(self.doing("classifying"), &sql, &self.judged_by()).await?;
        // Without statistics the planner takes 1 % of the rows for any verdict, and loops.
        connection.batch(self.doing("classifying"), ANALYZE).await
    }

    /// Locks the rows to be updated. Where a unique column changes, PostgreSQL will take the
    /// stronger lock, so it is asked for here, where nobody waits for it.
    async fn pin(&self) -> Result<()> {
        let plan = self.plan;
        let sql = self.target.sql;
        let key = render::key_numbers(plan, "v");
        let make = sql.render("postgres/pinned.sql", &[("key", &key)]);
        self.connection()?.batch(self.doing("pinning"), &make).await?;
        let changes = |i: &usize| {
            let c = &plan.columns[*i];
            format!("{} is distinct from {}", column("t", &c.target), render::staged(c))
        };
        let unique_changes = list(plan.unique_columns.iter().map(changes), " or ");
        match unique_changes.is_empty() {
            true => self.pin_rows("no key update", "true").await,
            false => {
                self.pin_rows("update", &format!("({unique_changes})")).await?;
                self.pin_rows("no key update", &format!("not ({unique_changes})")).await
            }
        }
    }

    async fn pin_rows(&self, strength: &str, which: &str) -> Result<()> {
        let plan = self.plan;
        let sql = self.target.sql.render(
            "postgres/pin.sql",
            &[
                ("held_key", &render::named_key(plan, |c| column("t", &c.target))),
                ("target", &table(&plan.target)),
                ("same_row", &render::verdict_is_target(plan)),
                ("which", which),
                ("order", &render::key(plan, "t")),
                ("strength", strength),
            ],
        );
        self.connection()?.run(self.doing("pinning"), &sql, &[]).await?;
        Ok(())
    }

    async fn second_look(&self) -> Result<()> {
        let plan = self.plan;
        let pinned = render::same_key(plan, "p", |_, c| column("t", &c.target));
        let sql = self.judging("postgres/classify_pinned.sql", [("same_pinned", pinned)]);
        let connection = self.connection()?;
        connection.run(self.doing("classifying"), &sql, &self.judged_by()).await?;
        Ok(())
    }

    /// The statement `name`, which judges rows by the policy; `more` are the slots of its own.
    pub(super) fn judging<const N: usize>(
        &self,
        name: &'static str,
        more: [(&'static str, String); N],
    ) -> String {
        let (plan, sql, store) = (self.plan, self.target.sql, self.target.store.quoted());
        let mut slots = vec![
            ("held_owner", render::held_owner(plan)),
            ("pending", policy::is_pending(plan).to_owned()),
            ("rule", policy::rule(plan, store)),
            ("verdicts", policy::verdicts(plan)),
            ("lookups", policy::lookups(sql, plan, store)),
            ("target", table(&plan.target)),
            ("same_row", render::target_is_staged(plan)),
        ];
        slots.extend(more);
        let slots: Vec<(&str, &str)> = slots.iter().map(|(name, text)| (*name, &**text)).collect();
        sql.render(name, &slots)
    }

    /// What a statement with the policy is bound to.
    pub(super) fn judged_by(&self) -> [Param<'_>; 5] {
        let (owner, known) = (&self.plan.owner, &self.known);
        [
            text(&owner.writer),
            text(&owner.other),
            text(&known.watermark),
            text(&known.after),
            (&known.held_back as _, Type::TEXT_ARRAY),
        ]
    }

    /// The sums, and what they say of the batch.
    pub(super) async fn count_verdicts(&mut self) -> Result<Tally> {
        let contested = policy::is_contested(self.plan);
        let slots = [("contested", &*contested)];
        let sql = self.target.sql.render("postgres/count_verdicts.sql", &slots);
        let marks = [text(&self.plan.owner.writer)];
        let rows = self.connection()?.rows(self.doing("classifying"), &sql, &marks).await?;
        let mut tally = Tally::default();
        self.holds_foreign_rows = false;
        (self.withholds, self.contests, self.overwrites) = (false, false, false);
        for row in &rows {
            let word: &str = row.get("verdict");
            let verdict = Verdict::from_word(word).ok_or_else(|| {
                Error::new(Kind::Verification, format!("a row was left without a verdict ({word})"))
            })?;
            self.withholds |= matches!(verdict, Verdict::Withheld(_));
            tally.add(verdict, row.get::<_, i64>("rows").unsigned_abs());
            self.holds_foreign_rows |= row.get::<_, i64>("foreign_rows") > 0;
            self.contests |= row.get::<_, i64>("contested") > 0;
            self.overwrites |= row.get::<_, i64>("overwrites") > 0;
        }
        Ok(tally)
    }
}
