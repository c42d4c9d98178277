//! All that a run has to know of the cloud before it starts, in one round trip.

use serde::Deserialize;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::db::postgres::Connection;
use crate::db::postgres::statement::text;
use crate::error::{Error, Result};
use crate::model::plan::Parent;
use crate::model::{Awaited, Ownership, Position, Reason, TablePlan};
use crate::sql::{column, list, literal, table};

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
    /// Which source database that position belongs to.
    pub source_identity: Option<String>,
    /// Mobile rows when they were last counted.
    pub mobile: Option<u64>,
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
    mobile: Option<u64>,
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
        let arms = list(plans.iter().map(|plan| format!("union all\n{}", self.due(plan))), "\n");
        let sql = self.sql.render("postgres/state.sql", &[("store", &self.quoted), ("due", &arms)]);
        let marks = (&ownership.mobile, &ownership.desktop);
        let params =
            [(&labels as _, Type::TEXT_ARRAY), text(&direction), text(marks.0), text(marks.1)];
        let read = connection.document("reading the state", &sql, &params).await;
        let document: Document = match read {
            Ok(document) => document,
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

    /// The query for one table's withheld rows that are worth another try.
    fn due(&self, plan: &TablePlan) -> String {
        let stored = |json: &str, target: &str, type_name: &str| {
            format!("(w.{json} ->> {})::{type_name}", literal(target))
        };
        let same = |c: &crate::model::plan::ColumnPlan| {
            format!("{} = {}", column("t", &c.target), stored("key", &c.target, &c.target_type))
        };
        let present = |parent: &Parent| {
            let value = |i: usize| {
                let c = &plan.columns[i];
                stored("row", &c.target, &c.target_type)
            };
            let unset =
                list(parent.columns.iter().map(|(i, _)| format!("{} is null", value(*i))), " or ");
            let is_parent = list(
                parent.columns.iter().map(|(i, to)| format!("{} = {}", column("p", to), value(*i))),
                " and ",
            );
            format!(
                "({unset} or exists (select from {} p where {is_parent}))",
                table(&parent.table)
            )
        };
        let parents = match plan.parents.is_empty() {
            true => "true".to_owned(),
            false => list(plan.parents.iter().map(present), " and "),
        };
        self.sql.render(
            "postgres/due.sql",
            &[
                ("store", &self.quoted),
                ("target", &table(&plan.target)),
                ("key_is_row", &list(plan.key_columns().map(same), " and ")),
                ("label", &literal(&plan.label())),
                ("parents_present", &parents),
                ("owner", &literal(&plan.columns[plan.owner.column].target)),
            ],
        )
    }

    /// The rows of `plan` that the run `run_id` had to leave for later.
    pub async fn left_for_later(
        &self,
        connection: &Connection,
        plan: &TablePlan,
        run_id: Uuid,
    ) -> Result<Vec<(Awaited, Reason)>> {
        let sql = self.render("postgres/retry_keys.sql");
        let (label, direction) = (plan.label(), plan.direction.word());
        let params = [text(&label), text(&direction), (&run_id as _, Type::UUID)];
        let doing = format!("looking for withheld rows of {label}");
        let rows = connection.rows(doing, &sql, &params).await?;
        let awaited = |key: String| Awaited { key, once_owned: false };
        let reason = |word: &str| match word {
            "busy" => Reason::Busy,
            _ => Reason::MissingParent,
        };
        Ok(rows.iter().map(|row| (awaited(row.get(0)), reason(row.get(1)))).collect())
    }

    /// Takes rows off the list that were asked for again and that the source has no more.
    pub async fn forget_gone(
        &self,
        connection: &Connection,
        plan: &TablePlan,
        run_id: Uuid,
        asked: &[Awaited],
    ) -> Result<u64> {
        let keys: Vec<&str> =
            asked.iter().filter(|a| !a.once_owned).map(|a| a.key.as_str()).collect();
        if keys.is_empty() {
            return Ok(0);
        }
        let sql = self.render("postgres/forget_gone.sql");
        let (label, direction) = (plan.label(), plan.direction.word());
        let params = [
            text(&label),
            text(&direction),
            (&run_id as _, Type::UUID),
            (&keys as _, Type::TEXT_ARRAY),
        ];
        connection.run(format!("clearing withheld rows of {label}"), &sql, &params).await
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
            source_identity: document.source_identity,
            mobile: document.mobile,
            awaited: Vec::new(),
        }
    }
}
