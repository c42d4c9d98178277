//! Withheld rows: which of them are worth another try, and which are gone.

use std::collections::{BTreeMap, BTreeSet};

use md5::{Digest, Md5};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::sets::{any, get};
use crate::db::sqlserver::statement::Param;
use crate::error::Result;
use crate::model::{Awaited, Reason, TablePlan};
use crate::sql::tsql::table;
use crate::store::CarriedByTable;

use super::SqlServerStore;
use super::lists::{HASH, hashes, pieces, tuples};
use super::reading::{json, text};

/// What the mark of a table's definition begins with: a digest of a row has no blanks.
const DEFINITION: &str = "definition ";

/// A row of the list, as far as it says what it waits for.
struct Waiting {
    key: String,
    reason: Option<Reason>,
    contested: bool,
    target_version: Option<String>,
    since: Option<String>,
    /// The mark of the side that it belongs to.
    owner: Option<String>,
}

/// What it is compared with.
struct Now<'n> {
    /// The mark of the writing side.
    writer: &'n str,
    /// The mark of the table's definition.
    definition: Option<&'n str>,
    /// The digests of the rows that are there, by their keys.
    held: &'n BTreeMap<String, String>,
    /// The keys of rows that the other direction could not write yet.
    held_back: &'n BTreeSet<&'n str>,
}

/// Whether a row is worth another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worth {
    Nothing,
    /// If its owner at the source is the writer by now.
    OnceOwned,
    Another,
}

