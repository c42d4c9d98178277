//! 6 COMMIT: the list of what was withheld, the position and the rows, together.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::db::sqlserver::Connection;
use crate::error::Result;
use crate::model::plan::Note;
use crate::model::{
    Account, Capture, Checkpoint, LastRow, Position, Reached, Reason, TablePlan, Verdict,
};
use crate::store::sqlserver::{Occasion, WithheldEntry};
use crate::target::ending::{Ending, Place};
use crate::target::outcome::{self, Mark, gone};

use super::rows::Staged;
use super::{SqlServerTarget, SqlServerTx};

/// A stamp so many seconds ahead of our clock is of the future.
const AHEAD: f64 = 300.0;

impl SqlServerTx<'_> {
    /// Writes everything that belongs to the rows, then ends the transaction.
    pub(super) async fn finish(
        mut self,
        checkpoint: &Checkpoint,
        so_far: &Account,
    ) -> Result<Position> {
        let noted = self.note_withheld(checkpoint).await?;
        if noted > 0 || so_far.tally.written() > 0 {
            let of = self.target.of_run(self.plan, &self.label);
            let connection = self.connection.as_mut().ok_or_else(gone)?;
            self.target.store.record_run(connection, &of, so_far).await?;
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
    async fn note_withheld(&mut self, checkpoint: &Checkpoint) -> Result<u64> {
        let (store, plan) = (self.target.store, self.plan);
        if self.has_withheld {
            let connection = self.connection.as_mut().ok_or_else(gone)?;
            let arrived = self.rows.iter().filter(|row| row.arrives());
            let arrived: Vec<&str> = arrived.map(|row| row.key.as_str()).collect();
            store.release(connection, &self.label, plan.direction, &arrived).await?;
        }
        if self.rows.iter().all(Staged::arrives) {
            return Ok(0);
        }
        // What refused a row is the table as it is defined now.
        let definition = match self.rows.iter().any(|row| self.is_refused(row)) {
            true => Some(store.definition(self.connection()?, plan).await?),
            false => None,
        };
        let entries: Vec<WithheldEntry> =
            self.rows.iter().filter_map(|row| self.entry(row, definition.as_deref())).collect();
        let occasion = match checkpoint {
            Checkpoint::Stay => Occasion::AskedFor,
            Checkpoint::End(_) | Checkpoint::LastRow(_) => Occasion::InPassing,
        };
        let of = self.target.of_run(self.plan, &self.label);
        let connection = self.connection.as_mut().ok_or_else(gone)?;
        store.withhold(connection, &of, &entries, occasion).await
    }

    /// Whether the table itself refused the row, whatever it held. A unique value that is taken may be free the
    /// next time.
    fn is_refused(&self, row: &Staged) -> bool {
        match &self.set_aside {
            Some((reason, _)) => *reason == Reason::BadValue,
            None => row.wanted.is_err(),
        }
    }

    fn entry(&self, row: &Staged, definition: Option<&str>) -> Option<WithheldEntry> {
        let Verdict::Withheld(reason) = row.verdict else { return None };
        let met = row.held.as_ref().filter(|_| !self.is_refused(row));
        let refused = row.wanted.as_ref().err().map(|refused| refused.0.clone());
        let detail = self.set_aside.as_ref().map(|(_, detail)| detail.clone());
        let target_version = match self.is_refused(row) {
            true => definition.map(str::to_owned),
            false => met.map(|held| held.digest.clone()),
        };
        let rule = row.rule.and_then(|number| self.plan.policy.rule(number));
        Some(WithheldEntry {
            key: row.key.clone(),
            reason,
            detail: detail.or(refused),
            row: self.layout.json(row.fields()),
            target_row: met.map(|held| self.layout.json(held.fields())),
            target_version,
            since: self.since(row).filter(|_| reason != Reason::Stale),
            contested: rule.is_some_and(|rule| rule.contested),
        })
    }

    /// Where the table stood before this batch, from where on changes of what is withheld are
    /// pending, and what the row was before them.
    fn since(&self, row: &Staged) -> Option<String> {
        if self.plan.capture != Capture::Log {
            return None;
        }
        let after = |after: &String| serde_json::from_str::<Value>(after).ok();
        let after = self.at.after.as_ref().and_then(after);
        let mut since = json!({ "watermark": self.at.watermark, "after": after });
        if self.plan.has_note(Note::Bases) {
            since["bases"] = json!(row.notes.bases.as_deref().unwrap_or_default());
        }
        Some(since.to_string())
    }

    async fn move_position(&mut self, checkpoint: &Checkpoint) -> Result<Position> {
        self.tell_of_the_future();
        let reached = match (checkpoint, self.rows.last()) {
            (Checkpoint::End(horizon), _) => Reached::End(horizon.clone()),
            (Checkpoint::LastRow(horizon), Some(row)) => {
                Reached::Row(horizon.clone(), self.last_row(row))
            }
            (Checkpoint::LastRow(_), None) | (Checkpoint::Stay, _) => Reached::Nowhere,
        };
        let of = self.target.of_run(self.plan, &self.label);
        let connection = self.connection.as_mut().ok_or_else(gone)?;
        let from = (&self.claimed, self.plan.capture);
        let identity = &self.target.source_identity;
        self.target.store.move_position(connection, &of, from, &reached, identity).await
    }

    fn last_row(&self, row: &Staged) -> LastRow {
        let notes = &row.notes;
        match self.plan.capture {
            Capture::Timestamp => LastRow::Stamped(notes.stamp, row.key.clone()),
            Capture::Rowversion | Capture::DesktopLog => LastRow::Versioned(notes.version.clone()),
            Capture::Log => LastRow::Logged(notes.xid.zip(notes.seq)),
        }
    }

    fn tell_of_the_future(&self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let is_ahead = |row: &&Staged| row.notes.stamp.is_some_and(|s| s.unix() > now + AHEAD);
        let (label, rows) = (&self.label, self.rows.iter().filter(is_ahead).count());
        if rows > 0 {
            tracing::warn!(
                table = label,
                rows,
                "{label}: {rows} rows are stamped in the future; every run reads them again"
            );
        }
    }
}

/// Commits. If the answer is lost, the database is asked what became of it.
async fn commit(
    target: &SqlServerTarget<'_>,
    plan: &TablePlan,
    mut connection: Connection,
    at: &Position,
) -> Result<()> {
    let label = plan.label();
    let sql = target.sql.render("sqlserver/commit.sql", &[]);
    let Err(e) = connection.end_with(format_args!("committing {label}"), &sql).await else {
        return Ok(());
    };
    connection.discard();
    let ours = (at.generation, Some(target.run_id));
    outcome::of_commit(&label, e, ours, async || mark(target, plan).await).await
}

/// The mark that our position carries now.
async fn mark(target: &SqlServerTarget<'_>, plan: &TablePlan) -> Result<Mark> {
    let mut connection = target.database.connection().await?;
    target.store.read_back(&mut connection, &plan.label(), plan.direction).await
}
