//! Reading by the desktop's change log: page by page its entries, then the rows that they are about.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::Arc;

use crate::db::sqlserver::types::Zone;
use crate::db::sqlserver::{Connection, sets};
use crate::error::{Error, Result};
use crate::model::{Capture, Position, Selection, TablePlan, jsonb};
use crate::sql::{Sql, tsql};

use super::horizon::hexadecimal;
use super::params::Params;
use super::render::{Asking, Reading, Texts, version};

/// Entries of a page: their keys have to fit one question.
const ENTRIES: usize = 1_000;

/// The versions at and below which the tables' logs have no entries, by label.
#[derive(Debug, Default)]
pub(super) struct Logs(BTreeMap<String, String>);

impl Logs {
    /// Reads those that `plans` need; `store` is the schema of tidegate's own tables, if there are any.
    pub(super) async fn read(
        connection: &mut Connection,
        sql: &Sql,
        store: Option<&str>,
        plans: &[&TablePlan],
    ) -> Result<Self> {
        let Some(store) = store.filter(|_| plans.iter().any(|plan| is_logged(plan))) else {
            return Ok(Self::default());
        };
        let statement = sql.render("sqlserver/log_since.sql", &[("store", &tsql::ident(store))]);
        let rows = connection.rows("asking since when there is a log", &statement, &[]).await?;
        let since = rows.iter().map(|row| {
            let label: &str = sets::get(row, "table_name")?;
            Ok((label.to_owned(), hexadecimal(sets::get(row, "since")?)))
        });
        Ok(Self(since.collect::<Result<_>>()?))
    }

    /// Whether every change of `plan`'s table since `at` can be told.
    pub(super) fn reach(&self, plan: &TablePlan, at: &Position) -> bool {
        let since = self.0.get(&plan.label());
        // All have the same number of digits.
        !is_logged(plan) || at.watermark.as_ref().zip(since).is_some_and(|(at, since)| at > since)
    }

    /// Refuses a table whose changes have to be in a log, and are in none.
    pub(super) fn require(&self, plan: &TablePlan) -> Result<()> {
        match !is_logged(plan) || self.0.contains_key(&plan.label()) {
            true => Ok(()),
            false => Err(Error::config(
                "tidegate's tables on the desktop have no log of this table",
                "Run `tidegate migrate` as a role that may alter the table.",
            )),
        }
    }
}

/// Whether the changes of `plan`'s table are in the desktop's log.
pub(super) fn is_logged(plan: &TablePlan) -> bool {
    plan.capture == Capture::DesktopLog
}

/// The table of the entries, and that the row `s` of it is one of `label`'s since `watermark`.
pub(super) fn changed_since(
    store: &str,
    label: &str,
    watermark: &str,
    params: &mut Params,
) -> Result<(String, String)> {
    let (label, from) = (params.text(label), params.bytes(version(watermark)?));
    let entries = format!("{}._sync_changes", tsql::ident(store));
    Ok((entries, format!("s.table_name = {label} and s.version >= {from}")))
}

/// The keys of what was changed in `plan`'s table from the version `from` on.
pub(super) async fn keys_since(
    connection: &mut Connection,
    sql: &Sql,
    store: &str,
    (plan, from): (&TablePlan, &Vec<u8>),
) -> Result<BTreeSet<String>> {
    let statement = sql.render("sqlserver/logged_keys.sql", &[("store", &tsql::ident(store))]);
    let label = plan.label();
    let doing = format!("reading the change log of {label}");
    let rows = connection.rows(doing, &statement, &[&label, from]).await?;
    rows.iter().map(|row| sets::get::<&str>(row, "key").map(str::to_owned)).collect()
}

/// What is asked, question after question.
pub(super) enum Questions {
    /// All of them are known.
    Known(VecDeque<Reading>),
    /// They follow from the log.
    Logged(Box<Pages>),
}

impl Questions {
    /// The next one.
    pub(super) async fn next(&mut self, connection: &mut Connection) -> Result<Option<Reading>> {
        match self {
            Self::Known(readings) => Ok(readings.pop_front()),
            Self::Logged(pages) => pages.next(connection).await,
        }
    }
}

