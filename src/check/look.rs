//! Looks at both ends, as far as they can be reached: each fact that can't be had is a finding.

use crate::config::Config;
use crate::db::postgres::sequences::{INTEGERS, Sequence};
use crate::db::postgres::{Database, Purpose, catalogue};
use crate::error::{End, Error, Kind, Result};
use crate::model::plan::{ColumnPlan, Given, Origin};
use crate::model::schema::TableSchema;
use crate::model::{Direction, TableName, TablePlan, TableSettings, planning};
use crate::run::{self, Ends, Planned};
use crate::sql::{Sql, column, table};
use crate::store::{CarriedByTable, State, Store};

use super::facts::{self, Counting, Reached, Server, Table};
use super::finding::Finding;
use super::grants::{self, Grant};
use super::rules;

/// What is looked at.
#[derive(Debug)]
pub(super) struct Look<'c> {
    pub(super) config: &'c Config,
    pub(super) sql: &'c Sql,
    pub(super) settings: Vec<TableSettings>,
}

/// What both catalogues, as far as they could be read, know of the tables.
#[derive(Debug, Default)]
pub(super) struct Known {
    plans: Vec<TablePlan>,
    refused: Vec<(TableSettings, Error)>,
    schemas: [Vec<TableSchema>; 2],
    tables: [Vec<Table>; 2],
}

impl Known {
    fn schemas(&self, end: End) -> &[TableSchema] {
        &self.schemas[index(end)]
    }

    pub(super) fn tables(&self, end: End) -> &[Table] {
        &self.tables[index(end)]
    }

    fn schema(&self, end: End, name: &TableName) -> Option<&TableSchema> {
        self.schemas(end).iter().find(|t| t.table() == *name)
    }

    fn table(&self, end: End, name: &TableName) -> Option<&Table> {
        self.tables(end).iter().find(|t| t.table == *name)
    }
}

fn index(end: End) -> usize {
    match end {
        End::Desktop => 0,
        End::Cloud => 1,
    }
}

