//! What the writers did, as they know it: only what was committed, by the answer to their COMMIT.
//! And the judgement of both databases by it.

use std::collections::BTreeMap;

use tokio_postgres::{Client, Row};

/// Reads a row of `r` as a version.
pub const VERSION: &str = "r.id, r.source::text, r::text, \
    (extract(epoch from greatest(r.created_at, r.updated_at)) * 1000000)::bigint";

/// A table and the key of a row in it.
pub type Key = (&'static str, i32);

/// A row as it was at one time: its owner, its text, and its stamp in microseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    pub owner: String,
    pub text: String,
    pub stamp: i64,
}

impl Version {
    /// Out of the columns of [`VERSION`].
    pub fn of(table: &'static str, row: &Row) -> (Key, Self) {
        ((table, row.get(0)), Self { owner: row.get(1), text: row.get(2), stamp: row.get(3) })
    }
}

/// What was committed.
#[derive(Debug, Default)]
pub struct Journal {
    /// Every version of every row that the desktop ever had.
    pub desktop: BTreeMap<Key, Vec<Version>>,
    /// The mobile users' rows as they last wrote them; none: as they deleted them.
    pub own: BTreeMap<Key, Option<Version>>,
    /// Desktop rows as mobile users last edited them. One user edits a row, so "last" is certain.
    pub edits: BTreeMap<Key, Version>,
}

impl Journal {
    /// What the desktop had before anybody came.
    pub async fn of_shared_jobs(desktop: &Client) -> Self {
        let query = format!("select {VERSION} from jobs r");
        let rows = desktop.query(&query, &[]).await.unwrap();
        let versions = rows.iter().map(|row| Version::of("jobs", row));
        let desktop = versions.map(|(key, version)| (key, vec![version])).collect();
        Self { desktop, ..Self::default() }
    }

    /// Adds another writer's.
    pub fn add(&mut self, other: Journal) {
        for (key, versions) in other.desktop {
            self.desktop.entry(key).or_default().extend(versions);
        }
        self.own.extend(other.own);
        self.edits.extend(other.edits);
    }

    fn had(&self, key: &Key) -> &[Version] {
        self.desktop.get(key).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A row as one of the databases holds it.
struct Held {
    version: Version,
    /// A task's job.
    parent: Option<i32>,
}

struct Ends {
    desktop: BTreeMap<Key, Held>,
    cloud: BTreeMap<Key, Held>,
    /// Reasons by key.
    withheld: BTreeMap<Key, String>,
}

async fn held(session: &Client) -> BTreeMap<Key, Held> {
    let mut all = BTreeMap::new();
    for (table, parent) in [("jobs", "null::integer"), ("tasks", "r.job_id")] {
        let query = format!("select {VERSION}, {parent} from {table} r");
        for row in session.query(&query, &[]).await.unwrap() {
            let (key, version) = Version::of(table, &row);
            all.insert(key, Held { version, parent: row.get(4) });
        }
    }
    all
}

async fn withheld(cloud: &Client) -> BTreeMap<Key, String> {
    let query = "select table_name, (key ->> 'id')::integer, reason from tidegate._sync_withheld";
    let rows = cloud.query(query, &[]).await.unwrap();
    let table = |row: &Row| if row.get::<_, &str>(0) == "jobs" { "jobs" } else { "tasks" };
    rows.iter().map(|row| ((table(row), row.get(1)), row.get(2))).collect()
}

/// What is not as it has to be once everybody rests and a run has ended. Empty: all is well.
pub async fn findings(journal: &Journal, desktop: &Client, cloud: &Client) -> Vec<String> {
    let ends = Ends {
        desktop: held(desktop).await,
        cloud: held(cloud).await,
        withheld: withheld(cloud).await,
    };
    let mut findings = Vec::new();
    for (key, row) in &ends.desktop {
        if !journal.had(key).contains(&row.version) {
            findings.push(format!("{key:?}: the desktop holds what nobody there wrote"));
        }
        findings.extend(missing(journal, key, row, &ends));
    }
    for (key, row) in &journal.own {
        let there =
            ends.cloud.get(key).filter(|held| held.version.owner == "M").map(|held| &held.version);
        if there != row.as_ref() {
            findings.push(format!("{key:?}: a mobile user left {row:?}, the cloud has {there:?}"));
        }
    }
    for (key, row) in &ends.cloud {
        findings.extend(strange(journal, key, &row.version));
    }
    findings
}

/// A desktop row that is not in the cloud as it is, and not withheld for a true reason.
fn missing(journal: &Journal, key: &Key, row: &Held, ends: &Ends) -> Option<String> {
    let there = ends.cloud.get(key).map(|held| &held.version);
    let reason = ends.withheld.get(key).map_or("nothing", String::as_str);
    let has_parent = || row.parent.is_none_or(|parent| ends.cloud.contains_key(&("jobs", parent)));
    let is_true = match (reason, there) {
        // Or it had arrived when a mobile user edited it.
        ("nothing", Some(there)) => {
            *there == row.version
                || journal.edits.get(key).is_some_and(|edit| edit == there)
                    && there.stamp > row.version.stamp
        }
        ("key_collision", Some(there)) => there.owner == "M",
        ("pending_mobile_edit", Some(there)) => {
            there.owner == "D" && journal.edits.get(key).is_some_and(|edit| edit == there)
        }
        ("missing_parent", None) => !has_parent(),
        _ => false,
    };
    (!is_true).then(|| {
        format!("{key:?}: desktop {:?}, cloud {there:?}, withheld for {reason}", row.version)
    })
}

/// A row of the cloud that neither end's users can have left there.
fn strange(journal: &Journal, key: &Key, row: &Version) -> Option<String> {
    let is_known = match (row.owner.as_str(), journal.edits.get(key)) {
        ("M", _) => journal.own.contains_key(key),
        ("D", None) => journal.had(key).contains(row),
        // A mobile edit stays until a later one of the desktop.
        ("D", Some(edit)) => {
            let later = |v: &&Version| v.stamp >= edit.stamp;
            row == edit || journal.had(key).iter().filter(later).any(|v| v == row)
        }
        _ => false,
    };
    (!is_known).then(|| {
        let edit = journal.edits.get(key);
        format!("{key:?}: the cloud has {row:?}, a mobile edit was {edit:?}")
    })
}
