//! The list of rows that were not written: what a batch puts on it, and what it takes off.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tiberius::Row;

use crate::db::sqlserver::Connection;
use crate::db::sqlserver::sets::get;
use crate::db::sqlserver::statement::Param;
use crate::error::Result;
use crate::model::{Direction, Reason};

use super::lists::{HASH, hashes, pieces, tuples};
use super::reading::{json, text};
use super::{OfRun, SqlServerStore};

/// A row that was not written. Without `Debug`: no log shows values of rows.
pub struct WithheldEntry {
    /// Its key, as the text of a `jsonb`.
    pub key: String,
    /// Why.
    pub reason: Reason,
    /// What the target said of it, without values.
    pub detail: Option<String>,
    /// The row, as the text of a `jsonb`.
    pub row: String,
    /// The row that it met, likewise.
    pub target_row: Option<String>,
    /// The digest of that row, or the [mark of the definition](SqlServerStore::definition) that
    /// refused it.
    pub target_version: Option<String>,
    /// Where the table stood before, as a JSON object, and what the row was before it was changed;
    /// `None`: nothing of it is pending.
    pub since: Option<String>,
    /// Whether both sides have changed the row.
    pub contested: bool,
}

/// How a batch met its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// They were asked for by their keys.
    AskedFor,
    /// They were among those that changed.
    InPassing,
}

/// An entry that is on the list.
struct Known {
    id: i64,
    reason: String,
    row: String,
    target_row: Option<String>,
    target_version: Option<String>,
    since: Option<String>,
}

/// What becomes of an entry that may be on the list.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    /// It is added.
    New,
    /// It replaces the one of this number; the other part of it is `since`.
    Again(i64, Option<String>),
    /// It says nothing new.
    Nothing,
}

const LISTING: &str = "listing withheld rows";