impl Look<'_> {
    /// Connects to an end.
    pub(super) async fn reach(&self, end: End) -> Result<Reached> {
        let (url, purpose) = match end {
            End::Desktop => (&self.config.desktop_url, Purpose::Reader),
            End::Cloud => (&self.config.cloud_url, Purpose::Writer),
        };
        facts::reach(Database::new(url, end, purpose, 2)?, self.sql).await
    }

    /// Everything about the ends and the tables.
    pub(super) async fn findings(&self) -> Vec<Finding> {
        let (desktop, cloud) = tokio::join!(self.reach(End::Desktop), self.reach(End::Cloud));
        let mut found = Vec::new();
        let desktop = self.introduce(End::Desktop, desktop, &mut found);
        let cloud = self.introduce(End::Cloud, cloud, &mut found);
        match (desktop, cloud) {
            (Some(desktop), Some(cloud)) => {
                let servers = (&desktop.server, &cloud.server);
                found.extend(rules::ends::pair(servers, (desktop.clock, cloud.clock)));
                match self.both(&desktop, &cloud).await {
                    Ok(known) => {
                        let more = self.about_tables(&desktop, &cloud, &known);
                        found.extend(Box::pin(more).await);
                    }
                    Err(e) => found.push(Finding::failure("catalogue", &e)),
                }
            }
            (Some(alone), None) | (None, Some(alone)) => {
                let end = alone.database.end();
                match self.one(&alone).await {
                    Ok(known) => found.extend(self.rights(end, &alone, &known).await),
                    Err(e) => found.push(Finding::failure("catalogue", &e).at(end)),
                }
            }
            (None, None) => {}
        }
        found
    }

    /// What can be said of an end without its tables; gives it back if it was reached.
    fn introduce(
        &self,
        end: End,
        reached: Result<Reached>,
        found: &mut Vec<Finding>,
    ) -> Option<Reached> {
        match reached {
            Ok(reached) => {
                found.extend(rules::ends::findings(end, &reached.server, &reached.way));
                if end == End::Desktop {
                    found.extend(rules::horizon::findings(&reached.server, &self.settings));
                }
                Some(reached)
            }
            Err(e) => {
                found.push(Finding::failure("connection", &e).at(end));
                None
            }
        }
    }

    /// What both catalogues know.
    pub(super) async fn both(&self, desktop: &Reached, cloud: &Reached) -> Result<Known> {
        let settings = self.settings.clone();
        let ends = Ends { desktop: &desktop.connection, cloud: &cloud.connection };
        let planned =
            run::planned(self.config, Direction::Forward, settings, ends, self.sql).await?;
        let Planned { plans, refused, desktop: from, cloud: into, .. } = planned;
        let tables = tokio::try_join!(self.facts(desktop), self.facts(cloud))?;
        Ok(Known { plans, refused, schemas: [from, into], tables: tables.into() })
    }

    /// What the catalogue of the only end that answers knows.
    async fn one(&self, reached: &Reached) -> Result<Known> {
        let end = reached.database.end();
        let mut known = Known::default();
        known.schemas[index(end)] =
            catalogue::read(&reached.connection, self.sql, &self.names(end)).await?;
        known.tables[index(end)] = self.facts(reached).await?;
        Ok(known)
    }

    async fn facts(&self, reached: &Reached) -> Result<Vec<Table>> {
        let names = self.names(reached.database.end());
        facts::tables(&reached.connection, self.sql, &names).await
    }

    fn names(&self, end: End) -> Vec<TableName> {
        let name = |t: &TableSettings| match end {
            End::Desktop => t.desktop.clone(),
            End::Cloud => t.cloud.clone(),
        };
        self.settings.iter().map(name).collect()
    }

    fn store(&self) -> Store<'_> {
        Store::new(self.sql, &self.config.cloud_schema)
    }

    /// What a role needs at `end`.
    pub(super) fn grants(&self, end: End, server: &Server, known: &Known) -> Vec<Grant> {
        match end {
            End::Desktop => grants::desktop(&server.database, &self.settings),
            End::Cloud => {
                let (store, schemas) = (self.store(), known.schemas(end));
                let mut needed = grants::cloud(&server.database, &store, &self.settings, schemas);
                needed.extend(grants::sequences(&self.granted_plans(known), known.tables(end)));
                needed.extend(grants::key_sequences(known.tables(end), &self.config.ownership));
                needed
            }
        }
    }

    /// The plans as they will be once the roles have their rights: what is asked for must not
    /// depend on what has been granted.
    fn granted_plans(&self, known: &Known) -> Vec<TablePlan> {
        let synced: Vec<TableName> = self.config.tables.iter().map(|t| t.cloud.clone()).collect();
        let plan = |settings: &TableSettings| {
            let source = known.schema(End::Desktop, &settings.desktop)?.as_granted();
            let target = known.schema(End::Cloud, &settings.cloud)?.as_granted();
            let given = Given {
                settings,
                ownership: &self.config.ownership,
                cloud_capture: self.config.cloud_capture,
                desktop: Some(&source),
                cloud: Some(&target),
                synced: &synced,
                desktop_remembers: false,
            };
            planning::plan(Direction::Forward, given).ok()
        };
        self.settings.iter().filter_map(plan).collect()
    }

    async fn rights(&self, end: End, reached: &Reached, known: &Known) -> Vec<Finding> {
        let Reached { server, connection, .. } = reached;
        let mut found = rules::rights::excess(end, server, known.tables(end));
        let needed = self.grants(end, server, known);
        match grants::missing(connection, self.sql, needed).await {
            Ok(missing) => found.extend(rules::rights::missing(end, &server.role, &missing)),
            Err(e) => found.push(Finding::failure("rights", &e).at(end)),
        }
        found
    }

    async fn about_tables(
        &self,
        desktop: &Reached,
        cloud: &Reached,
        known: &Known,
    ) -> Vec<Finding> {
        let mut found = self.rights(End::Desktop, desktop, known).await;
        found.extend(self.rights(End::Cloud, cloud, known).await);
        let told = |finding: &Finding| finding.check == "rights" && finding.remedy.is_some();
        let lacks_rights = found.iter().any(told);
        found
            .extend(self.plans(known).into_iter().filter(|f| f.check != "rights" || !lacks_rights));
        if cloud.server.track_counts {
            let state = self.state(cloud, &known.plans).await;
            // Said already, with the statements that help.
            if !(lacks_rights && is_about_rights(&state)) {
                let store = self.store();
                found.extend(rules::store::findings(&state, &known.plans, &desktop.server, &store));
            }
        }
        match facts::triggers(&cloud.connection, self.sql, &self.names(End::Cloud)).await {
            Ok(triggers) => found.extend(known.plans.iter().flat_map(|plan| {
                let of = triggers.iter().filter(|t| t.table == plan.target);
                of.flat_map(|t| rules::triggers::findings(plan, t)).collect::<Vec<_>>()
            })),
            Err(e) => found.push(Finding::failure("triggers", &e).at(End::Cloud)),
        }
        found.extend(self.log(cloud).await);
        found.extend(self.rows(desktop, cloud, known).await);
        found
    }

    /// How the change log stands.
    async fn log(&self, cloud: &Reached) -> Vec<Finding> {
        if !run::setup::logs_changes(self.config) {
            return vec![rules::log::unlogged()];
        }
        let (store, names) = (self.store(), self.names(End::Cloud));
        let labels: Vec<String> = names.iter().map(TableName::to_string).collect();
        let entries = rules::log::ENTRIES_MAX;
        // Without our tables, or a right on them, that is said already.
        let Ok(large) = store.large_logs(&cloud.connection, &labels, entries).await else {
            return Vec::new();
        };
        let mut found: Vec<Finding> = large.iter().map(|label| rules::log::large(label)).collect();
        let column = &self.config.ownership.column;
        match store.log_tables(&cloud.connection, &names, column).await {
            Ok(tables) => found.extend(tables.iter().filter_map(rules::log::findings)),
            Err(e) => found.push(Finding::failure("change_log", &e).at(End::Cloud)),
        }
        found
    }

    /// What planning makes of each table, its keys and indexes.
    fn plans(&self, known: &Known) -> Vec<Finding> {
        let refused = known.refused.iter().map(|(settings, e)| {
            let schemas = (
                known.schema(End::Desktop, &settings.desktop),
                known.schema(End::Cloud, &settings.cloud),
            );
            rules::planning::refused(settings, e, schemas)
        });
        let mut found: Vec<Finding> = refused.collect();
        for plan in &known.plans {
            let (source, target) = (&plan.source, &plan.target);
            let schemas = (known.schema(End::Desktop, source), known.schema(End::Cloud, target));
            if let (Some(from), Some(into)) = schemas {
                found.extend(rules::planning::planned(plan, from, into));
            }
            let tables = (known.table(End::Desktop, source), known.table(End::Cloud, target));
            if let (Some(from), Some(into)) = tables {
                found.extend(rules::keys::collations(plan, from, into));
                found.extend(rules::indexes::missing(plan, from, into));
            }
        }
        found
    }

    async fn state(&self, cloud: &Reached, plans: &[TablePlan]) -> Result<State> {
        self.store().state(&cloud.connection, plans, &CarriedByTable::new()).await
    }

    /// What a scan of each table shows; both ends at the same time.
    async fn rows(&self, desktop: &Reached, cloud: &Reached, known: &Known) -> Vec<Finding> {
        let mut found = Vec::new();
        for plan in &known.plans {
            let marks = &self.config.ownership;
            let sequence =
                known.table(End::Cloud, &plan.target).and_then(|t| t.sequence_of_key(marks));
            let (source, target) = (at_source(plan, sequence), at_target(plan, sequence));
            let counted = tokio::join!(
                facts::count(&desktop.database, self.sql, &source, marks),
                facts::count(&cloud.database, self.sql, &target, marks)
            );
            found.extend(rules::values::findings(End::Desktop, plan, marks, &counted.0));
            found.extend(rules::values::findings(End::Cloud, plan, marks, &counted.1));
            if let Some(sequence) = sequence {
                let source = known.table(End::Desktop, &plan.source);
                let own = source.and_then(|t| t.sequence_of_key(marks));
                let counts = (counted.0.ok(), counted.1.ok());
                found.push(rules::sequences::finding(plan, (own, sequence), counts));
            }
        }
        found
    }
}

