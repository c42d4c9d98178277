//! Compares both ends of each table with each other and with the last record, and explains what
//! differs. Writes nothing but the new record.
//!
//! **The cloud's snapshot is taken first.** What it says of a position, of withheld rows and of the
//! rows is of one moment, and every row that the desktop commits after that moment is stamped at or
//! above that position: so no run and no user at work makes a difference look unexplained. A SQL Server
//! that allows no snapshots shows what is committed when each row is read: that is later still, but
//! where rows move while they are read, one may be counted twice or not at all.

mod desktop;
mod differences;
mod report;
mod scan;
mod snapshot;
mod tally;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::Config;
use crate::db::{Database, Purpose, postgres};
use crate::error::{End, Error, Kind, Result};
use crate::model::{Direction, Ownership, TablePlan};
use crate::run::{self, Planned};
use crate::source::AnySource;
use crate::source::postgres::Inventory;
use crate::sql::Sql;
use crate::store::{Books, Count, Store};

use desktop::Desktop;
use differences::Found;
use snapshot::Snapshot;
use tally::Digest;

pub use report::{Counts, Difference, Explanation, Outcome, Report, TableReport, What};

/// So many keys of both ends together are compared in memory at once.
const KEYS_AT_ONCE: u64 = 50_000;

/// What is asked of a verification.
#[derive(Debug, Clone)]
pub struct Request {
    /// The tables, by their names in the cloud; empty means all that are enabled.
    pub tables: Vec<String>,
    /// Name the first keys of each difference.
    pub rows: bool,
    /// No statement takes longer.
    pub timeout: Duration,
}

/// Verifies once.
///
/// # Errors
/// Only what concerns all tables; a table's own error is in the report.
pub async fn verify(
    config: &Config,
    request: &Request,
    sql: &Sql,
    stop: &CancellationToken,
) -> Result<Report> {
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(Error::new(Kind::Interrupted, "stopped").remedied("Verify again.")),
        report = uninterrupted(config, request, sql) => report,
    }
}

async fn uninterrupted(config: &Config, request: &Request, sql: &Sql) -> Result<Report> {
    let settings = run::selected(config, &request.tables)?;
    let desktop = Database::of(config, End::Desktop, Purpose::Reader, 1)?;
    let cloud = postgres::Database::new(&config.cloud_url, End::Cloud, Purpose::Writer, 1)?;
    let store = Store::new(sql, &config.cloud_schema);
    let Planned { plans, refused, .. } = {
        let connection = cloud.connection().await?;
        store.require(&connection).await?;
        let reader = desktop.connection().await?;
        let ends = run::Ends { desktop: reader.session(), cloud: &connection };
        let found = run::Catalogues::read(config, &settings, ends, sql).await?;
        found.plan(config, Direction::Forward, settings)
    };
    let identity = AnySource::new(desktop.clone(), sql).identity().await?;
    let ends = Ends {
        desktop: &desktop,
        desktop_schema: &config.desktop_schema,
        cloud: &cloud,
        identity,
        store: &store,
        request,
        sql,
    };
    let mut tables: Vec<TableReport> = refused
        .iter()
        .map(|(settings, e)| TableReport::failed(settings.cloud.to_string(), e))
        .collect();
    let mut counted = Vec::new();
    for plan in &plans {
        match ends.verify(plan, &config.ownership).await {
            Ok((report, count)) => {
                tables.push(report);
                counted.push((plan.label(), count));
            }
            Err(e) => tables.push(TableReport::failed(plan.label(), &advised(e))),
        }
    }
    let place = |table: &str| config.tables.iter().position(|t| t.cloud.to_string() == table);
    tables.sort_by_key(|report| place(&report.table));
    let report = Report::new(Uuid::now_v7(), tables);
    let recorded = ends.record(report.run_id, &counted).await;
    match recorded {
        // What was found is worse than that it could not be recorded.
        Err(e) if report.outcome == Outcome::Failure => {
            tracing::error!(error = %e, "the counts could not be recorded");
            Ok(report)
        }
        recorded => recorded.map(|()| report),
    }
}

/// An error of one table, with what helps where a statement took too long or a connection broke.
fn advised(e: Error) -> Error {
    match e.kind().is_transient() {
        true => {
            e.remedied("Verify again; where one statement takes too long, with a longer --timeout.")
        }
        false => e,
    }
}

/// Both ends, and what is asked of them.
struct Ends<'v> {
    desktop: &'v Database,
    /// Of tidegate's own tables there.
    desktop_schema: &'v str,
    cloud: &'v postgres::Database,
    identity: String,
    store: &'v Store<'v>,
    request: &'v Request,
    sql: &'v Sql,
}

/// One table in the cloud.
struct Cloud<'v> {
    snapshot: Snapshot<'v>,
    inventory: Inventory,
}

