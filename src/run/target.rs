//! A target of whichever kind of database: a new kind is one more variant here.

use uuid::Uuid;

use crate::error::Result;
use crate::guard::Proof;
use crate::model::plan::Cycles;
use crate::model::sample::Sample;
use crate::model::write_set::{Expected, WriteSet};
use crate::model::{
    Account, Awaited, Batch, Carried, Checkpoint, InRing, Position, Reason, TablePlan, Tally,
};
use crate::store::SqlServerStore;
use crate::target::postgres::{PgTarget, PgTx};
use crate::target::sqlserver::{SqlServerTarget, SqlServerTx};
use crate::target::{Show, Staging, Target, TargetTx};

use super::written::{Ledger, SqlServer, Written};

/// A database that is written.
pub(super) enum AnyTarget<'t> {
    /// A PostgreSQL.
    Postgres(PgTarget<'t>),
    /// A SQL Server.
    SqlServer(SqlServerTarget<'t>, &'t SqlServerStore<'t>),
}

/// One batch's transaction.
pub(super) enum AnyTx<'t> {
    /// In a PostgreSQL.
    Postgres(Box<PgTx<'t>>),
    /// In a SQL Server.
    SqlServer(Box<SqlServerTx<'t>>),
}

impl<'t> AnyTarget<'t> {
    /// The target whose batches are committed under `run_id`; `source_identity` names the database
    /// that the positions belong to.
    pub(super) fn of(written: &'t Written<'t>, run_id: Uuid, source_identity: &str) -> Self {
        match written {
            Written::Postgres(end) => {
                Self::Postgres(PgTarget::new(&end.database, &end.store, run_id, source_identity))
            }
            Written::SqlServer(SqlServer { database, store, .. }) => Self::SqlServer(
                SqlServerTarget::new(database, store, run_id, source_identity),
                store,
            ),
        }
    }

    /// Waits until what failed is rolled back, so that its locks stand in nobody's way.
    pub(super) async fn settle(&self) {
        match self {
            // It rolls back as soon as the connection is closed.
            Self::Postgres(_) => {}
            Self::SqlServer(target, _) => target.settle().await,
        }
    }

    /// The same, but everything is rolled back in the end: a dry run, which keeps rows to be shown.
    pub(super) fn rehearsing(self, show: Show) -> Self {
        match self {
            Self::Postgres(target) => Self::Postgres(target.rehearsing(show)),
            Self::SqlServer(target, store) => Self::SqlServer(target.rehearsing(show), store),
        }
    }

    /// The rows of a table that were kept to be shown; `None` where nobody asked for them.
    pub(super) fn shown(&self, label: &str) -> Option<Vec<Sample>> {
        match self {
            Self::Postgres(target) => target.shown(label),
            Self::SqlServer(target, _) => target.shown(label),
        }
    }

    /// Ends a rehearsal: `last` still sees all of it; then nothing remains.
    ///
    /// # Errors
    /// What `last` met.
    pub(super) async fn roll_back(
        &self,
        last: impl AsyncFnOnce(&mut Ledger<'_>) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Postgres(target) => {
                let store = target.store();
                target.roll_back(async |on| last(&mut Ledger::Postgres(store, on)).await).await
            }
            Self::SqlServer(target, store) => {
                target.roll_back(async |on| last(&mut Ledger::SqlServer(store, on)).await).await
            }
        }
    }
}

impl Target for AnyTarget<'_> {
    type Tx<'t>
        = AnyTx<'t>
    where
        Self: 't;

    async fn begin<'t>(&'t self, plan: &'t TablePlan, at: &Position) -> Result<AnyTx<'t>> {
        Ok(match self {
            Self::Postgres(target) => AnyTx::Postgres(Box::new(target.begin(plan, at).await?)),
            Self::SqlServer(target, _) => AnyTx::SqlServer(Box::new(target.begin(plan, at).await?)),
        })
    }

    async fn left_for_later(&self, plan: &TablePlan) -> Result<Vec<(Awaited, Option<Reason>)>> {
        match self {
            Self::Postgres(target) => target.left_for_later(plan).await,
            Self::SqlServer(target, _) => target.left_for_later(plan).await,
        }
    }

    async fn rings(&self, plans: &[&TablePlan]) -> Result<Vec<InRing>> {
        match self {
            Self::Postgres(target) => target.rings(plans).await,
            Self::SqlServer(target, _) => target.rings(plans).await,
        }
    }

    async fn forget_gone(&self, plan: &TablePlan, asked: &[Awaited]) -> Result<()> {
        match self {
            Self::Postgres(target) => target.forget_gone(plan, asked).await,
            Self::SqlServer(target, _) => target.forget_gone(plan, asked).await,
        }
    }
}

impl TargetTx for AnyTx<'_> {
    async fn stage(&mut self, batch: &Batch, staging: Staging) -> Result<()> {
        match self {
            Self::Postgres(tx) => tx.stage(batch, staging).await,
            Self::SqlServer(tx) => tx.stage(batch, staging).await,
        }
    }

    async fn classify(&mut self, cycles: Cycles, carried: &Carried) -> Result<Tally> {
        match self {
            Self::Postgres(tx) => tx.classify(cycles, carried).await,
            Self::SqlServer(tx) => tx.classify(cycles, carried).await,
        }
    }

    async fn set_aside(&mut self, reason: Reason, detail: &str) -> Result<Tally> {
        match self {
            Self::Postgres(tx) => tx.set_aside(reason, detail).await,
            Self::SqlServer(tx) => tx.set_aside(reason, detail).await,
        }
    }

    async fn merge(&mut self, tally: Tally) -> Result<Expected> {
        match self {
            Self::Postgres(tx) => tx.merge(tally).await,
            Self::SqlServer(tx) => tx.merge(tally).await,
        }
    }

    async fn write_set(&mut self) -> Result<WriteSet> {
        match self {
            Self::Postgres(tx) => tx.write_set().await,
            Self::SqlServer(tx) => tx.write_set().await,
        }
    }

    async fn commit(
        self,
        checkpoint: Checkpoint,
        proof: Proof,
        so_far: &Account,
    ) -> Result<Position> {
        match self {
            Self::Postgres(tx) => tx.commit(checkpoint, proof, so_far).await,
            Self::SqlServer(tx) => tx.commit(checkpoint, proof, so_far).await,
        }
    }
}
