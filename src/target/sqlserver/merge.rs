//! 4 MERGE: update what was pinned, insert what is not there, then look at what became of it.

use std::collections::BTreeMap;

use tiberius::{ColumnData, Row};

use crate::db::sqlserver::sets;
use crate::db::sqlserver::statement::Param;
use crate::db::sqlserver::types::Value;
use crate::error::{Error, Kind, Result};
use crate::model::plan::ColumnPlan;
use crate::model::types::Refusal;
use crate::model::write_set::{Expected, Written};
use crate::model::{Reason, Verdict};
use crate::sql::{list, tsql};
use crate::store::sqlserver::{Image, Lost};

use super::SqlServerTx;
use super::rows::{Held, Layout, Staged};
use super::tables::{
    Deed, Line, Lookup, ROWS, Sheet, add, cell, fill, number, same_key, unwritable,
};
use crate::target::outcome::gone;

/// Whatever the collations say of it.
const TO_THE_LETTER: &str = "collate Latin1_General_BIN2";

impl SqlServerTx<'_> {
    /// Writes what is to be inserted and updated.
    pub(super) async fn write(&mut self) -> Result<Expected> {
        let mut strangers = 0;
        if self.rows.iter().any(|row| row.rule.is_some()) {
            self.keep_losers().await?;
        }
        if self.rows.iter().any(Staged::is_written) {
            self.stage_rows().await?;
            self.update_and_insert().await?;
            strangers = self.look_again().await?;
        }
        let tally = self.tally();
        let planned = Written { inserted: tally.inserted, updated: tally.updated, deleted: 0 };
        Ok(Expected {
            tx: self.id,
            staged: self.rows.len() as u64,
            tally,
            tables: BTreeMap::from([(self.number, planned)]),
            parked: 0,
            strangers,
            also_writes: self.plan.settings.also_writes.clone(),
            synced: self.plan.synced.clone(),
        })
    }

    /// A unique value that an update gives up is free for an insert after it; but where rows refer to
    /// others of their own table, those have to be there first.
    async fn update_and_insert(&mut self) -> Result<()> {
        let refers_to_itself = self.plan.parents.iter().any(|p| p.table == self.plan.target);
        match refers_to_itself {
            true => {
                self.insert().await?;
                self.update().await
            }
            false => {
                self.update().await?;
                self.insert().await
            }
        }
    }

    async fn stage_rows(&mut self) -> Result<()> {
        let (mut lines, mut large): (Vec<Line>, Vec<Line>) = (Vec::new(), Vec::new());
        for (number, row) in self.rows.iter().enumerate() {
            let deed = match row.verdict {
                Verdict::Insert => Deed::Insert,
                Verdict::Update => Deed::Update,
                _ => continue,
            };
            let Some(values) = row.written() else { continue };
            let is_large = values.iter().any(Value::is_beyond_bulk_load);
            let columns = values.into_iter().zip(&self.layout.codecs);
            let cells: Result<Vec<ColumnData<'static>>, Refusal> =
                columns.map(|(value, codec)| value.into_column_data(codec.of)).collect();
            let line = (number, deed, cells.map_err(unwritable)?);
            match is_large {
                true => large.push(line),
                false => lines.push(line),
            }
        }
        let (sql, doing) = (self.target.sql, self.doing("staging"));
        let connection = self.connection.as_mut().ok_or_else(gone)?;
        let sheet = Sheet::of_rows(&self.layout);
        fill(connection, sql, &doing, (&sheet, lines)).await?;
        for line in large {
            add(connection, sql, &doing, (&sheet, line)).await?;
        }
        Ok(())
    }

    async fn update(&mut self) -> Result<()> {
        if !self.rows.iter().any(|row| row.verdict == Verdict::Update) {
            return Ok(());
        }
        let sql = self.target.sql.render(
            "sqlserver/update.sql",
            &[
                ("assignments", &self.assignments()),
                ("target", &tsql::table(&self.plan.target)),
                ("same_row", &same_key(&self.layout)),
                ("same_owner", &self.same_owner()),
                ("which", self.which()),
            ],
        );
        self.merged.updated = self.count_written(&sql, Verdict::Update).await?;
        Ok(())
    }

    /// The update's assignments. A table of nothing that can be set is set to what it is.
    fn assignments(&self) -> String {
        let plan = self.plan;
        let set =
            |(i, c): (usize, &ColumnPlan)| format!("{} = k.c{}", tsql::ident(&c.target), i + 1);
        let is_settable = |name: &str| plan.settable().any(|c| c.target == name);
        let numbered = plan.columns.iter().enumerate();
        let settable = numbered.filter(|(_, c)| is_settable(&c.target));
        match list(settable.map(set), ", ") {
            none if none.is_empty() => {
                let key = tsql::ident(&plan.columns[plan.key[0]].target);
                format!("{key} = t.{key}")
            }
            assignments => assignments,
        }
    }

    /// That the row that is there says the same owner as the staged one.
    fn same_owner(&self) -> String {
        let (plan, i) = (self.plan, self.plan.owner.column);
        let of = self.layout.codecs[i].of;
        let (held, staged) = (tsql::column("t", &plan.columns[i].target), cell(i, of));
        match of.is_text() {
            true => format!("{held} {TO_THE_LETTER} = {staged} {TO_THE_LETTER}"),
            false => format!("{held} = {staged}"),
        }
    }

    /// Inserts what is still not there. A row that is by now is tried again.
    async fn insert(&mut self) -> Result<()> {
        if !self.rows.iter().any(|row| row.verdict == Verdict::Insert) {
            return Ok(());
        }
        let (sql, plan) = (self.target.sql, self.plan);
        let target = tsql::table(&plan.target);
        let same_row = same_key(&self.layout);
        let slots = [("target", &*target), ("same_row", &*same_row)];
        let met = sql.render("sqlserver/met.sql", &slots);
        let doing = self.doing("merging");
        for row in self.last_set(&doing, &met, &[]).await? {
            if let Some(row) = self.rows.get_mut(number(row.into_iter().next())) {
                row.verdict = Verdict::Withheld(Reason::Busy);
            }
        }
        if !self.rows.iter().any(|row| row.verdict == Verdict::Insert) {
            return Ok(());
        }
        let is_identity = plan.columns.iter().any(|c| c.identity_always);
        let identity = |switch: &str| match is_identity {
            true => format!("set identity_insert {target} {switch};"),
            false => String::new(),
        };
        let cells = |columns: &mut dyn Iterator<Item = usize>| {
            list(columns.map(|i| format!("k.c{}", i + 1)), ", ")
        };
        let insert = sql.render(
            "sqlserver/insert.sql",
            &[
                ("identity_on", &identity("on")),
                ("identity_off", &identity("off")),
                ("target", &target),
                ("columns", &list(plan.columns.iter().map(|c| tsql::ident(&c.target)), ", ")),
                ("values", &cells(&mut (0..plan.columns.len()))),
                ("order", &cells(&mut plan.key.iter().copied())),
                ("which", self.which()),
            ],
        );
        self.merged.inserted = self.count_written(&insert, Verdict::Insert).await?;
        Ok(())
    }

    /// Which rows one statement writes. A trigger fires once for all of them, and many are made for one
    /// row: a desktop's own program writes them one by one.
    fn which(&self) -> &'static str {
        match self.plan.target_has_triggers {
            true => "k.n = @P1",
            false => "1 = 1",
        }
    }

    /// Runs a statement, once or for each of the rows with `verdict`; gives how many rows it wrote.
    async fn count_written(&mut self, sql: &str, verdict: Verdict) -> Result<u64> {
        if !self.plan.target_has_triggers {
            return self.written(sql, &[]).await;
        }
        let mut written = 0;
        for number in self.numbers(|row| row.verdict == verdict) {
            let number = i32::try_from(number).unwrap_or(i32::MAX);
            written += self.written(sql, &[&number]).await?;
        }
        Ok(written)
    }

    /// Runs a statement that says last how many rows it wrote: triggers may have answers of their own.
    async fn written(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        let doing = self.doing("merging");
        let rows = self.last_set(&doing, sql, params).await?;
        let row = rows.first().ok_or_else(|| {
            Error::new(Kind::Other, format!("{doing}: the desktop did not say what it wrote"))
        })?;
        Ok(sets::get::<i64>(row, "written")?.unsigned_abs())
    }

    async fn last_set(&mut self, doing: &str, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        let sets = self.connection()?.result_sets(doing, sql, params).await?;
        Ok(sets.into_iter().next_back().unwrap_or_default())
    }

    /// Reads back what was written, and remembers what the desktop, or its triggers, made of it. Gives
    /// the number of rows that say another owner than they were sent with.
    async fn look_again(&mut self) -> Result<u64> {
        let doing = self.doing("looking at what was written to");
        let connection = self.connection.as_mut().ok_or_else(gone)?;
        let lookup = Lookup { stage: ROWS, same_row: &same_key(&self.layout), lock: "" };
        let found = self.layout.look_up(connection, self.target.sql, &doing, lookup).await?;
        let found: BTreeMap<usize, Held> = found.into_iter().collect();
        let (mut strangers, mut images) = (0, Vec::new());
        for (number, row) in self.rows.iter().enumerate().filter(|(_, row)| row.is_written()) {
            let Some(now) = found.get(&number) else {
                self.merged.deleted += 1;
                continue;
            };
            if self.plan.target_has_triggers && is_undone(&self.layout, row, now) {
                return Err(undone(&self.label));
            }
            let owner = |fields| self.layout.words(fields, self.plan.owner.column);
            let sent = row.wanted.as_ref().ok().and_then(|wanted| owner(wanted.fields()));
            strangers += u64::from(owner(now.fields()) != sent);
            if now.digest != row.digest {
                let image = Image { sent: row.digest.clone(), kept: now.digest.clone() };
                images.push((row.key.clone(), image));
            }
        }
        if !images.is_empty() {
            self.target.store.remember(connection, &self.label, &images).await?;
        }
        Ok(strangers)
    }

    /// Keeps the versions that lose, before they are written over; and those that lose against what is
    /// there, because nothing else would ever look at them again.
    async fn keep_losers(&mut self) -> Result<()> {
        let lost = |row: &Staged| {
            let rule = self.plan.policy.rule(row.rule?)?;
            let held = self.layout.json(row.held.as_ref().filter(|_| rule.contested)?.fields());
            let (staged, key) = (self.layout.json(row.fields()), row.key.clone());
            let (reason, row, winner) = match row.verdict {
                Verdict::Update => ("lost_to_mobile", held, staged),
                Verdict::Withheld(Reason::Stale) => ("lost_to_desktop", staged, held),
                _ => return None,
            };
            Some(Lost { key, reason, row, winner: Some(winner) })
        };
        let lost: Vec<Lost> = self.rows.iter().filter_map(lost).collect();
        if lost.is_empty() {
            return Ok(());
        }
        let of = self.target.of_run(self.plan, &self.label);
        let connection = self.connection.as_mut().ok_or_else(gone)?;
        self.target.store.keep_losers(connection, &of, &lost).await
    }
}

/// Whether an update has left the row as it was.
fn is_undone(layout: &Layout<'_>, row: &Staged, now: &Held) -> bool {
    let (Ok(wanted), Some(before)) = (&row.wanted, &row.held) else { return false };
    row.verdict == Verdict::Update
        && now.fields() == before.fields()
        && !layout.same_row(wanted, before)
}

/// The error that a row was updated and is what it was: taken for what triggers made of it, the edit
/// would be on no list.
fn undone(label: &str) -> Error {
    Error::new(Kind::BadValue, format!("{label}: a trigger of the desktop takes the update back"))
}