impl SqlServerStore<'_> {
    /// The withheld rows of `plans` that are worth another try, by table; `carried` is how far the
    /// other direction had come with them, and `held` gives the digests of the rows that a table has
    /// under keys, those that it has.
    ///
    /// What waits for a parent or a unique value is always tried: to ask for it here costs as much.
    pub async fn awaited(
        &self,
        connection: &mut Connection,
        plans: &[&TablePlan],
        carried: &CarriedByTable,
        held: impl AsyncFn(&mut Connection, &TablePlan, &[String]) -> Result<BTreeMap<String, String>>,
    ) -> Result<BTreeMap<String, Vec<Awaited>>> {
        let mut awaited = BTreeMap::new();
        for plan in plans {
            let label = plan.label();
            let waiting = self.waiting(connection, plan).await?;
            let met: Vec<String> =
                waiting.iter().filter(|w| w.met_a_row()).map(|w| w.key.clone()).collect();
            let held = match met.is_empty() {
                true => BTreeMap::new(),
                false => held(connection, plan, &met).await?,
            };
            let definition = match waiting.iter().any(Waiting::was_refused) {
                true => Some(self.definition(connection, plan).await?),
                false => None,
            };
            let held_back = carried.get(&label).map(|c| c.held_back.as_slice()).unwrap_or_default();
            let now = Now {
                writer: &plan.owner.writer,
                definition: definition.as_deref(),
                held: &held,
                held_back: &held_back.iter().map(String::as_str).collect(),
            };
            let due: Vec<Awaited> = waiting.into_iter().filter_map(|w| w.awaited(&now)).collect();
            if !due.is_empty() {
                awaited.insert(label, due);
            }
        }
        Ok(awaited)
    }

    async fn waiting(&self, connection: &mut Connection, plan: &TablePlan) -> Result<Vec<Waiting>> {
        let sql = self.render("sqlserver/withheld.sql");
        let (label, direction) = (plan.label(), plan.direction.word());
        let doing = format!("looking for withheld rows of {label}");
        let rows = connection.rows(doing, &sql, &[&label, &direction]).await?;
        let mut waiting = Vec::new();
        for row in &rows {
            let copy: Map<String, Value> = json(get(row, "row")?)?;
            let owner = copy.get(&plan.owner_column().name).and_then(Value::as_str);
            waiting.push(Waiting {
                key: get::<&str>(row, "key")?.to_owned(),
                reason: Reason::from_word(get(row, "reason")?),
                contested: get(row, "contested")?,
                target_version: text(row, "target_version")?,
                since: text(row, "since")?,
                owner: owner.map(str::to_owned),
            });
        }
        Ok(waiting)
    }

    /// The mark of everything by which the target's table may refuse a row.
    pub async fn definition(
        &self,
        connection: &mut Connection,
        plan: &TablePlan,
    ) -> Result<String> {
        let sql = self.sql.render("sqlserver/definition.sql", &[]);
        let doing = format!("looking at how {} is defined", plan.label());
        let sets = connection.result_sets(doing, &sql, &[&table(&plan.target)]).await?;
        let mut lines = Vec::new();
        for (kind, rows) in sets.iter().enumerate() {
            for row in rows {
                let part = |name| any::<&str>(row, name).map(Option::unwrap_or_default);
                lines.push(format!("{kind} {}\0{}", part("name")?, part("mark")?));
            }
        }
        lines.sort_unstable();
        let digest = Md5::digest(lines.join("\n").as_bytes());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{DEFINITION}{digest}"))
    }

    /// The rows of `plan` that the run `run_id` had to leave for later, each with the reason. Those of
    /// earlier runs were all tried by it.
    pub async fn left_for_later(
        &self,
        connection: &mut Connection,
        plan: &TablePlan,
        run_id: Uuid,
    ) -> Result<Vec<(Awaited, Option<Reason>)>> {
        let sql = self.render("sqlserver/left_for_later.sql");
        let (label, direction) = (plan.label(), plan.direction.word());
        let doing = format!("looking for withheld rows of {label}");
        let rows = connection.rows(doing, &sql, &[&label, &direction, &run_id]).await?;
        let mut left = Vec::new();
        for row in &rows {
            let (key, since) = (get::<&str>(row, "key")?.to_owned(), text(row, "since")?);
            let reason = Reason::from_word(get(row, "reason")?);
            left.push((Awaited { key, once_owned: false, since }, reason));
        }
        Ok(left)
    }

    /// Takes rows off the list that were asked for again and that the source has no more. A key that
    /// has other columns than the table's now could not be asked for.
    pub async fn forget_gone(
        &self,
        connection: &mut Connection,
        plan: &TablePlan,
        run_id: Uuid,
        asked: &[Awaited],
    ) -> Result<u64> {
        let columns: BTreeSet<&str> = plan.key_columns().map(|c| c.name.as_str()).collect();
        let is_key = |key: &str| {
            serde_json::from_str::<Map<String, Value>>(key)
                .is_ok_and(|key| key.keys().map(String::as_str).eq(columns.iter().copied()))
        };
        let asked = asked.iter().filter(|a| !a.once_owned).map(|a| a.key.as_str());
        let keys = hashes(asked.filter(|key| is_key(key)));
        let (label, direction) = (plan.label(), plan.direction.word());
        let mut forgotten = 0;
        for piece in pieces(&keys, 1) {
            let list = tuples(3, piece.len(), [HASH]);
            let sql = self.render_with("sqlserver/forget_gone.sql", ("keys", &list));
            let mut params: Vec<Param<'_>> = vec![&label, &direction, &run_id];
            params.extend(piece.iter().map(|hash| hash as Param<'_>));
            let doing = format!("clearing withheld rows of {label}");
            forgotten += connection.run(doing, &sql, &params).await?;
        }
        Ok(forgotten)
    }
}

impl Waiting {
    /// Whether it was refused by the table as it was defined.
    fn was_refused(&self) -> bool {
        self.target_version.as_deref().is_some_and(|version| version.starts_with(DEFINITION))
    }

    /// Whether it waits for the row that it met to change.
    fn met_a_row(&self) -> bool {
        let tried_always = [Reason::Busy, Reason::Unique, Reason::MissingParent, Reason::Stale];
        let is_one = |reason: Reason| tried_always.contains(&reason);
        !self.was_refused() && !self.is_pending() && !self.reason.is_some_and(is_one)
    }

    /// Whether it waits for the other direction to bring the other version where it belongs.
    fn is_pending(&self) -> bool {
        match self.reason {
            Some(Reason::PendingMobileEdit) => true,
            Some(Reason::Owner) => self.contested,
            _ => false,
        }
    }

    fn worth(&self, now: &Now<'_>) -> Worth {
        let is_due = match self.reason {
            _ if self.was_refused() => self.target_version.as_deref() != now.definition,
            _ if self.is_pending() => !now.held_back.contains(self.key.as_str()),
            _ if self.met_a_row() => self.target_version.as_ref() != now.held.get(&self.key),
            _ => true,
        };
        // Its owner at the source may be another by now, without a new stamp.
        let is_foreign =
            self.reason == Some(Reason::Owner) && self.owner.as_deref() != Some(now.writer);
        match is_due {
            true => Worth::Another,
            false if is_foreign && self.met_a_row() => Worth::OnceOwned,
            false => Worth::Nothing,
        }
    }

    fn awaited(self, now: &Now<'_>) -> Option<Awaited> {
        let once_owned = match self.worth(now) {
            Worth::Nothing => return None,
            Worth::OnceOwned => true,
            Worth::Another => false,
        };
        Some(Awaited { key: self.key, once_owned, since: self.since })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "{\"id\": \"1\"}";

    fn waiting(reason: Reason, version: Option<&str>) -> Waiting {
        Waiting {
            key: KEY.to_owned(),
            reason: Some(reason),
            contested: false,
            target_version: version.map(str::to_owned),
            since: None,
            owner: Some("mobile".to_owned()),
        }
    }

    #[track_caller]
    fn check(waiting: &Waiting, held: Option<&str>, held_back: &[&str], worth: Worth) {
        let held = held.map(|version| (KEY.to_owned(), version.to_owned())).into_iter().collect();
        let now = Now {
            writer: "mobile",
            definition: Some("definition 2"),
            held: &held,
            held_back: &held_back.iter().copied().collect(),
        };
        assert_eq!(waiting.worth(&now), worth);
    }

    #[test]
    fn what_waits_for_a_lock_or_another_row_is_always_tried() {
        for reason in [Reason::Busy, Reason::MissingParent, Reason::Unique, Reason::Stale] {
            check(&waiting(reason, Some("v")), Some("v"), &[], Worth::Another);
        }
    }

    #[test]
    fn what_the_table_refused_is_tried_once_the_table_is_another() {
        for reason in [Reason::BadValue, Reason::Unique] {
            check(&waiting(reason, Some("definition 2")), None, &[], Worth::Nothing);
            check(&waiting(reason, Some("definition 1")), None, &[], Worth::Another);
        }
    }

    #[test]
    fn what_met_a_row_is_tried_once_that_has_changed() {
        for reason in [Reason::Owner, Reason::KeyCollision, Reason::DeletedByDesktop] {
            check(&waiting(reason, Some("v")), Some("v"), &[], Worth::Nothing);
            check(&waiting(reason, Some("v")), Some("w"), &[], Worth::Another);
            check(&waiting(reason, Some("v")), None, &[], Worth::Another);
            check(&waiting(reason, None), None, &[], Worth::Nothing);
            check(&waiting(reason, None), Some("w"), &[], Worth::Another);
        }
    }

    #[test]
    fn a_row_of_nobody_is_read_once_it_is_the_writers() {
        let nobodys = Waiting { owner: None, ..waiting(Reason::Owner, Some("v")) };
        check(&nobodys, Some("v"), &[], Worth::OnceOwned);
        check(&nobodys, Some("w"), &[], Worth::Another);
    }

    #[test]
    fn what_both_sides_changed_is_tried_once_the_other_version_is_home() {
        let contested = Waiting { contested: true, ..waiting(Reason::Owner, Some("v")) };
        check(&contested, Some("v"), &[KEY], Worth::Nothing);
        check(&contested, Some("v"), &[], Worth::Another);
    }
}