/// The entries of a table's log since a position.
pub(super) struct Pages {
    sql: Sql,
    plan: TablePlan,
    zone: Option<Arc<Zone>>,
    only: Option<String>,
    texts: Texts,
    store: String,
    /// Where the next page begins, if there is one.
    from: Option<Vec<u8>>,
    /// How many entries it may have.
    entries: usize,
    ready: VecDeque<Reading>,
    /// What was asked for, by hash. A row comes once: what is below the horizon was committed before any
    /// row was read, and what is above is read again by the next run.
    asked: HashSet<[u8; 16]>,
}

impl Pages {
    /// Those that `selection` asks for, if it asks for any.
    pub(super) fn of(
        asking: &Asking<'_>,
        zone: Option<Arc<Zone>>,
        store: Option<&str>,
        selection: Selection<'_>,
    ) -> Result<Option<Self>> {
        let Selection::Since(Position { watermark: Some(watermark), .. }) = selection else {
            return Ok(None);
        };
        let Some(store) = store.filter(|_| is_logged(asking.plan)) else { return Ok(None) };
        Ok(Some(Self {
            sql: asking.sql.clone(),
            plan: asking.plan.clone(),
            zone,
            only: asking.only.map(str::to_owned),
            texts: asking.texts,
            store: tsql::ident(store),
            from: Some(version(watermark)?),
            entries: ENTRIES,
            ready: VecDeque::new(),
            asked: HashSet::new(),
        }))
    }

    async fn next(&mut self, connection: &mut Connection) -> Result<Option<Reading>> {
        while self.ready.is_empty() {
            let Some(from) = self.from.take() else { return Ok(None) };
            let mut page = self.page(connection, &from).await?;
            if page.len() >= self.entries {
                // There are servers that give one version to all entries of a transaction: what the
                // last one's are is known only with the next page.
                let last = page.last().map(|(version, _)| version.clone());
                page.retain(|(version, _)| Some(version) != last.as_ref());
                self.entries *= if page.is_empty() { 2 } else { 1 };
                self.from = last;
            }
            self.ready = self.readings(page)?;
        }
        Ok(self.ready.pop_front())
    }

    /// The next entries, each its version and its key.
    async fn page(
        &self,
        connection: &mut Connection,
        from: &Vec<u8>,
    ) -> Result<Vec<(Vec<u8>, String)>> {
        let entries = self.entries.to_string();
        let slots = [("store", &*self.store), ("entries", &*entries)];
        let statement = self.sql.render("sqlserver/log_page.sql", &slots);
        let label = self.plan.label();
        let doing = format!("reading the change log of {label}");
        let rows = connection.rows(doing, &statement, &[&label, from]).await?;
        let entry = |row| {
            let (version, key): (&[u8], &str) =
                (sets::get(row, "version")?, sets::get(row, "key")?);
            // The log's only character that JSON does not have.
            Ok((version.to_vec(), key.replace('\0', "\\u0000")))
        };
        rows.iter().map(entry).collect()
    }

    /// The questions for the rows of a page, in the order of their last entries there.
    fn readings(&mut self, page: Vec<(Vec<u8>, String)>) -> Result<VecDeque<Reading>> {
        let last: BTreeMap<String, Vec<u8>> =
            page.into_iter().map(|(version, key)| (key, version)).collect();
        let mut is_new = |key: &String| self.asked.insert(jsonb::hash(key));
        let mut rows: Vec<(Vec<u8>, String)> =
            last.into_iter().filter(|(key, _)| is_new(key)).map(|(key, at)| (at, key)).collect();
        rows.sort();
        let asking = Asking {
            sql: &self.sql,
            plan: &self.plan,
            zone: self.zone.as_deref(),
            only: self.only.as_deref(),
            texts: self.texts,
        };
        let width = self.plan.key.len();
        let room = (Params::MAX - width) / (width + 1);
        rows.chunks(room.max(1)).map(|some| asking.logged(some)).collect()
    }
}
