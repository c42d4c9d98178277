//! The pipeline put together by hand, so that a test can come between its steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidegate::config::Config;
use tidegate::db::postgres::{Database, Purpose, catalogue};
use tidegate::error::{End, Error, Kind, Result};
use tidegate::guard::Proof;
use tidegate::model::plan::{Cycles, Given};
use tidegate::model::write_set::{Expected, WriteSet};
use tidegate::model::{
    Account, Awaited, Batch, Carried, Checkpoint, Direction, Horizon, InRing, Position, Reason,
    Selection, TablePlan, Tally, planning,
};
use tidegate::pipeline::{Progress, Way};
use tidegate::source::postgres::{PgSource, PgView};
use tidegate::source::{Changes, Source, View};
use tidegate::sql::Sql;
use tidegate::store::Store;
use tidegate::target::postgres::{PgTarget, PgTx};
use tidegate::target::{Staging, Target, TargetTx};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::Office;

/// What a run over the only table of an office is made of.
pub(super) struct Parts {
    pub(super) plan: TablePlan,
    pub(super) at: Position,
    desktop: Arc<Database>,
    cloud: Database,
    schema: String,
    sql: Sql,
}

impl Parts {
    pub(super) async fn of(office: &Office, sql: Sql) -> Self {
        let config = Config::load(Some(&office.config_path())).unwrap();
        let desktop = Database::new(&config.desktop_url, End::Desktop, Purpose::Reader, 5).unwrap();
        let cloud = Database::new(&config.cloud_url, End::Cloud, Purpose::Writer, 1).unwrap();
        let settings = config.tables.first().unwrap();
        let (from, to) = (desktop.connection().await.unwrap(), cloud.connection().await.unwrap());
        let source = [settings.desktop.clone()];
        let target = [settings.cloud.clone()];
        let sources = catalogue::read(&from, &sql, &source).await.unwrap();
        let targets = catalogue::read(&to, &sql, &target).await.unwrap();
        let given = Given {
            settings,
            ownership: &config.ownership,
            cloud_capture: config.cloud_capture,
            desktop: sources.first(),
            cloud: targets.first(),
            synced: &target,
            desktop_remembers: false,
        };
        let plan = planning::plan(Direction::Forward, given).unwrap();
        let store = Store::new(&sql, &config.cloud_schema);
        let labels = [plan.label()];
        let state = store.state(&to, plan.direction, &labels, &config.ownership).await.unwrap();
        let at = state.tables[0].position.clone();
        drop(to);
        let schema = config.cloud_schema;
        Self { plan, at, desktop: Arc::new(desktop), cloud, schema, sql }
    }

    pub(super) async fn view(&self) -> PgView {
        let source = PgSource::new(Arc::clone(&self.desktop), &self.sql);
        source.open(&[(&self.plan, &Position::default())]).await.unwrap()
    }

    /// Brings the changes that `view` sees through `faulty`; gives how many transactions that took.
    pub(super) async fn follow(&self, view: &impl View, faulty: Faulty) -> (Result<()>, u64) {
        let store = Store::new(&self.sql, &self.schema);
        let inner = PgTarget::new(&self.cloud, &store, Uuid::now_v7(), view.identity());
        let target = FaultyTarget { inner, faulty, begun: AtomicU64::new(0) };
        let stop = CancellationToken::new();
        let watch = |_: &Progress| {};
        let way = Way { plan: &self.plan, view, target: &target, stop: &stop, watch: &watch };
        let mut progress = Progress { at: self.at.clone(), ..Progress::default() };
        let outcome = way.follow(Selection::Since(&self.at), Cycles::Wait, &mut progress).await;
        (outcome, target.begun.into_inner())
    }
}

/// What is wrong with a target.
pub(super) enum Faulty {
    /// Nothing.
    Sound,
    /// The process dies before the commit.
    Dies,
    /// The same, and the watermark was moved to this stamp in a transaction of its own.
    MovesApart(Client, String),
}

/// A target with a fault, which counts its transactions.
struct FaultyTarget<'a> {
    inner: PgTarget<'a>,
    faulty: Faulty,
    begun: AtomicU64,
}

struct FaultyTx<'t> {
    inner: PgTx<'t>,
    dies: bool,
}

impl Target for FaultyTarget<'_> {
    type Tx<'t>
        = FaultyTx<'t>
    where
        Self: 't;

    async fn begin<'t>(&'t self, plan: &'t TablePlan, at: &Position) -> Result<FaultyTx<'t>> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let mut at = at.clone();
        if let Faulty::MovesApart(cloud, watermark) = &self.faulty {
            let apart = "update tidegate._sync_metadata set generation = generation + 1, \
                         watermark = $1, after_key = null";
            cloud.execute(apart, &[watermark]).await.unwrap();
            at.generation += 1;
        }
        let dies = !matches!(self.faulty, Faulty::Sound);
        Ok(FaultyTx { inner: self.inner.begin(plan, &at).await?, dies })
    }

    async fn left_for_later(&self, plan: &TablePlan) -> Result<Vec<(Awaited, Option<Reason>)>> {
        self.inner.left_for_later(plan).await
    }

    async fn rings(&self, plans: &[&TablePlan]) -> Result<Vec<InRing>> {
        self.inner.rings(plans).await
    }

    async fn forget_gone(&self, plan: &TablePlan, asked: &[Awaited]) -> Result<()> {
        self.inner.forget_gone(plan, asked).await
    }
}

impl TargetTx for FaultyTx<'_> {
    async fn stage(&mut self, batch: &Batch, staging: Staging) -> Result<()> {
        self.inner.stage(batch, staging).await
    }

    async fn set_aside(&mut self, reason: Reason, detail: &str) -> Result<Tally> {
        self.inner.set_aside(reason, detail).await
    }

    async fn classify(&mut self, cycles: Cycles, carried: &Carried) -> Result<Tally> {
        self.inner.classify(cycles, carried).await
    }

    async fn merge(&mut self, tally: Tally) -> Result<Expected> {
        self.inner.merge(tally).await
    }

    async fn write_set(&mut self) -> Result<WriteSet> {
        self.inner.write_set().await
    }

    async fn commit(self, to: Checkpoint, proof: Proof, so_far: &Account) -> Result<Position> {
        match self.dies {
            true => Err(Error::new(Kind::Other, "the process died")),
            false => self.inner.commit(to, proof, so_far).await,
        }
    }
}

/// A view whose horizon was read after its snapshot was taken.
pub(super) struct LateHorizon {
    pub(super) snapshot: PgView,
    pub(super) horizon: PgView,
}

impl View for LateHorizon {
    fn identity(&self) -> &str {
        self.snapshot.identity()
    }

    fn horizon(&self, plan: &TablePlan) -> Result<Horizon> {
        self.horizon.horizon(plan)
    }

    fn carried(&self, plan: &TablePlan) -> Carried {
        self.snapshot.carried(plan)
    }

    fn reaches(&self, plan: &TablePlan, at: &Position) -> bool {
        self.snapshot.reaches(plan, at)
    }

    fn clock(&self) -> f64 {
        self.horizon.clock()
    }

    async fn read(&self, plan: &TablePlan, selection: Selection<'_>) -> Result<Changes> {
        self.snapshot.read(plan, selection).await
    }
}
