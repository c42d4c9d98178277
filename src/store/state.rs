//! All that a run has to know of the database that it writes before it starts, in one round trip.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::{Param, text};
use crate::error::{Error, Kind, Result};
use crate::model::plan::OwnerPlan;
use crate::model::{Awaited, Carried, Moved, Position, TablePlan};
use crate::sql::list;

use super::Store;

/// What `_sync_metadata` and its neighbours say.
#[derive(Debug)]
pub struct State {
    /// What the database's snapshot saw: a position of the other direction above it is one of
    /// another database.
    pub snapshot: String,
    /// In the order of the plans.
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
    /// Withheld rows that are worth another try.
    pub awaited: Vec<Awaited>,
}

#[derive(Deserialize)]
struct Document {
    version: Option<i32>,
    track_counts: bool,
    snapshot: String,
    tables: Vec<TableDocument>,
    awaited: Vec<AwaitedDocument>,
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

#[derive(Deserialize)]
struct AwaitedDocument {
    table: String,
    key: String,
    once_owned: bool,
    since: Option<String>,
}

/// How far the other direction had come, by table.
pub type CarriedByTable = BTreeMap<String, Carried>;

impl Store<'_> {
    /// Reads the state of the planned tables, which all go the same way; `carried` is how far the
    /// other direction had come with them.
    ///
    /// # Errors
    /// [`Kind::Config`](crate::error::Kind::Config) when `migrate` has to run first, or the server
    /// doesn't count what the check relies on.
    pub async fn state(
        &self,
        connection: &Connection,
        plans: &[TablePlan],
        carried: &CarriedByTable,
    ) -> Result<State> {
        let labels: Vec<String> = plans.iter().map(TablePlan::label).collect();
        let first = plans.first();
        let direction = first.map_or("", |plan| plan.direction.word());
        let mark = |of: fn(&OwnerPlan) -> &String| first.map_or("", |plan| of(&plan.owner));
        let (mobile, writer) = (mark(|owner| &owner.mobile), mark(|owner| &owner.writer));
        let carried = as_json(carried);
        let params = [
            (&labels as _, Type::TEXT_ARRAY),
            text(&direction),
            text(&mobile),
            text(&writer),
            text(&carried),
        ];
        let document = match self.document(connection, plans, &params).await {
            Ok(document) => document,
            Err(e) if e.kind() == Kind::BadValue => {
                let mut document = self.document(connection, &[], &params).await?;
                for plan in plans {
                    let due = self.due_one_by_one(connection, plan, &params).await?;
                    document.awaited.extend(due);
                }
                document
            }
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
        Ok(state(&labels, document))
    }

    /// The state, with the withheld rows of `plans` that are worth another try.
    async fn document(
        &self,
        connection: &Connection,
        plans: &[TablePlan],
        params: &[Param<'_>],
    ) -> Result<Document> {
        let arms =
            list(plans.iter().map(|plan| format!("union all\n{}", self.due(plan, ""))), "\n");
        let sql = self.sql.render("postgres/state.sql", &[("store", &self.quoted), ("due", &arms)]);
        connection.document("reading the state", &sql, params).await
    }

    /// The same of one table, where the types of the cloud may have changed since a row was
    /// withheld: one that can't be compared any more must not stop the others.
    async fn due_one_by_one(
        &self,
        connection: &Connection,
        plan: &TablePlan,
        params: &[Param<'_>],
    ) -> Result<Vec<AwaitedDocument>> {
        let label = plan.label();
        let doing = "reading the state";
        let due = self.due(plan, "w.key = $6::jsonb and");
        let (mut awaited, mut strange) = (Vec::new(), 0);
        for key in self.withheld_keys(connection, &label, plan.direction.word()).await? {
            let mut params = params.to_vec();
            params.push(text(&key));
            let found = match connection.rows(doing, &due, &params).await {
                Ok(rows) => rows.first().map(|row| {
                    (row.get::<_, Option<bool>>(2) == Some(true), row.get::<_, Option<String>>(3))
                }),
                // What it waits for can't be told: it is asked for, and then compared as it is now.
                Err(e) if e.kind() == Kind::BadValue => {
                    let fits = self.is_key(connection, plan, &key).await?;
                    strange += u64::from(!fits);
                    fits.then_some((false, None))
                }
                Err(e) => return Err(e),
            };
            let table = label.clone();
            awaited.extend(found.map(|(once_owned, since)| AwaitedDocument {
                table,
                key,
                once_owned,
                since,
            }));
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
    let index = |label: &str| labels.iter().position(|l| l == label);
    for table in document.tables {
        if let Some(i) = index(&table.table) {
            tables[i] = TableState::from(table);
        }
    }
    for AwaitedDocument { table, key, once_owned, since } in document.awaited {
        if let Some(i) = index(&table) {
            tables[i].awaited.push(Awaited { key, once_owned, since });
        }
    }
    State { snapshot: document.snapshot, tables }
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
