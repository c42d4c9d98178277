//! All that a run has to know of the cloud before it starts, in one round trip.

use serde::Deserialize;
use tokio_postgres::types::Type;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::{Param, text};
use crate::error::{Error, Kind, Result};
use crate::model::{Awaited, Moved, Ownership, Position, TablePlan};
use crate::sql::list;

use super::Store;

/// What `_sync_metadata` and its neighbours say.
#[derive(Debug)]
pub struct State {
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
}

impl Store<'_> {
    /// Reads the state of the planned tables; `ownership` has the marks of the rows.
    ///
    /// # Errors
    /// [`Kind::Config`](crate::error::Kind::Config) when `migrate` has to run first, or the server
    /// doesn't count what the check relies on.
    pub async fn state(
        &self,
        connection: &Connection,
        plans: &[TablePlan],
        direction: &str,
        ownership: &Ownership,
    ) -> Result<State> {
        let labels: Vec<String> = plans.iter().map(TablePlan::label).collect();
        let params = [
            (&labels as _, Type::TEXT_ARRAY),
            text(&direction),
            text(&ownership.mobile),
            text(&ownership.desktop),
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
                "track_counts is off in the cloud, so nothing shows what a transaction wrote",
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
        let due = self.due(plan, "w.key = $5::jsonb and");
        let (mut awaited, mut strange) = (Vec::new(), 0);
        for key in self.withheld_keys(connection, &label, plan.direction.word()).await? {
            let mut params = params.to_vec();
            params.push(text(&key));
            let once_owned = match connection.rows(doing, &due, &params).await {
                Ok(rows) => rows.first().map(|row| row.get::<_, Option<bool>>(2) == Some(true)),
                // What it waits for can't be told: it is asked for, and then compared as it is now.
                Err(e) if e.kind() == Kind::BadValue => {
                    let fits = self.is_key(connection, plan, &key).await?;
                    strange += u64::from(!fits);
                    fits.then_some(false)
                }
                Err(e) => return Err(e),
            };
            let table = label.clone();
            awaited.extend(once_owned.map(|once_owned| AwaitedDocument { table, key, once_owned }));
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

/// Puts everything to its table, by name.
fn state(labels: &[String], document: Document) -> State {
    let mut tables: Vec<TableState> = labels.iter().map(|_| TableState::default()).collect();
    let index = |label: &str| labels.iter().position(|l| l == label);
    for table in document.tables {
        if let Some(i) = index(&table.table) {
            tables[i] = TableState::from(table);
        }
    }
    for AwaitedDocument { table, key, once_owned } in document.awaited {
        if let Some(i) = index(&table) {
            tables[i].awaited.push(Awaited { key, once_owned });
        }
    }
    State { tables }
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