impl SqlServerStore<'_> {
    /// Lists what was not written; gives the number of entries that say something new. One that says
    /// nothing new is left alone, unless it was tried again; so is a change that is pending, when its
    /// row is only met in passing. What a row was before it was changed stays known while that is
    /// pending.
    pub async fn withhold(
        &self,
        connection: &mut Connection,
        of: &OfRun<'_>,
        entries: &[WithheldEntry],
        occasion: Occasion,
    ) -> Result<u64> {
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        let sql = "sqlserver/withheld_known.sql";
        let rows = self.listed(connection, sql, (of.label, of.direction), &keys).await?;
        let known = rows.iter().map(Known::read).collect::<Result<BTreeMap<_, _>>>()?;
        let (mut new, mut again) = (Vec::new(), Vec::new());
        for entry in entries {
            match change(known.get(&entry.key), entry, occasion)? {
                Change::New => new.push(entry),
                Change::Again(id, since) => again.push((id, since, entry)),
                Change::Nothing => {}
            }
        }
        self.withhold_new(connection, of, &new).await?;
        self.withhold_again(connection, of, &again).await?;
        Ok((new.len() + again.len()) as u64)
    }

    async fn withhold_new(
        &self,
        connection: &mut Connection,
        of: &OfRun<'_>,
        entries: &[&WithheldEntry],
    ) -> Result<()> {
        let direction = of.direction.word();
        for piece in pieces(entries, 9) {
            let types = ["", HASH, "", TEXT, TEXT, TEXT, TEXT, TEXT, "bit"];
            let list = tuples(3, piece.len(), types);
            let sql = self.render_with("sqlserver/withhold_new.sql", ("entries", &list));
            let keys = hashes(piece.iter().map(|entry| entry.key.as_str()));
            let reasons: Vec<&str> = piece.iter().map(|entry| entry.reason.word()).collect();
            let mut params: Vec<Param<'_>> = vec![&of.label, &direction, &of.run_id];
            for ((entry, hash), reason) in piece.iter().zip(&keys).zip(&reasons) {
                params.push(&entry.key);
                params.push(hash);
                params.push(reason);
                params.extend(said(entry));
                params.push(&entry.since);
                params.push(&entry.contested);
            }
            connection.run(LISTING, &sql, &params).await?;
        }
        Ok(())
    }

    async fn withhold_again(
        &self,
        connection: &mut Connection,
        of: &OfRun<'_>,
        entries: &[(i64, Option<String>, &WithheldEntry)],
    ) -> Result<()> {
        for piece in pieces(entries, 8) {
            let types = ["", "", TEXT, TEXT, TEXT, TEXT, TEXT, "bit"];
            let list = tuples(1, piece.len(), types);
            let sql = self.render_with("sqlserver/withhold_again.sql", ("entries", &list));
            let reasons: Vec<&str> = piece.iter().map(|(.., entry)| entry.reason.word()).collect();
            let mut params: Vec<Param<'_>> = vec![&of.run_id];
            for ((id, since, entry), reason) in piece.iter().zip(&reasons) {
                params.push(id);
                params.push(reason);
                params.extend(said(entry));
                params.push(since);
                params.push(&entry.contested);
            }
            connection.run(LISTING, &sql, &params).await?;
        }
        Ok(())
    }

    /// Takes rows that have arrived off the list.
    pub async fn release(
        &self,
        connection: &mut Connection,
        label: &str,
        direction: Direction,
        keys: &[&str],
    ) -> Result<()> {
        let direction = direction.word();
        for piece in pieces(&hashes(keys.iter().copied()), 1) {
            let list = tuples(2, piece.len(), [HASH]);
            let sql = self.render_with("sqlserver/release.sql", ("keys", &list));
            let mut params: Vec<Param<'_>> = vec![&label, &direction];
            params.extend(piece.iter().map(|hash| hash as Param<'_>));
            connection.run(LISTING, &sql, &params).await?;
        }
        Ok(())
    }

    /// The digests of what withheld rows were before they were changed, by their keys; those of which
    /// nothing is pending are left out.
    pub async fn withheld_bases(
        &self,
        connection: &mut Connection,
        label: &str,
        direction: Direction,
        keys: &[&str],
    ) -> Result<BTreeMap<String, Vec<String>>> {
        let sql = "sqlserver/withheld_known.sql";
        let mut bases = BTreeMap::new();
        for row in self.listed(connection, sql, (label, direction), keys).await? {
            if let Some(since) = text(&row, "since")? {
                let of_row = match json::<Map<String, Value>>(&since)?.remove("bases") {
                    Some(Value::Array(bases)) => bases,
                    _ => Vec::new(),
                };
                let digests = of_row.iter().filter_map(Value::as_str).map(str::to_owned);
                bases.insert(get::<&str>(&row, "key")?.to_owned(), digests.collect());
            }
        }
        Ok(bases)
    }

    /// What the statement `name` gives for the entries with these keys.
    async fn listed(
        &self,
        connection: &mut Connection,
        name: &'static str,
        (label, direction): (&str, Direction),
        keys: &[&str],
    ) -> Result<Vec<Row>> {
        let direction = direction.word();
        let mut listed = Vec::new();
        for piece in pieces(&hashes(keys.iter().copied()), 1) {
            let list = tuples(2, piece.len(), [HASH]);
            let sql = self.render_with(name, ("keys", &list));
            let mut params: Vec<Param<'_>> = vec![&label, &direction];
            params.extend(piece.iter().map(|hash| hash as Param<'_>));
            listed.extend(connection.rows(LISTING, &sql, &params).await?);
        }
        Ok(listed)
    }
}

/// A text that may be longer than the driver says, or null.
const TEXT: &str = "nvarchar(max)";

/// What both statements bind of an entry.
fn said(entry: &WithheldEntry) -> [Param<'_>; 4] {
    [&entry.detail, &entry.row, &entry.target_row, &entry.target_version]
}

impl Known {
    fn read(row: &Row) -> Result<(String, Self)> {
        let known = Self {
            id: get(row, "id")?,
            reason: get::<&str>(row, "reason")?.to_owned(),
            row: get::<&str>(row, "row")?.to_owned(),
            target_row: text(row, "target_row")?,
            target_version: text(row, "target_version")?,
            since: text(row, "since")?,
        };
        Ok((get::<&str>(row, "key")?.to_owned(), known))
    }

    fn says(&self, entry: &WithheldEntry) -> bool {
        self.reason == entry.reason.word()
            && self.row == entry.row
            && self.target_row == entry.target_row
            && self.target_version == entry.target_version
    }
}

/// What becomes of `entry`, of whose row `known` is on the list.
fn change(known: Option<&Known>, entry: &WithheldEntry, occasion: Occasion) -> Result<Change> {
    let Some(known) = known else { return Ok(Change::New) };
    let is_tried = occasion == Occasion::AskedFor || Reason::WAITING.contains(&entry.reason);
    let is_pending = known.since.is_some();
    let says_less = entry.reason == Reason::Stale && !entry.contested && is_pending;
    if says_less || !is_tried && known.says(entry) {
        return Ok(Change::Nothing);
    }
    let since = match (&entry.since, &known.since) {
        // Where the table stood first.
        (Some(now), Some(first)) => {
            let mut since: Map<String, Value> = json(now)?;
            since.extend(json::<Map<String, Value>>(first)?);
            Some(Value::Object(since).to_string())
        }
        _ => entry.since.clone(),
    };
    Ok(Change::Again(known.id, since))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(reason: Reason) -> WithheldEntry {
        WithheldEntry {
            key: "{\"id\": \"1\"}".to_owned(),
            reason,
            detail: None,
            row: "{\"a\": \"1\"}".to_owned(),
            target_row: Some("{\"a\": \"2\"}".to_owned()),
            target_version: Some("v1".to_owned()),
            since: None,
            contested: false,
        }
    }

    /// What is on the list once `entry` was met.
    fn listed(entry: &WithheldEntry) -> Known {
        Known {
            id: 7,
            reason: entry.reason.word().to_owned(),
            row: entry.row.clone(),
            target_row: entry.target_row.clone(),
            target_version: entry.target_version.clone(),
            since: entry.since.clone(),
        }
    }

    fn met(known: &Known, entry: &WithheldEntry, occasion: Occasion) -> Change {
        change(Some(known), entry, occasion).unwrap()
    }

    #[test]
    fn an_entry_that_says_nothing_new_is_left_alone_unless_it_was_tried() {
        let owner = entry(Reason::Owner);
        assert_eq!(change(None, &owner, Occasion::InPassing).unwrap(), Change::New);
        assert_eq!(met(&listed(&owner), &owner, Occasion::InPassing), Change::Nothing);
        assert_eq!(met(&listed(&owner), &owner, Occasion::AskedFor), Change::Again(7, None));
        let busy = entry(Reason::Busy);
        assert_eq!(met(&listed(&busy), &busy, Occasion::InPassing), Change::Again(7, None));
    }

    #[test]
    fn an_entry_that_met_another_row_is_new() {
        let known = listed(&entry(Reason::Owner));
        for other in [
            WithheldEntry { target_version: Some("v2".to_owned()), ..entry(Reason::Owner) },
            WithheldEntry { target_row: None, ..entry(Reason::Owner) },
            WithheldEntry { row: "{}".to_owned(), ..entry(Reason::Owner) },
            entry(Reason::KeyCollision),
        ] {
            assert_eq!(met(&known, &other, Occasion::InPassing), Change::Again(7, None));
        }
    }

    #[test]
    fn a_pending_change_is_not_forgotten_when_its_row_is_met_in_passing() {
        let pending = |since: &str| WithheldEntry {
            since: Some(since.to_owned()),
            ..entry(Reason::MissingParent)
        };
        let known = listed(&pending("{\"watermark\": \"5\", \"bases\": [\"x\"]}"));
        let stale = entry(Reason::Stale);
        assert_eq!(met(&known, &stale, Occasion::AskedFor), Change::Nothing);
        let contested = WithheldEntry { contested: true, ..stale };
        assert_eq!(met(&known, &contested, Occasion::InPassing), Change::Again(7, None));
        let later = pending("{\"watermark\": \"9\", \"after\": null, \"bases\": []}");
        let Change::Again(7, Some(since)) = met(&known, &later, Occasion::InPassing) else {
            unreachable!("it was tried");
        };
        let since: Value = json(&since).unwrap();
        assert_eq!((&since["watermark"], &since["after"]), (&"5".into(), &Value::Null));
        assert_eq!(since["bases"], Value::from(vec!["x"]));
    }
}
