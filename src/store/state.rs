//! All that a run has to know of the database that it writes before it starts, in one round trip, and
//! in another one which withheld rows are worth another try, where there are any.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::{Param, text};
use crate::error::{Error, Kind, Result};
use crate::model::settings::Ownership;
use crate::model::{Awaited, Carried, Direction, Horizon, Moved, Position, TablePlan};
use crate::sql::list;

use super::Store;

/// What `_sync_metadata` and its neighbours say.
#[derive(Debug)]
pub struct State {
    /// What the database's snapshot saw: a position of the other direction above it is one of
    /// another database.
    pub snapshot: Horizon,
    /// In the order of the labels.
    pub tables: Vec<TableState>,
}

/// One table, as the last run left it.
#[derive(Debug, Default)]
pub struct TableState {
    /// How far it has been read.
    pub position: Position,
    /// When that was, by both clocks.
    pub moved: Option<Moved>,
    /// Which source database that position belongs to.
    pub source_identity: Option<String>,
    /// Mobile rows when they were last counted.
    pub mobile: Option<u64>,
    /// Whether rows of it are withheld.
    pub withholds: bool,
    /// Those of them that are worth another try, once [they were asked for](Store::awaited).
    pub awaited: Vec<Awaited>,
}

#[derive(Deserialize)]
struct Document {
    version: Option<i32>,
    track_counts: bool,
    snapshot: String,
    tables: Vec<TableDocument>,
}

#[derive(Deserialize)]
struct TableDocument {
    table: String,
    watermark: Option<String>,
    after: Option<String>,
    generation: i64,
    source_identity: Option<String>,
    moved: Option<Moved>,
    mobile: Option<u64>,
    withholds: bool,
}

const READING: &str = "reading the state";

/// How far the other direction had come, by table.
pub type CarriedByTable = BTreeMap<String, Carried>;

impl Store<'_> {
    /// Reads the state of the tables called `labels`.
    ///
    /// # Errors
    /// [`Kind::Config`](crate::error::Kind::Config) when `migrate` has to run first, or the server
    /// doesn't count what the check relies on.
    pub async fn state(
        &self,
        connection: &Connection,
        direction: Direction,
        labels: &[String],
        ownership: &Ownership,
    ) -> Result<State> {
        let sql = self.render("postgres/state.sql");
        let direction = direction.word();
        let params = [(&labels as _, Type::TEXT_ARRAY), text(&direction), text(&ownership.mobile)];
        let document: Document = match connection.document(READING, &sql, &params).await {
            Ok(document) => document,
            Err(e) if self.exists(connection).await? => return Err(e),
            Err(_) => return Err(self.not_migrated("do not exist")),
        };
        self.check_version(document.version.unwrap_or_default())?;
        if !document.track_counts {
            return Err(Error::config(
                format!(
                    "track_counts is off in the {}, so nothing shows what a transaction wrote",
                    self.end
                ),
                "Set track_counts = on (its default) for the server or the role.",
            ));
        }
        Ok(state(labels, document))
    }

    /// What the database's snapshot sees now.
    pub async fn snapshot(&self, connection: &Connection) -> Result<Horizon> {
        let sql = "select pg_current_snapshot()::text";
        Ok(Horizon(Some(connection.value(READING, sql, &[]).await?)))
    }

    /// The withheld rows of `plans` that are worth another try, by table. The plans all go the same
    /// way; `carried` is how far the other direction had come with them.
    pub async fn awaited(
        &self,
        connection: &Connection,
        plans: &[&TablePlan],
        carried: &CarriedByTable,
    ) -> Result<BTreeMap<String, Vec<Awaited>>> {
        let Some(first) = plans.first() else { return Ok(BTreeMap::new()) };
        let (direction, carried) = (first.direction.word(), as_json(carried));
        let params = [text(&direction), text(&first.owner.writer), text(&carried)];
        let sql = list(plans.iter().map(|plan| self.due(plan, "")), "\nunion all\n");
        let rows = match connection.rows(READING, &sql, &params).await {
            Ok(rows) => rows.iter().map(|row| (row.get(0), due(row, row.get(1)))).collect(),
            Err(e) if e.kind() == Kind::BadValue => {
                let mut found = Vec::new();
                for plan in plans {
                    let rows = self.due_one_by_one(connection, plan, &params).await?;
                    found.extend(rows.into_iter().map(|awaited| (plan.label(), awaited)));
                }
                found
            }
            Err(e) => return Err(e),
        };
        let mut awaited = BTreeMap::<String, Vec<Awaited>>::new();
        for (label, row) in rows {
            awaited.entry(label).or_default().push(row);
        }
        Ok(awaited)
    }

    /// The same of one table, where the types of the cloud may have changed since a row was
    /// withheld: one that can't be compared any more must not stop the others.
    async fn due_one_by_one(
        &self,
        connection: &Connection,
        plan: &TablePlan,
        params: &[Param<'_>],
    ) -> Result<Vec<Awaited>> {
        let label = plan.label();
        let only_one = self.due(plan, "w.key = $4::jsonb and");
        let (mut awaited, mut strange) = (Vec::new(), 0);
        for key in self.withheld_keys(connection, &label, plan.direction.word()).await? {
            let mut params = params.to_vec();
            params.push(text(&key));
            match connection.rows(READING, &only_one, &params).await {
                Ok(rows) => awaited.extend(rows.first().map(|row| due(row, key))),
                // What it waits for can't be told: it is asked for, and then compared as it is now.
                Err(e) if e.kind() == Kind::BadValue => {
                    match self.is_key(connection, plan, &key).await? {
                        true => awaited.push(Awaited { key, once_owned: false, since: None }),
                        false => strange += 1,
                    }
                }
                Err(e) => return Err(e),
            }
        }
        if strange > 0 {
            tracing::warn!(
                table = label,
                rows = strange,
                "{label}: {strange} withheld rows have keys that are none since the key has \
                 another type; run tidegate verify to see whether rows are missing",
            );
        }
        Ok(awaited)
    }
}

/// A row of due.sql.
fn due(row: &Row, key: String) -> Awaited {
    Awaited { key, once_owned: row.get::<_, Option<bool>>(2) == Some(true), since: row.get(3) }
}

fn as_json(carried: &CarriedByTable) -> String {
    let table = |(label, carried): (&String, &Carried)| {
        let position = carried.position.as_ref();
        let known = json!({
            "watermark": position.map(|at| &at.watermark),
            "after": position.map(|at| &at.after),
            "held_back": carried.held_back,
        });
        (label.clone(), known)
    };
    serde_json::Value::from_iter(carried.iter().map(table)).to_string()
}

/// Puts everything to its table, by name.
fn state(labels: &[String], document: Document) -> State {
    let mut tables: Vec<TableState> = labels.iter().map(|_| TableState::default()).collect();
    for table in document.tables {
        if let Some(i) = labels.iter().position(|label| *label == table.table) {
            tables[i] = TableState::from(table);
        }
    }
    State { snapshot: Horizon(Some(document.snapshot)), tables }
}

impl From<TableDocument> for TableState {
    fn from(document: TableDocument) -> Self {
        Self {
            position: Position {
                watermark: document.watermark,
                after: document.after,
                generation: document.generation,
            },
            moved: document.moved,
            source_identity: document.source_identity,
            mobile: document.mobile,
            withholds: document.withholds,
            awaited: Vec::new(),
        }
    }
}
