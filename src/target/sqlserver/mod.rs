//! A SQL Server desktop's side of a batch: one transaction on one session. The rows are decoded and
//! judged here, in Rust; the server is asked for what it holds, and told what to write, by plain
//! statements over temporary tables.

mod classify;
mod codec;
mod commit;
mod ending;
mod fields;
mod merge;
mod parents;
mod policy;
mod refuse;
mod rows;
mod samples;
mod tables;
mod write_set;

use std::sync::Mutex;

use tokio::task::JoinSet;
use uuid::Uuid;

use crate::db::sqlserver::{Connection, Database, sets};
use crate::error::{Error, Kind, Result};
use crate::guard::Proof;
use crate::model::plan::Cycles;
use crate::model::sample::Sample;
use crate::model::write_set::{Expected, TxId, WriteSet, Written};
use crate::model::{
    Account, Awaited, Batch, Carried, Checkpoint, InRing, Position, Reason, TablePlan, Tally,
};
use crate::sql::{Sql, tsql};
use crate::store::sqlserver::{OfRun, SqlServerStore};

use super::ending::{Edges, Ending, Show};
use super::outcome::gone;
use super::{Staging, Target, TargetTx, next_transaction};
use classify::Known;
use rows::{Layout, Staged};

pub use tables::held_digests;

/// The SQL Server that is written.
#[derive(Debug)]
pub struct SqlServerTarget<'d> {
    database: &'d Database,
    sql: &'d Sql,
    store: &'d SqlServerStore<'d>,
    run_id: Uuid,
    source_identity: String,
    ending: Ending<Connection>,
    /// Batches that failed, while they are rolled back.
    failed: Mutex<JoinSet<()>>,
}

impl<'d> SqlServerTarget<'d> {
    /// A target whose batches are committed under `run_id`; `source_identity` names the database
    /// that the positions belong to.
    pub fn new(
        database: &'d Database,
        store: &'d SqlServerStore<'d>,
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
            failed: Mutex::default(),
        }
    }

    /// The same, but everything is rolled back in the end: a dry run, which keeps rows to be shown.
    pub fn rehearsing(mut self, show: Show) -> Self {
        self.ending = Ending::rehearse(show);
        self
    }

    fn of_run<'r>(&self, plan: &TablePlan, label: &'r str) -> OfRun<'r> {
        OfRun { label, direction: plan.direction, run_id: self.run_id }
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
pub struct SqlServerTx<'t> {
    target: &'t SqlServerTarget<'t>,
    plan: &'t TablePlan,
    layout: Layout<'t>,
    label: String,
    /// `None` once the transaction has ended.
    connection: Option<Connection>,
    id: TxId,
    /// Where the run stands.
    at: Position,
    /// Where our position stood when it was locked.
    claimed: Position,
    /// Whether the list of withheld rows has any of this table.
    has_withheld: bool,
    /// The number of the target's table.
    number: u32,
    /// Whether our role may see which tables we have locked.
    shows_locks: bool,
    /// The rows of the batch, each key once.
    rows: Vec<Staged>,
    /// What our own tables know of them.
    known: Known,
    /// Why the batch was set aside.
    set_aside: Option<(Reason, String)>,
    /// What the merge wrote, as the server counted it and as it was found afterwards.
    merged: Written,
    /// Rows of this batch that are to be shown, if it is committed.
    samples: Vec<Sample>,
}

impl Target for SqlServerTarget<'_> {
    type Tx<'t>
        = SqlServerTx<'t>
    where
        Self: 't;

    async fn begin<'t>(&'t self, plan: &'t TablePlan, at: &Position) -> Result<SqlServerTx<'t>> {
        let layout = Layout::of(plan)?;
        let mut tx = SqlServerTx {
            target: self,
            plan,
            layout,
            label: plan.label(),
            connection: Some(self.open(plan).await?),
            id: next_transaction(),
            at: at.clone(),
            claimed: Position::default(),
            has_withheld: false,
            number: 0,
            shows_locks: false,
            rows: Vec::new(),
            known: Known::default(),
            set_aside: None,
            merged: Written::default(),
            samples: Vec::new(),
        };
        tx.claim().await?;
        tx.look_at_target().await?;
        Ok(tx)
    }

    async fn left_for_later(&self, plan: &TablePlan) -> Result<Vec<(Awaited, Option<Reason>)>> {
        self.look(async |connection| self.store.left_for_later(connection, plan, self.run_id).await)
            .await
    }

    /// None are looked for here: rows of a ring of foreign keys stay withheld.
    async fn rings(&self, _: &[&TablePlan]) -> Result<Vec<InRing>> {
        Ok(Vec::new())
    }

    async fn forget_gone(&self, plan: &TablePlan, asked: &[Awaited]) -> Result<()> {
        if asked.iter().all(|a| a.once_owned) || self.ending.is_rehearsal() {
            return Ok(());
        }
        self.settle().await;
        let mut connection = self.database.connection().await?;
        self.store.forget_gone(&mut connection, plan, self.run_id, asked).await.map(drop)
    }
}

