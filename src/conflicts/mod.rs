//! The inbox: what both sides did to one row. What is still open stands in `_sync_withheld`, what a run
//! has decided in `_sync_trash`, at the end that the run wrote.

mod lists;

use serde::Serialize;
use serde_json::Value;

use crate::config::Config;
use crate::db::postgres::{Database, Purpose};
use crate::error::{End, Error, Kind, Result};
use crate::model::conflict::{Conflict, Id, List, What};
use crate::model::{Direction, Reason};
use crate::run;
use crate::sql::Sql;
use crate::store::{Base, ConflictRecord, Conflicts, Values};

use lists::Lists;

/// Which entries are listed.
#[derive(Debug, Clone)]
pub struct Request {
    /// Of this table alone, by its name in the cloud.
    pub table: Option<String>,
    /// No more than so many.
    pub limit: usize,
}

/// The inbox.
#[derive(Debug, Serialize)]
pub struct Inbox {
    /// How many wait.
    pub open: u64,
    /// How many runs have decided.
    pub decided: u64,
    /// The open ones first, each list from the latest.
    pub entries: Vec<Entry>,
}

/// An entry of the inbox.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// How people call it.
    #[serde(serialize_with = "as_text")]
    pub id: Id,
    /// The table.
    pub table: String,
    /// The key: columns of the cloud → text.
    pub key: Value,
    /// What happened, in a word.
    pub kind: &'static str,
    /// Open, or decided by a run.
    pub state: State,
    /// Which way the row went.
    pub direction: &'static str,
    /// When it was met first, or decided.
    pub since: String,
    /// How often an open one was tried.
    pub attempts: Option<i64>,
    /// What the next runs do about it.
    pub next: &'static str,
}

/// Whether an entry waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits for the next run, or for people.
    Open,
    /// A run has decided.
    Decided,
}

/// All that is known of one entry. Without `Debug`: no log shows values of rows.
#[derive(Serialize)]
pub struct Shown {
    /// As it is listed.
    #[serde(flatten)]
    pub entry: Entry,
    /// The rule that decided, in its words.
    pub why: &'static str,
    /// How to end it otherwise.
    pub way_out: &'static str,
    /// When an open one was met last.
    pub last_seen: Option<String>,
    /// What the target said of the row.
    pub detail: Option<String>,
    /// The desktop's version, as the run met it; `None`: it had none.
    pub desktop: Option<Values>,
    /// The mobile version, as the run met it.
    pub mobile: Option<Values>,
    /// What the row was before the last change by a mobile user, if the log has that still.
    pub base: Option<Values>,
    /// The columns in which the two versions differ.
    pub differs: Vec<String>,
    /// The runs that met it: the first and the last.
    pub runs: Vec<String>,
}

