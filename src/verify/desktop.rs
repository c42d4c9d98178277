//! The desktop's half of one table, of whichever kind its database is: a new kind is one more variant
//! here, which gives the same numbers for the same keys.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::db::Database;
use crate::error::Result;
use crate::model::TablePlan;
use crate::source::Keyed;
use crate::source::postgres::Inventory;
use crate::sql::Sql;

use super::scan::Scan;
use super::snapshot::Snapshot;
use super::tally::Digest;

/// One table of the desktop.
pub(super) enum Desktop<'v> {
    /// A PostgreSQL computes the numbers itself.
    Postgres(Box<Snapshot<'v>>, Box<Inventory>),
    /// Of a SQL Server they are computed here.
    SqlServer(Box<Scan>),
}

impl<'v> Desktop<'v> {
    /// Looks at `plan`'s table, which has been read up to `watermark`; no statement takes longer than
    /// `timeout`. `store` is the schema of tidegate's own tables there.
    pub(super) async fn take(
        database: &Database,
        plan: &TablePlan,
        watermark: Option<&str>,
        timeout: Duration,
        (store, sql): (&str, &'v Sql),
    ) -> Result<Self> {
        Ok(match database {
            Database::Postgres(database) => {
                let snapshot = Snapshot::take(database, plan, timeout, sql).await?;
                let inventory = Inventory::of_source(plan, watermark);
                snapshot.bind(&inventory.settings).await?;
                Self::Postgres(Box::new(snapshot), Box::new(inventory))
            }
            Database::SqlServer(database) => {
                let scan = Scan::begin(database, plan, watermark, timeout, (store, sql)).await?;
                Self::SqlServer(Box::new(scan))
            }
        })
    }

    /// Rows of every owner; an empty owner stands for NULL.
    pub(super) async fn count(&mut self) -> Result<BTreeMap<String, Digest>> {
        match self {
            Self::Postgres(snapshot, inventory) => snapshot.count(inventory).await,
            Self::SqlServer(scan) => scan.count().await,
        }
    }

    /// Rows of the desktop's `mark`, by bucket, once they are counted.
    pub(super) async fn buckets(&self, mark: &str) -> Result<BTreeMap<i32, Digest>> {
        match self {
            Self::Postgres(snapshot, inventory) => snapshot.buckets(inventory, mark).await,
            Self::SqlServer(scan) => Ok(scan.buckets()),
        }
    }

    /// The rows of some buckets, of every owner.
    pub(super) async fn keys(&mut self, buckets: &[i32]) -> Result<Vec<Keyed>> {
        match self {
            Self::Postgres(snapshot, inventory) => snapshot.keys(inventory, buckets, None).await,
            Self::SqlServer(scan) => scan.keys(buckets).await,
        }
    }

    /// Gives the connection back.
    pub(super) async fn end(self) -> Result<()> {
        match self {
            Self::Postgres(snapshot, _) => snapshot.end().await,
            // Its session is closed: there is nothing to commit.
            Self::SqlServer(_) => Ok(()),
        }
    }
}
