//! The cloud's side of a batch: one transaction, everything in it `SET LOCAL`, so that it works
//! through a transaction-mode pooler.

mod classify;
mod commit;
mod ending;
mod merge;
mod parents;
mod policy;
mod refuse;
mod render;
mod samples;
mod stage;
mod uniques;
mod write_set;

use uuid::Uuid;

use crate::db::postgres::statement::text;
use crate::db::postgres::{Connection, Database};
use crate::error::{Error, Kind, Result};
use crate::guard::Proof;
use crate::model::plan::Cycles;
use crate::model::sample::Sample;
use crate::model::write_set::{Expected, TxId, WriteSet};
use crate::model::{
    Account, Awaited, Batch, Carried, Checkpoint, InRing, Position, Reason, TablePlan, Tally,
};
use crate::sql::Sql;
use crate::store::Store;

use super::ending::{Edges, Ending, Show};
use super::outcome::gone;
use super::{Staging, Target, TargetTx, next_transaction};
use policy::Known;
use write_set::Counter;

/// The PostgreSQL that is written.
#[derive(Debug)]
pub struct PgTarget<'d> {
    database: &'d Database,
    sql: &'d Sql,
    store: &'d Store<'d>,
    run_id: Uuid,
    source_identity: String,
    ending: Ending<Connection>,
}

impl<'d> PgTarget<'d> {
    /// A target whose batches are committed under `run_id`; `source_identity` names the database
    /// that the positions belong to.
    pub fn new(
        database: &'d Database,
        store: &'d Store<'d>,
        run_id: Uuid,
        source_identity: &str,
    ) -> Self {
        Self {
            database,
            sql: store.sql(),
            store,
            run_id,
            source_identity: source_identity.to_owned(),
            ending: Ending::Commit,
        }
    }

    /// The same, but everything is rolled back in the end: a dry run, which keeps rows to be shown.
    pub fn rehearsing(mut self, show: Show) -> Self {
        self.ending = Ending::rehearse(show);
        self
    }

    /// tidegate's own tables there.
    pub fn store(&self) -> &'d Store<'d> {
        self.store
    }

    /// The rows of a table that were kept to be shown; `None` where nobody asked for them.
    pub fn shown(&self, label: &str) -> Option<Vec<Sample>> {
        self.ending.shown(label)
    }

    /// Ends a rehearsal: `last` still sees all of it; then nothing remains.
    ///
    /// # Errors
    /// What `last` met.
    pub async fn roll_back(
        &self,
        last: impl AsyncFnOnce(&mut Connection) -> Result<()>,
    ) -> Result<()> {
        self.end(last).await
    }
}

/// One batch's transaction.
#[derive(Debug)]
pub struct PgTx<'t> {
    target: &'t PgTarget<'t>,
    plan: &'t TablePlan,
    /// `None` once the transaction has ended.
    connection: Option<Connection>,
    id: TxId,
    /// Where our position stood when it was locked.
    at: Position,
    /// Whether the list of withheld rows has any of this table.
    has_withheld: bool,
    /// Whether the target has rows of another owner under the staged keys.
    holds_foreign_rows: bool,
    /// Whether rows of this batch are withheld.
    withholds: bool,
    /// Whether both sides have changed rows of this batch.
    contests: bool,
    /// Whether rows are written though a user's change of them is pending.
    overwrites: bool,
    /// How far the other direction had come.
    known: Known,
    /// Why the batch was set aside: its values may not be of the target's types.
    set_aside: Option<(Reason, String)>,
    /// Whether rows of a ring may be inserted without their reference.
    detaches: bool,
    /// The counters before the first statement that writes.
    baseline: Vec<Counter>,
    /// Rows in the stage, each key once.
    staged: u64,
    /// Rows of this batch that are to be shown, if it is committed.
    samples: Vec<Sample>,
}