impl<'v> Ends<'v> {
    async fn verify(
        &self,
        plan: &TablePlan,
        ownership: &Ownership,
    ) -> Result<(TableReport, Count)> {
        let timeout = self.request.timeout;
        // The cloud first: see above.
        let snapshot = Snapshot::take(self.cloud, plan, timeout, self.sql).await?;
        let books = self.store.books(snapshot.connection()?, plan).await?;
        run::same_source(plan, books.source_identity.as_deref(), &self.identity)?;
        let cloud = Cloud { snapshot, inventory: snapshot::of_cloud(plan) };
        let in_cloud = cloud.snapshot.count(&cloud.inventory).await?;

        let watermark = books.watermark.as_deref();
        let own = (self.desktop_schema, self.sql);
        let mut desktop = Desktop::take(self.desktop, plan, watermark, timeout, own).await?;
        let on_desktop = desktop.count().await?;

        let mut found = Found::default();
        if on_desktop.get(&ownership.desktop) != in_cloud.get(&ownership.desktop) {
            self.narrow(plan, &mut desktop, &cloud, &mut found).await?;
        }
        desktop.end().await?;
        cloud.snapshot.end().await?;
        Ok(self.report(plan, ownership, [on_desktop, in_cloud], books, found))
    }

    /// Finds the keys that make the difference, bucket by bucket: whole tables never travel, unless
    /// they differ as a whole.
    async fn narrow(
        &self,
        plan: &TablePlan,
        desktop: &mut Desktop<'v>,
        cloud: &Cloud<'v>,
        found: &mut Found,
    ) -> Result<()> {
        let mark = &*plan.owner.writer;
        let on_desktop = desktop.buckets(mark).await?;
        let in_cloud = cloud.snapshot.buckets(&cloud.inventory, mark).await?;
        for buckets in differing(&on_desktop, &in_cloud) {
            let ours = desktop.keys(&buckets).await?;
            let held = cloud.snapshot.keys(&cloud.inventory, &buckets, Some(mark)).await?;
            let gap = differences::gap(ours, held, mark);
            let missing: Vec<&str> = gap.missing.iter().map(|(key, _)| &**key).collect();
            let withheld =
                self.store.withheld_reasons(cloud.snapshot.connection()?, plan, &missing).await?;
            found.take(gap, &withheld);
        }
        Ok(())
    }

    fn report(
        &self,
        plan: &TablePlan,
        ownership: &Ownership,
        [desktop, cloud]: [BTreeMap<String, Digest>; 2],
        books: Books,
        mut found: Found,
    ) -> (TableReport, Count) {
        let rows = |digests: &BTreeMap<String, Digest>| -> BTreeMap<String, u64> {
            digests.iter().map(|(owner, digest)| (owner.clone(), digest.rows)).collect()
        };
        let mut owners = rows(&cloud);
        let on_desktop = Counts::of(&rows(&desktop), ownership);
        let in_cloud = Counts::of(&owners, ownership);
        found.compare(on_desktop, in_cloud);
        let recorded = books.recorded.as_ref().map(|owners| Counts::of(owners, ownership));
        if let Some(recorded) = recorded {
            found.compare_with_record(in_cloud, recorded, &books);
        }
        let differences = match self.request.rows {
            true => found.named_differences(),
            false => found.differences(),
        };
        // A record of no row at all would leave the last one standing.
        for mark in [&ownership.desktop, &ownership.mobile] {
            owners.entry(mark.clone()).or_default();
        }
        let report = TableReport {
            recorded,
            recorded_at: books.recorded_at.clone(),
            mobile_expected: books.logged.map(|logged| logged.expected()),
            ..TableReport::compared(plan.label(), [on_desktop, in_cloud], differences)
        };
        let Books { at, snapshot, logged, .. } = books;
        (report, Count { at, owners, snapshot, logged })
    }

    async fn record(&self, verification: Uuid, counted: &[(String, Count)]) -> Result<()> {
        if counted.is_empty() {
            return Ok(());
        }
        let counted: Vec<_> = counted.iter().map(|(label, count)| count.of(label)).collect();
        let connection = self.cloud.connection().await?;
        self.store.record_counts(&connection, verification, &counted).await
    }
}

/// The buckets that differ, in groups that are small enough to be compared in memory.
fn differing(desktop: &BTreeMap<i32, Digest>, cloud: &BTreeMap<i32, Digest>) -> Vec<Vec<i32>> {
    let all: BTreeSet<i32> = desktop.keys().chain(cloud.keys()).copied().collect();
    let rows = |digests: &BTreeMap<i32, Digest>, b| digests.get(&b).map_or(0, |d| d.rows);
    let mut groups: Vec<Vec<i32>> = Vec::new();
    let mut room = 0;
    for bucket in all.into_iter().filter(|b| desktop.get(b) != cloud.get(b)) {
        let size = rows(desktop, bucket) + rows(cloud, bucket);
        match groups.last_mut() {
            Some(group) if size <= room => group.push(bucket),
            _ => {
                groups.push(vec![bucket]);
                room = KEYS_AT_ONCE;
            }
        }
        room = room.saturating_sub(size);
    }
    groups
}