fn as_text<S: serde::Serializer>(id: &Id, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

/// Lists the inbox of both ends; the desktop may be without tidegate's tables.
///
/// # Errors
/// When an end can't be asked, or [`Kind::Config`] for a table that the configuration doesn't know.
pub async fn list(config: &Config, request: &Request, sql: &Sql) -> Result<Inbox> {
    let named: Vec<String> = request.table.iter().cloned().collect();
    let label = match run::selected(config, &named)?.first() {
        Some(settings) if request.table.is_some() => Some(settings.cloud.to_string()),
        _ => None,
    };
    let ask = |end| conflicts(config, end, label.as_deref(), request.limit, sql);
    let (cloud, desktop) = tokio::try_join!(ask(End::Cloud), ask(End::Desktop))?;
    let (open, decided) = (cloud.open + desktop.open, cloud.decided + desktop.decided);
    let mut entries = Vec::new();
    for list in [List::Withheld, List::Trash] {
        let mut of_list = Vec::new();
        for (end, found) in [(End::Cloud, &cloud), (End::Desktop, &desktop)] {
            let records = match list {
                List::Withheld => &found.withheld,
                List::Trash => &found.trash,
            };
            let id = |number| Id { end, list, number };
            of_list.extend(records.iter().filter_map(|r| entry(id(r.number), r)));
        }
        of_list.sort_by(|a: &Entry, b: &Entry| b.since.cmp(&a.since));
        entries.extend(of_list);
    }
    entries.truncate(request.limit);
    Ok(Inbox { open, decided, entries })
}

async fn conflicts(
    config: &Config,
    end: End,
    label: Option<&str>,
    limit: usize,
    sql: &Sql,
) -> Result<Conflicts> {
    match Lists::open(config, end, sql).await? {
        Some(lists) => lists.conflicts(label, limit).await,
        None => Ok(Conflicts::default()),
    }
}

/// Shows one entry.
///
/// # Errors
/// When an end can't be asked, or [`Kind::Other`] where there is no such entry.
pub async fn show(config: &Config, id: Id, sql: &Sql) -> Result<Shown> {
    let record = match Lists::open(config, id.end, sql).await? {
        Some(lists) => lists.conflict(id).await?,
        None => None,
    };
    let record = record.ok_or_else(|| unknown(id))?;
    let doing = format!("reading {id}");
    let log = run::store(config, End::Cloud, sql);
    let cloud = Database::new(&config.cloud_url, End::Cloud, Purpose::Writer, 1)?;
    let moment = (id.list == List::Trash).then_some(&*record.since);
    let key = record.key.to_string();
    let base = cloud
        .connection()
        .await?
        .look(&doing, sql, async |on| log.base(on, &record.table, &key, moment).await);
    shown(config, id, base.await?, record)
}

fn shown(config: &Config, id: Id, base: Option<Base>, record: ConflictRecord) -> Result<Shown> {
    let conflict = conflict(&record).ok_or_else(|| unknown(id))?;
    let entry = entry(id, &record).ok_or_else(|| unknown(id))?;
    let (desktop, mobile) = match (conflict.what, conflict.direction) {
        (What::LostToDesktop, _) => (record.won, record.lost),
        (What::LostToMobile, _) => (record.lost, record.won),
        (_, Direction::Forward) => (record.sent, record.held),
        (_, Direction::Reverse) => (record.held, record.sent),
    };
    let mark = |values: &Values| values.get(&config.ownership.column).cloned().flatten();
    let is_mobiles = mobile.as_ref().and_then(mark) == Some(config.ownership.mobile.clone());
    Ok(Shown {
        entry,
        why: conflict.why(is_mobiles),
        way_out: conflict.way_out(),
        last_seen: record.last_seen,
        detail: record.detail,
        differs: differing(desktop.as_ref(), mobile.as_ref()),
        desktop,
        mobile,
        base: base.map(|base| base.values),
        runs: record.runs,
    })
}

/// The columns in which two versions differ; none where there is only one.
fn differing(one: Option<&Values>, other: Option<&Values>) -> Vec<String> {
    let Some((one, other)) = one.zip(other) else { return Vec::new() };
    let differs = |(name, value): (&String, &Option<String>)| {
        (other.get(name) != Some(value)).then(|| name.clone())
    };
    one.iter().filter_map(differs).collect()
}

fn conflict(record: &ConflictRecord) -> Option<Conflict> {
    let direction = match record.direction.as_str() {
        "reverse" => Direction::Reverse,
        _ => Direction::Forward,
    };
    let withheld = |reason| match record.contested {
        true => What::Contested(reason),
        false => What::Withheld(reason),
    };
    let what = match record.attempts {
        Some(_) => Reason::from_word(&record.reason).map(withheld),
        None => What::from_trash(&record.reason),
    };
    what.map(|what| Conflict { direction, what })
}

/// A word that this version does not know names no conflict.
fn entry(id: Id, record: &ConflictRecord) -> Option<Entry> {
    let conflict = conflict(record)?;
    Some(Entry {
        id,
        table: record.table.clone(),
        key: record.key.clone(),
        kind: conflict.what.word(),
        state: match id.list {
            List::Withheld => State::Open,
            List::Trash => State::Decided,
        },
        direction: conflict.direction.word(),
        since: record.since.clone(),
        attempts: record.attempts,
        next: conflict.next(),
    })
}

fn unknown(id: Id) -> Error {
    Error::new(Kind::Other, format!("there is no {id}, or no more")).remedied(
        "See `tidegate conflicts list`. An open one leaves the list once a run has brought the row.",
    )
}