fn is_about_rights<T>(outcome: &Result<T>) -> bool {
    outcome.as_ref().is_err_and(|e| e.kind() == Kind::Unauthorised)
}

/// What to count on the desktop. Where it has no ownership column, every row is its own.
fn at_source(plan: &TablePlan, sequence: Option<&Sequence>) -> Counting {
    let is_null = |name: &str| format!("{} is null", column("t", name));
    let stamps: Vec<String> = plan.stamps.source.iter().map(|s| is_null(&s.name)).collect();
    let owner = plan.owner_column().source_name();
    Counting {
        table: table(&plan.source),
        unstamped: stamps.join(" and "),
        owner: owner.map_or("$1".to_owned(), |name| format!("{}::text", column("t", name))),
        key: key(plan, sequence, integer_at_source),
        sequence: numbers(sequence),
    }
}

/// What to count in the cloud.
fn at_target(plan: &TablePlan, sequence: Option<&Sequence>) -> Counting {
    Counting {
        table: table(&plan.target),
        unstamped: "false".to_owned(),
        owner: format!("{}::text", column("t", &plan.owner_column().target)),
        key: key(plan, sequence, |c| Some(c.target.clone())),
        sequence: numbers(sequence),
    }
}

/// The column of the key that the cloud's sequence fills, where it is an integer.
fn key(
    plan: &TablePlan,
    sequence: Option<&Sequence>,
    name: impl FnOnce(&ColumnPlan) -> Option<String>,
) -> String {
    let filled = sequence.and_then(|s| plan.key_columns().find(|c| c.target == s.column));
    filled.and_then(name).map_or("null::bigint".to_owned(), |name| column("t", &name))
}

fn integer_at_source(column: &ColumnPlan) -> Option<String> {
    match &column.origin {
        Origin::Column { name, type_name } if INTEGERS.contains(&type_name.as_str()) => {
            Some(name.clone())
        }
        _ => None,
    }
}

/// What the sequence hands out next, and its step.
fn numbers(sequence: Option<&Sequence>) -> (Option<i64>, i64) {
    sequence.map_or((None, 1), |s| (s.next, s.step))
}
