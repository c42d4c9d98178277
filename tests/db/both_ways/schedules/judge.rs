//! Both databases, judged by what users did: whatever one of them wrote is at both ends, or was written
//! over by somebody who saw it, or lost in a conflict that is recorded.

use std::collections::{BTreeMap, BTreeSet};

use tokio_postgres::Client;

use super::Triggers;
use super::users::{Act, CLOUD, DESKTOP};

/// A row as one end holds it.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    name: String,
    owner: String,
    /// Where triggers leave it alone.
    stamp: Option<String>,
}

/// What both ends hold in the end.
pub struct Ends {
    rows: [BTreeMap<i32, Row>; 2],
    /// Names of versions that lost, each with that of the winner where the stamps decided.
    lost: BTreeMap<String, String>,
    /// Rows that are on the list of either end, with the reasons.
    listed: BTreeMap<i32, String>,
}

impl Ends {
    pub async fn read(sessions: &[Client; 2], triggers: Triggers) -> Self {
        let [desktop, cloud] = sessions;
        let rows = [rows(desktop, triggers).await, rows(cloud, triggers).await];
        let mut ends = Self { rows, lost: BTreeMap::new(), listed: BTreeMap::new() };
        for session in sessions {
            // An edit of the other side's row loses whatever it saw.
            let lost = "select lower(row ->> 'name'), \
                        case row ->> 'source' when 'D' then lower(winner ->> 'name') else '' end \
                        from tidegate._sync_trash";
            let lost = session.query(lost, &[]).await.unwrap();
            ends.lost.extend(lost.iter().map(|row| (row.get(0), row.get(1))));
            let listed = "select (key ->> 'id')::integer, direction || ' ' || reason \
                          from tidegate._sync_withheld";
            for row in session.query(listed, &[]).await.unwrap() {
                let reason: String = row.get(1);
                ends.listed.entry(row.get(0)).or_default().push_str(&format!("{reason}, "));
            }
        }
        ends
    }

    /// What is not as it has to be. Empty: all is well.
    pub fn findings(&self, acts: &[Act]) -> Vec<String> {
        let seen: BTreeSet<&str> = acts.iter().filter_map(|act| act.saw.as_deref()).collect();
        let mut findings = Vec::new();
        for act in acts {
            let is_well = match &act.made {
                Some(name) => {
                    seen.contains(name.as_str())
                        || self.lost.contains_key(name)
                        || self.lives(act, name)
                }
                None => !self.rows[act.end].contains_key(&act.id) || self.is_made_again(act, acts),
            };
            if !is_well {
                findings.push(format!("{act:?} is lost: {}", self.about(act.id, acts)));
            }
        }
        let made_of = |lost: &(&String, &String)| descends(lost.0, lost.1, acts);
        let unjust = self.lost.iter().filter(made_of);
        findings
            .extend(unjust.map(|(lost, won)| format!("{lost} was made of {won} and lost to it")));
        let ids: BTreeSet<i32> = self.rows.iter().flat_map(|rows| rows.keys().copied()).collect();
        let differing = ids.iter().filter(|&&id| !self.is_same(id, acts));
        findings.extend(differing.map(|&id| format!("{id} differs: {}", self.about(id, acts))));
        findings
    }

    /// Whether a version is where it was made, and at the other end as well, unless it is listed that it
    /// is not.
    fn lives(&self, act: &Act, name: &str) -> bool {
        let at = |end: usize| self.rows[end].get(&act.id).is_some_and(|row| row.name == name);
        at(act.end) && (at(1 - act.end) || self.listed.contains_key(&act.id))
    }

    fn is_made_again(&self, deletion: &Act, acts: &[Act]) -> bool {
        acts.iter().any(|act| act.id == deletion.id && act.saw.is_none())
    }

    /// Whether both ends hold the same under a key, but for what is listed, and for deletions, which
    /// do not travel.
    fn is_same(&self, id: i32, acts: &[Act]) -> bool {
        let deleted_at =
            |end: usize| acts.iter().any(|a| a.id == id && a.end == end && a.made.is_none());
        match self.rows.each_ref().map(|rows| rows.get(&id)) {
            [Some(desktop), Some(cloud)] => desktop == cloud || self.listed.contains_key(&id),
            [Some(_), None] => deleted_at(CLOUD),
            [None, Some(_)] => deleted_at(DESKTOP),
            [None, None] => true,
        }
    }

    fn about(&self, id: i32, acts: &[Act]) -> String {
        let [desktop, cloud] = self.rows.each_ref().map(|rows| rows.get(&id));
        let acts: Vec<String> = acts
            .iter()
            .filter(|act| act.id == id)
            .map(|act| {
                let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
                format!("{} {}>{}", ["D", "M"][act.end], name(&act.saw), name(&act.made))
            })
            .collect();
        let listed = self.listed.get(&id);
        format!("desktop {desktop:?}, cloud {cloud:?}, listed {listed:?}, {}", acts.join(" "))
    }
}

/// Whether whoever made the version `name` saw the version `older`, or one that was made of that.
fn descends(name: &str, older: &str, acts: &[Act]) -> bool {
    let mut version = Some(name);
    while let Some(name) = version {
        let maker = acts.iter().find(|act| act.made.as_deref() == Some(name));
        version = maker.and_then(|act| act.saw.as_deref());
        if version == Some(older) {
            return true;
        }
    }
    false
}

async fn rows(session: &Client, triggers: Triggers) -> BTreeMap<i32, Row> {
    let query = "select id, lower(name), source::text, updated_at::text from jobs";
    let rows = session.query(query, &[]).await.unwrap();
    let row = |row: &tokio_postgres::Row| {
        let stamp = row.get::<_, Option<String>>(3).filter(|_| triggers == Triggers::None);
        (row.get(0), Row { name: row.get(1), owner: row.get(2), stamp })
    };
    rows.iter().map(row).collect()
}