impl Target for PgTarget<'_> {
    type Tx<'t>
        = PgTx<'t>
    where
        Self: 't;

    async fn begin<'t>(&'t self, plan: &'t TablePlan, at: &Position) -> Result<PgTx<'t>> {
        let connection = self.open(plan).await?;
        let mut tx = PgTx {
            target: self,
            plan,
            connection: Some(connection),
            id: next_transaction(),
            at: at.clone(),
            has_withheld: false,
            holds_foreign_rows: false,
            withholds: false,
            contests: false,
            overwrites: false,
            known: Known::default(),
            set_aside: None,
            detaches: false,
            baseline: Vec::new(),
            staged: 0,
            samples: Vec::new(),
        };
        tx.claim().await?;
        tx.write_keys_alike().await?;
        tx.baseline = tx.counters().await?;
        Ok(tx)
    }

    async fn left_for_later(&self, plan: &TablePlan) -> Result<Vec<(Awaited, Option<Reason>)>> {
        let left = self
            .look(async |connection| self.store.left_for_later(connection, plan, self.run_id).await)
            .await;
        match left {
            // A row that was withheld before the cloud's types changed; see `due_one_by_one`.
            Err(e) if e.kind() == Kind::BadValue => {
                tracing::warn!(error = %e, "withheld rows are left for the next run");
                Ok(Vec::new())
            }
            left => left,
        }
    }

    async fn rings(&self, plans: &[&TablePlan]) -> Result<Vec<InRing>> {
        self.look(async |connection| self.store.rings(connection, plans, self.run_id).await).await
    }

    async fn forget_gone(&self, plan: &TablePlan, asked: &[Awaited]) -> Result<()> {
        if asked.iter().all(|a| a.once_owned) || self.ending.is_rehearsal() {
            return Ok(());
        }
        let connection = self.database.connection().await?;
        self.store.forget_gone(&connection, plan, self.run_id, asked).await.map(drop)
    }
}

impl PgTx<'_> {
    /// Locks the table for us and our position, which must still be where we stand.
    async fn claim(&mut self) -> Result<()> {
        let (label, direction) = (self.plan.label(), self.plan.direction.word());
        let connection = self.connection()?;
        let lock = self.target.sql.render("postgres/lock.sql", &[]);
        let run = [text(&label), text(&direction)];
        self.held(connection.rows(self.doing("locking"), &lock, &run).await)?;
        let slots = [("store", self.target.store.quoted())];
        let claim = self.target.sql.render("postgres/claim.sql", &slots);
        let rows = self.held(connection.rows(self.doing("locking"), &claim, &run).await)?;
        let row = rows.first().ok_or_else(|| self.moved())?;
        if row.get::<_, i64>("generation") != self.at.generation {
            return Err(self.moved());
        }
        self.has_withheld = row.get("has_withheld");
        Ok(())
    }

    /// Keys are found again by their text: where that depends on the session's settings, they hold
    /// for the whole transaction, also for the target's triggers.
    async fn write_keys_alike(&self) -> Result<()> {
        match render::has_plain_key(self.plan) {
            true => Ok(()),
            false => {
                let output = self.target.sql.render("postgres/present_output.sql", &[]);
                self.connection()?.batch(self.doing("beginning with"), &output).await
            }
        }
    }

    /// Gives the target's triggers the role's own settings again.
    async fn restore_output(&self) -> Result<()> {
        let output = self.target.sql.render("postgres/own_output.sql", &[]);
        self.connection()?.batch(self.doing("going on with"), &output).await?;
        self.write_keys_alike().await
    }

    /// A lock that could not be had in time means that another run is at work.
    fn held<T>(&self, outcome: Result<T>) -> Result<T> {
        outcome.map_err(|e| match e.kind() {
            Kind::Busy => {
                Error::new(Kind::Held, format!("another run holds {}", self.plan.label()))
            }
            _ => e,
        })
    }

    /// Another run has moved our position since we read it.
    fn moved(&self) -> Error {
        Error::new(Kind::Held, format!("another run has moved on with {}", self.plan.label()))
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} {}", self.plan.label())
    }

    /// The transaction's own session: for the demo and for tests, which try in it what the check
    /// must refuse.
    ///
    /// # Errors
    /// When the transaction has ended.
    pub fn connection(&self) -> Result<&Connection> {
        self.connection.as_ref().ok_or_else(gone)
    }
}

impl TargetTx for PgTx<'_> {
    async fn stage(&mut self, batch: &Batch, staging: Staging) -> Result<()> {
        self.fill_stage(batch, staging).await
    }

    async fn classify(&mut self, cycles: Cycles, carried: &Carried) -> Result<Tally> {
        self.known = Known::from(carried);
        let tally = self.decide(cycles).await?;
        self.gather_samples().await?;
        Ok(tally)
    }

    async fn set_aside(&mut self, reason: Reason, detail: &str) -> Result<Tally> {
        let tally = self.refuse(reason, detail).await?;
        self.gather_samples().await?;
        Ok(tally)
    }

    async fn merge(&mut self, tally: Tally) -> Result<Expected> {
        self.write(tally).await
    }

    async fn write_set(&mut self) -> Result<WriteSet> {
        self.measure().await
    }

    async fn commit(
        self,
        checkpoint: Checkpoint,
        proof: Proof,
        so_far: &Account,
    ) -> Result<Position> {
        proof.admit(self.id)?;
        self.finish(&checkpoint, so_far).await
    }
}

impl Drop for PgTx<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.target.give_up(connection);
        }
    }
}