impl SqlServerTx<'_> {
    /// Locks the table for us and our position, which must still be where we stand. A rehearsal that
    /// had to begin anew stands further on than what it finds.
    async fn claim(&mut self) -> Result<()> {
        let (store, direction) = (self.target.store, self.plan.direction);
        let connection = self.connection.as_mut().ok_or_else(gone)?;
        let claimed = store.claim(connection, &self.label, direction).await?;
        let is_rehearsed = self.target.ending.is_rehearsal();
        if claimed.at.generation != self.at.generation && !is_rehearsed {
            let message = format!("another run has moved on with {}", self.label);
            return Err(Error::new(Kind::Held, message));
        }
        (self.claimed, self.has_withheld) = (claimed.at, claimed.has_withheld);
        Ok(())
    }

    /// Looks at what the check needs to know of the target, and refuses one whose updates would go on
    /// to other tables.
    async fn look_at_target(&mut self) -> Result<()> {
        let plan = self.plan;
        let sql = self.target.sql.render("sqlserver/target.sql", &[]);
        let (doing, target) = (self.doing("beginning with"), tsql::table(&plan.target));
        let sets = self.connection()?.result_sets(&doing, &sql, &[&target]).await?;
        let mut sets = sets.iter();
        let (found, cascades) = (sets.next().and_then(|rows| rows.first()), sets.next());
        let number = match found {
            Some(row) => sets::any::<i32>(row, "number")?,
            None => None,
        };
        let (Some(row), Some(number)) = (found, number) else {
            let message = format!("{doing}: the desktop's table is not there any more");
            return Err(Error::new(Kind::Config, message));
        };
        self.number = number.unsigned_abs();
        self.shows_locks = sets::get::<i32>(row, "shows_locks")? == 1;
        for row in cascades.into_iter().flatten() {
            let column: &str = sets::get(row, "column_name")?;
            if plan.settable().any(|c| c.target == column) {
                let name: &str = sets::get(row, "constraint_name")?;
                return Err(Error::config(
                    format!(
                        "{}: the foreign key {name} of another table takes updates of {column} on",
                        self.label
                    ),
                    "Make it ON UPDATE NO ACTION, or exclude the column: what an update does \
                     elsewhere can't be told there.",
                ));
            }
        }
        Ok(())
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} {}", self.label)
    }

    /// The transaction's own session: for tests, which try in it what the check must refuse.
    ///
    /// # Errors
    /// When the transaction has ended.
    pub fn connection(&mut self) -> Result<&mut Connection> {
        self.connection.as_mut().ok_or_else(gone)
    }
}

impl TargetTx for SqlServerTx<'_> {
    /// Nothing of the batch is refused here, so both ways of staging are one: a row that the desktop
    /// can't hold is withheld when it is judged.
    async fn stage(&mut self, batch: &Batch, _: Staging) -> Result<()> {
        self.rows = self.layout.staged(fields::rows(self.plan, batch)?);
        Ok(())
    }

    async fn classify(&mut self, _: Cycles, _: &Carried) -> Result<Tally> {
        let tally = self.decide().await?;
        self.gather_samples();
        Ok(tally)
    }

    async fn set_aside(&mut self, reason: Reason, detail: &str) -> Result<Tally> {
        let tally = self.refuse(reason, detail).await?;
        self.gather_samples();
        Ok(tally)
    }

    async fn merge(&mut self, _: Tally) -> Result<Expected> {
        self.write().await
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

impl Drop for SqlServerTx<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.target.give_up(connection);
        }
    }
}
