//! Unique values: rows that can't have theirs are found for the whole batch, and rows that pass one on
//! to each other are parked.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::model::TablePlan;
use crate::model::plan::{ColumnPlan, FreeValue, Passing, Unique};
use crate::sql::{column, ident, list, table};

use super::{PgTx, render};

/// The digits of an MD5 sum.
const MD5_LENGTH: u32 = 32;

impl PgTx<'_> {
    /// Withholds rows whose unique value another row has and keeps; gives how many.
    pub(super) async fn withhold_taken(&self) -> Result<u64> {
        let plan = self.plan;
        let mut withheld = 0;
        for unique in &plan.uniques {
            let key = |c: &ColumnPlan| column("t", &c.target);
            let has = |(i, c): (usize, &ColumnPlan)| format!("{} = w.u{}", key(c), i + 1);
            let sql = self.target.sql.render(
                "postgres/unique.sql",
                &[
                    ("staged_key", &render::named_key(plan, render::staged)),
                    ("staged_values", &numbered(plan, unique, render::staged)),
                    ("staged", &values(plan, unique, render::staged)),
                    ("staged_is_set", &each(plan, unique, |c| render::staged(c) + " is not null")),
                    ("target", &table(&plan.target)),
                    ("same_row", &render::target_is_staged(plan)),
                    ("held", &values(plan, unique, key)),
                    ("may_pass", if unique.passing == Passing::No { "false" } else { "true" }),
                    ("has_wanted", &list(of(plan, unique).enumerate().map(has), " and ")),
                    ("is_wanting", &render::same_key(plan, "w", |_, c| key(c))),
                    ("gives_up", &render::same_key(plan, "g", |_, c| key(c))),
                ],
            );
            withheld += self.connection()?.run(self.doing("classifying"), &sql, &[]).await?;
        }
        Ok(withheld)
    }

    /// Parks rows whose unique value another row of the batch gets; gives how many, by table.
    pub(super) async fn park(&self) -> Result<BTreeMap<u32, u64>> {
        let plan = self.plan;
        let mut parked = BTreeMap::new();
        for unique in &plan.uniques {
            let Passing::Parked(parking, free) = unique.passing else { continue };
            let held = |c: &ColumnPlan| column("t", &c.target);
            let other = |c: &ColumnPlan| render::staged_as("o", c);
            let is_others = |c: &ColumnPlan| format!("{} = {}", held(c), other(c));
            let sql = self.target.sql.render(
                "postgres/park.sql",
                &[
                    ("target", &table(&plan.target)),
                    ("column", &ident(&plan.columns[parking].target)),
                    ("free", &free_value(plan, &plan.columns[parking], free)),
                    ("same_row", &render::target_is_staged(plan)),
                    ("held_owner", &render::held_owner(plan)),
                    ("staged_owner", &render::staged_owner(plan)),
                    ("held", &values(plan, unique, held)),
                    ("staged", &values(plan, unique, render::staged)),
                    ("other_wants", &each(plan, unique, is_others)),
                    ("other_is_row", &list(plan.key_columns().map(is_others), " and ")),
                ],
            );
            for row in self.connection()?.rows(self.doing("parking"), &sql, &[]).await? {
                let oid = u32::try_from(row.get::<_, i64>("oid")).unwrap_or_default();
                *parked.entry(oid).or_default() += row.get::<_, i64>("rows").unsigned_abs();
            }
        }
        Ok(parked)
    }
}

/// The columns of a unique index.
fn of<'p>(plan: &'p TablePlan, unique: &'p Unique) -> impl Iterator<Item = &'p ColumnPlan> {
    unique.columns.iter().map(|&i| &plan.columns[i])
}

fn values(plan: &TablePlan, unique: &Unique, value: impl Fn(&ColumnPlan) -> String) -> String {
    list(of(plan, unique).map(value), ", ")
}

fn each(plan: &TablePlan, unique: &Unique, condition: impl Fn(&ColumnPlan) -> String) -> String {
    list(of(plan, unique).map(condition), " and ")
}

/// The values as `u1`, `u2` …
fn numbered(plan: &TablePlan, unique: &Unique, value: impl Fn(&ColumnPlan) -> String) -> String {
    let named = |(i, c): (usize, &ColumnPlan)| format!("{} as u{}", value(c), i + 1);
    list(of(plan, unique).enumerate().map(named), ", ")
}

/// A value for `c` that no row of the target has.
fn free_value(plan: &TablePlan, c: &ColumnPlan, free: FreeValue) -> String {
    match free {
        FreeValue::Null => "null".to_owned(),
        FreeValue::Number => format!(
            "(select greatest(max(f.{}), 0) from {} f) + s._tidegate_number",
            ident(&c.target),
            table(&plan.target)
        ),
        FreeValue::Text(length) => {
            format!("left(md5(gen_random_uuid()::text), {})", length.min(MD5_LENGTH))
        }
        FreeValue::Uuid => "gen_random_uuid()".to_owned(),
    }
}
