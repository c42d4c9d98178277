//! 6 COMMIT: the list of what was withheld, the position and the rows, together.

use serde_json::json;
use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::text;
use crate::error::Result;
use crate::model::{Account, Capture, Checkpoint, Direction, Horizon, Position, Reason, TablePlan};
use crate::sql::table;
use crate::target::ending::{Ending, Place};
use crate::target::outcome::{self, Mark, gone};

use super::{PgTarget, PgTx, policy, render};

impl PgTx<'_> {
    /// Writes everything that belongs to the rows, then ends the transaction.
    pub(super) async fn finish(
        mut self,
        checkpoint: &Checkpoint,
        so_far: &Account,
    ) -> Result<Position> {
        let present = self.target.sql.render("postgres/present_output.sql", &[]);
        self.connection()?.batch(self.doing("committing"), &present).await?;
        let noted = self.note_withheld(checkpoint).await?;
        if noted > 0 || so_far.tally.written() > 0 {
            let (store, run_id) = (self.target.store, self.target.run_id);
            store.record_run(self.connection()?, run_id, self.plan, so_far).await?;
        }
        let at = self.move_position(checkpoint).await?;
        self.keep_samples();
        fail::fail_point!("before_commit", |_| std::process::abort());
        let (target, plan) = (self.target, self.plan);
        let connection = self.connection.take().ok_or_else(gone)?;
        match &target.ending {
            Ending::Rehearse { .. } => target.ending.put(Place::Between(Box::new(connection))),
            Ending::Commit => commit(target, plan, connection, &at).await?,
        }
        Ok(at)
    }

    /// Lists what was withheld; what has arrived leaves the list. Gives the number of new entries.
    async fn note_withheld(&self, checkpoint: &Checkpoint) -> Result<u64> {
        let plan = self.plan;
        let (label, direction) = (plan.label(), plan.direction.word());
        let (row, met) = match self.set_aside {
            // What refused it is the table as it is defined now.
            Some((Reason::BadValue | Reason::Unique, _)) => {
                let definition = self.target.store.definition(plan);
                (
                    render::raw_json(plan),
                    format!("select {definition} as version, null::jsonb as row"),
                )
            }
            _ => (render::staged_json(plan), self.row_met()),
        };
        let common = [
            ("store", self.target.store.quoted()),
            ("key_json", &render::key_json(plan)),
            ("row", &row),
            ("met", &met),
            ("contested", &policy::is_contested(plan)),
        ];
        let of_table = [text(&label), text(&direction)];
        if self.has_withheld {
            let sql = self.target.sql.render("postgres/release.sql", &common);
            self.connection()?.run(self.doing("committing"), &sql, &of_table).await?;
        }
        if !self.withholds && !self.detaches {
            return Ok(0);
        }
        if self.contests && plan.direction == Direction::Forward && self.set_aside.is_none() {
            let staged = render::staged_json(plan);
            let slots = [&common[..2], &common[4..], &[("staged_json", &staged)]].concat();
            let sql = self.target.sql.render("postgres/queue.sql", &slots);
            self.connection()?.run(self.doing("committing"), &sql, &of_table).await?;
        }
        let bases = policy::kept_bases(plan);
        let slots = [&common[..], &[("bases", &bases)]].concat();
        let sql = self.target.sql.render("postgres/withhold.sql", &slots);
        let [label, direction] = of_table;
        let asked_for = *checkpoint == Checkpoint::Stay;
        let run_id = (&self.target.run_id as _, Type::UUID);
        let detail = self.set_aside.as_ref().map(|(_, detail)| detail);
        let since = self.since();
        let asked_for = (&asked_for as _, Type::BOOL);
        let of_run = [label, direction, run_id, asked_for, text(&detail), text(&since)];
        self.connection()?.run(self.doing("committing"), &sql, &of_run).await
    }

    /// Where the table stood before this batch, from where on changes of what is withheld are
    /// pending.
    fn since(&self) -> Option<String> {
        let after = |after: &String| serde_json::from_str::<serde_json::Value>(after).ok();
        let since = || {
            let after = self.at.after.as_ref().and_then(after);
            json!({ "watermark": self.at.watermark, "after": after }).to_string()
        };
        (self.plan.capture == Capture::Log).then(since)
    }

    /// The target's row under a staged key.
    fn row_met(&self) -> String {
        let plan = self.plan;
        self.target.sql.render(
            "postgres/row_met.sql",
            &[
                ("target", &table(&plan.target)),
                ("target_json", &render::target_json(plan)),
                ("same_row", &render::target_is_staged(plan)),
            ],
        )
    }

    async fn move_position(&self, checkpoint: &Checkpoint) -> Result<Position> {
        let (word, horizon) = match checkpoint {
            Checkpoint::End(Horizon(horizon)) => ("end", horizon.as_deref()),
            Checkpoint::LastRow(Horizon(horizon)) => ("last_row", horizon.as_deref()),
            Checkpoint::Stay => ("stay", None),
        };
        let plan = self.plan;
        let key = render::key_json(plan);
        let slots = [("store", self.target.store.quoted()), ("key_json", &*key)];
        let (name, slots) = match plan.capture {
            Capture::Timestamp => ("postgres/move_position.sql", &slots[..]),
            Capture::Rowversion | Capture::DesktopLog => {
                ("postgres/move_position_rowversion.sql", &slots[..1])
            }
            Capture::Log => ("postgres/move_position_log.sql", &slots[..1]),
        };
        let sql = self.target.sql.render(name, slots);
        let (label, direction) = (plan.label(), plan.direction.word());
        let params = [
            text(&label),
            text(&direction),
            (&self.at.generation as _, Type::INT8),
            (&self.target.run_id as _, Type::UUID),
            text(&horizon),
            text(&self.target.source_identity),
            text(&word),
        ];
        let rows = self.connection()?.rows(self.doing("committing"), &sql, &params).await?;
        let row = rows.first().ok_or_else(|| self.moved())?;
        let in_future: i64 = row.get("stamped_in_future");
        if in_future > 0 {
            tracing::warn!(
                table = label,
                rows = in_future,
                "{label}: {in_future} rows are stamped in the future; every run reads them again"
            );
        }
        Ok(Position { watermark: row.get(0), after: row.get(1), generation: row.get(2) })
    }
}

/// Commits. If the answer is lost, the database is asked what became of it.
async fn commit(
    target: &PgTarget<'_>,
    plan: &TablePlan,
    connection: Connection,
    at: &Position,
) -> Result<()> {
    let label = plan.label();
    let Err(e) = connection.batch(format_args!("committing {label}"), "commit").await else {
        return Ok(());
    };
    connection.discard();
    let ours = (at.generation, Some(target.run_id));
    outcome::of_commit(&label, e, ours, async || mark(target, plan).await).await
}

/// The mark that our position carries now.
async fn mark(target: &PgTarget<'_>, plan: &TablePlan) -> Result<Mark> {
    let slots = [("store", target.store.quoted())];
    let sql = target.sql.render("postgres/read_back.sql", &slots);
    let (label, direction) = (plan.label(), plan.direction.word());
    let connection = target.database.connection().await?;
    let params = [text(&label), text(&direction)];
    let rows = connection.rows("reading the outcome of COMMIT back", &sql, &params).await?;
    Ok(rows.first().map_or((0, None), |row| (row.get(0), row.get(1))))
}
