//! One table of a desktop that is a SQL Server: its keys are read row by row, and what PostgreSQL
//! computes is computed here. Nothing is kept but numbers, and the keys of the buckets that differ.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::db::sqlserver::Database;
use crate::error::{Error, Kind, Result};
use crate::model::TablePlan;
use crate::source::Keyed;
use crate::source::sqlserver::Inventory;
use crate::sql::Sql;

use super::tally::{Digest, Hash, Tally};

/// One table.
pub(super) struct Scan {
    inventory: Inventory,
    timeout: Duration,
    doing: String,
    /// Whether every key has to be taken for a row of its own, however often it comes.
    may_repeat: bool,
    /// Whose rows are told apart by bucket.
    mark: String,
    buckets: BTreeMap<i32, Tally>,
}

/// What a count finds.
#[derive(Default)]
struct Counted {
    owners: BTreeMap<String, Tally>,
    buckets: BTreeMap<i32, Tally>,
}

/// What a look for keys finds.
#[derive(Default)]
struct Wanted {
    rows: Vec<Keyed>,
    seen: HashSet<String>,
}

impl Scan {
    /// Begins one; no pass over the table takes longer than `timeout`. `store` is the
    /// schema of tidegate's own tables there.
    pub(super) async fn begin(
        database: &Arc<Database>,
        plan: &TablePlan,
        watermark: Option<&str>,
        timeout: Duration,
        (store, sql): (&str, &Sql),
    ) -> Result<Self> {
        let inventory = Inventory::open(database, plan, watermark, (store, sql)).await?;
        Ok(Self {
            // A row that moves while it is read may come twice.
            may_repeat: inventory.is_still() || !plan.key_is_unique_at_source,
            inventory,
            timeout,
            doing: format!("verifying {}", plan.label()),
            mark: plan.owner.writer.clone(),
            buckets: BTreeMap::new(),
        })
    }

    /// Rows of every owner. In the same pass, those of the desktop's mark are told apart by bucket.
    pub(super) async fn count(&mut self) -> Result<BTreeMap<String, Digest>> {
        let mark = self.mark.clone();
        let counted = self.fold(|counted: &mut Counted, Keyed { key, owner, .. }| {
            let hash = Hash::of(&key);
            if owner == mark {
                counted.buckets.entry(hash.bucket).or_default().add(hash);
            }
            match counted.owners.get_mut(&owner) {
                Some(tally) => tally.add(hash),
                None => counted.owners.entry(owner).or_default().add(hash),
            }
        });
        let Counted { owners, buckets } = counted.await?;
        self.buckets = buckets;
        Ok(owners.into_iter().map(|(owner, tally)| (owner, tally.into())).collect())
    }

    /// What the count found of the desktop's mark, by bucket.
    pub(super) fn buckets(&self) -> BTreeMap<i32, Digest> {
        self.buckets.iter().map(|(bucket, tally)| (*bucket, (*tally).into())).collect()
    }

    /// The rows of some buckets.
    pub(super) async fn keys(&mut self, buckets: &[i32]) -> Result<Vec<Keyed>> {
        let may_repeat = self.may_repeat;
        let wanted = self.fold(|wanted: &mut Wanted, row| {
            let is_wanted = buckets.contains(&Hash::of(&row.key).bucket);
            if is_wanted && (may_repeat || wanted.seen.insert(row.key.clone())) {
                wanted.rows.push(row);
            }
        });
        Ok(wanted.await?.rows)
    }

    async fn fold<T: Default>(&mut self, take: impl FnMut(&mut T, Keyed)) -> Result<T> {
        let Self { inventory, timeout, doing, .. } = self;
        match tokio::time::timeout(*timeout, inventory.fold(take)).await {
            Ok(taken) => taken,
            Err(_) => Err(Error::new(
                Kind::Transient,
                format!("{doing}: reading the desktop's keys took longer than {timeout:?}"),
            )),
        }
    }
}
