//! What came of a cell, and whether that may be.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Client;

use super::cells::{Cell, Change, Start, Version};
use crate::support::{Office, column};

/// What is to be seen of one row.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// At the desktop and in the cloud.
    pub live: [Option<String>; 2],
    /// The versions that lost, as they are kept.
    pub trash: BTreeSet<Version>,
    /// Why it is withheld, in the order forward, reverse.
    pub withheld: [Option<String>; 2],
    /// The versions that are withheld.
    kept: BTreeSet<Version>,
}

/// What is to be seen of each cell; `compared` is what both ends must have the same.
pub async fn observe(office: &Office, cells: &[Cell], compared: &str) -> Vec<Observed> {
    let mut observed: BTreeMap<i32, Observed> =
        cells.iter().map(|cell| (cell.id, Observed::default())).collect();
    for (number, end) in [&office.desktop, &office.cloud].into_iter().enumerate() {
        for (id, row) in rows(end, &format!("select id || ' ' || {compared}::text from jobs")).await
        {
            observed.get_mut(&id).unwrap().live[number] = Some(row);
        }
        let trash = "select (key ->> 'id') || ' ' || (row ->> 'name') from tidegate._sync_trash";
        for (id, name) in rows(end, trash).await {
            observed.get_mut(&id).unwrap().trash.insert(version(&name));
        }
        let withheld = "select (key ->> 'id') || ' ' || reason || ' ' || (row ->> 'name') \
                        from tidegate._sync_withheld";
        for (id, entry) in rows(end, withheld).await {
            let seen = observed.get_mut(&id).unwrap();
            let (reason, name) = entry.split_once(' ').unwrap();
            seen.kept.insert(version(name));
            // Forward's list is the cloud's.
            seen.withheld[1 - number] = Some(reason.to_owned());
        }
    }
    observed.into_values().collect()
}

/// Lines of an id and something else.
async fn rows(end: &Client, query: &str) -> Vec<(i32, String)> {
    let split = |line: String| {
        let (id, rest) = line.split_once(' ').unwrap();
        (id.parse().unwrap(), rest.to_owned())
    };
    column(end, query, &[]).await.into_iter().map(split).collect()
}

fn version(name: &str) -> Version {
    match &*name.to_lowercase() {
        "start" => Version::Start,
        "desktop" => Version::Desktop,
        "mobile" => Version::Mobile,
        _ => panic!("{name}"),
    }
}

impl Observed {
    /// The versions at the desktop and in the cloud.
    pub fn versions(&self) -> [Version; 2] {
        self.live.each_ref().map(|row| match row {
            None => Version::None,
            Some(row) => version(row.split(',').nth(1).unwrap()),
        })
    }

    fn has(&self, version: Version) -> bool {
        self.versions().contains(&version)
            || self.trash.contains(&version)
            || self.kept.contains(&version)
    }

    fn is_withheld(&self) -> bool {
        self.withheld.iter().any(Option::is_some)
    }
}

/// What must never be: a version that somebody wrote is nowhere, or the ends differ and nothing
/// says so.
fn losses(cell: &Cell, seen: &Observed) -> Vec<String> {
    let mut faults = Vec::new();
    for (change, version) in [(cell.desktop, Version::Desktop), (cell.mobile, Version::Mobile)] {
        if change.writes() && !seen.has(version) && !cell.may_be_gone(version) {
            faults.push(format!("the version {version:?} is lost"));
        }
    }
    // Whoever deletes sees his row gone.
    if cell.desktop == Change::Delete && seen.live[0].is_some() && cell.start != Start::Mobiles
        || cell.mobile == Change::Delete && seen.live[1].is_some()
    {
        faults.push("a deleted row came back".to_owned());
    }
    faults
}

/// The faults of a cell once both ends are quiet, but for what only whole tables show.
pub fn faults_by_changes(cell: &Cell, seen: &Observed) -> Vec<String> {
    let mut faults = losses(cell, seen);
    let unseen = cell.hides() || deletes(cell);
    if !unseen && seen.live[0] != seen.live[1] && !seen.is_withheld() {
        faults.push("the ends differ, and nothing says so".to_owned());
    }
    if !unseen && seen.versions() != cell.outcome() {
        faults.push(format!("{:?} instead of {:?}", seen.versions(), cell.outcome()));
    }
    told(cell, seen, "by changes", faults)
}

/// The faults of a cell in the end.
pub fn faults(cell: &Cell, seen: &Observed) -> Vec<String> {
    let mut faults = losses(cell, seen);
    let differ = seen.live[0] != seen.live[1];
    if differ && !seen.is_withheld() {
        faults.push("the ends differ, and nothing says so".to_owned());
    }
    let collides = cell.desktop == Change::Insert && cell.mobile == Change::Insert;
    if differ && !collides && !deletes(cell) {
        faults.push("the ends differ".to_owned());
    }
    // Nothing tells that a row which is withheld has gone at the other end as well.
    let both_gone = cell.desktop == Change::Delete && cell.mobile == Change::Delete;
    if !differ && seen.is_withheld() && !both_gone {
        faults.push("the ends have the same, and it is still withheld".to_owned());
    }
    if seen.versions() != cell.outcome() {
        faults.push(format!("{:?} instead of {:?}", seen.versions(), cell.outcome()));
    }
    told(cell, seen, "in the end", faults)
}

fn deletes(cell: &Cell) -> bool {
    cell.desktop == Change::Delete || cell.mobile == Change::Delete
}

fn told(cell: &Cell, seen: &Observed, when: &str, faults: Vec<String>) -> Vec<String> {
    faults.into_iter().map(|fault| format!("{when}: {fault}: {cell:?} {seen:?}")).collect()
}
