//! Looks at both ends, as far as they can be reached: each fact that can't be had is a finding.

use crate::config::Config;
use crate::db::postgres::sequences::{INTEGERS, Sequence};
use crate::db::postgres::{Connection, Database, Purpose};
use crate::error::{End, Result};
use crate::model::plan::{ColumnPlan, Origin};
use crate::model::{Direction, TableName, TablePlan, TableSettings};
use crate::run::{self, Way};
use crate::sql::{Sql, column, table};
use crate::store::{State, Store};

use super::facts::{self, Counting, Reached, Triggers};
use super::finding::Finding;
use super::grants;
use super::known::Known;
use super::rules;

/// What is looked at.
#[derive(Debug)]
pub(super) struct Look<'c> {
    pub(super) config: &'c Config,
    pub(super) sql: &'c Sql,
    pub(super) settings: Vec<TableSettings>,
    /// The runs that are to work: in one direction, or both.
    pub(super) way: Way,
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
                match Known::both(self, &desktop, &cloud).await {
                    Ok(known) => {
                        let more = self.about_tables(&desktop, &cloud, &known);
                        found.extend(Box::pin(more).await);
                    }
                    Err(e) => found.push(Finding::failure("catalogue", &e)),
                }
            }
            (Some(alone), None) | (None, Some(alone)) => match Known::one(self, &alone).await {
                Ok(known) => found.extend(self.rights(&alone, &known).await),
                Err(e) => {
                    found.push(Finding::failure("catalogue", &e).at(alone.database.end()));
                }
            },
            (None, None) => {}
        }
        found
    }

    /// Whether changes of this end are told by their stamps.
    fn reads_stamps(&self, end: End) -> bool {
        match end {
            End::Desktop => true,
            End::Cloud => self.way == Way::Both && !run::setup::logs_changes(self.config),
        }
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
                if self.reads_stamps(end) {
                    found.extend(rules::horizon::findings(end, &reached.server, &self.settings));
                }
                Some(reached)
            }
            Err(e) => {
                found.push(Finding::failure("connection", &e).at(end));
                None
            }
        }
    }

    async fn rights(&self, reached: &Reached, known: &Known) -> Vec<Finding> {
        let Reached { server, connection, .. } = reached;
        let end = reached.database.end();
        let mut found = rules::rights::excess(end, server, known.tables(end));
        let needed = known.needs(self, &server.database, end).grants();
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
        let mut found = self.rights(desktop, known).await;
        found.extend(self.rights(cloud, known).await);
        let told = |finding: &Finding| finding.check == "rights" && finding.remedy.is_some();
        let lacks_rights = found.iter().any(told);
        let stores = self.stores(desktop, cloud, known).await;
        // Said already, with the statements that help.
        let more = self.plans(known).into_iter().chain(stores);
        found.extend(more.filter(|f| !(lacks_rights && f.is_about_rights())));
        found.extend(self.triggers(desktop, cloud, known).await);
        found.extend(self.log(cloud).await);
        found.extend(self.rows(desktop, cloud, known).await);
        found
    }

    /// tidegate's own tables at both ends.
    async fn stores(&self, desktop: &Reached, cloud: &Reached, known: &Known) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut seen = None;
        if cloud.server.track_counts {
            let store = run::store(self.config, End::Cloud, self.sql);
            let plans = known.plans(Direction::Forward);
            let state = self.state(&store, &cloud.connection, Direction::Forward, plans).await;
            found.extend(rules::store::findings(&state, plans, (&desktop.server, None), &store));
            seen = state.ok().map(|state| state.snapshot);
        }
        let store = run::store(self.config, End::Desktop, self.sql);
        match (known.remembers, known.brings_home()) {
            (true, true) => {
                let plans = known.plans(Direction::Reverse);
                let on = &desktop.connection;
                let state = self.state(&store, on, Direction::Reverse, plans).await;
                let source = (&cloud.server, seen.as_ref());
                found.extend(rules::store::findings(&state, plans, source, &store));
            }
            (true, false) => {
                let fault = store.require(&desktop.connection).await.err();
                found.extend(fault.map(|e| Finding::failure("store", &e).at(End::Desktop)));
            }
            (false, _) if self.way == Way::Both => found.push(rules::store::absent(&store)),
            (false, _) => {}
        }
        found
    }

    async fn state(
        &self,
        store: &Store<'_>,
        on: &Connection,
        direction: Direction,
        plans: &[TablePlan],
    ) -> Result<State> {
        let labels: Vec<String> = plans.iter().map(TablePlan::label).collect();
        store.state(on, direction, &labels, &self.config.ownership).await
    }

    /// What the triggers of the tables that are written do.
    async fn triggers(&self, desktop: &Reached, cloud: &Reached, known: &Known) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut read = Vec::new();
        for direction in known.directions {
            let reached = match direction.target() {
                End::Desktop => desktop,
                End::Cloud => cloud,
            };
            let end = direction.target();
            let names = self.config.names(end, &self.settings);
            match facts::triggers(&reached.connection, self.sql, &names).await {
                Ok(triggers) => read.push((known.plans(*direction), triggers)),
                Err(e) => found.push(Finding::failure("triggers", &e).at(end)),
            }
        }
        for (plans, triggers) in &read {
            found.extend(plans.iter().flat_map(|plan| {
                let of = triggers.iter().filter(|t| t.table == plan.target);
                of.flat_map(|t| rules::triggers::findings(plan, t)).collect::<Vec<_>>()
            }));
        }
        if let [(home, at_desktop), (_, in_cloud)] = read.as_slice() {
            let unsettled = home.iter().filter_map(|plan| {
                let of = |triggers: &'_ [Triggers], name: &TableName| {
                    triggers.iter().find(|t| t.table == *name).cloned()
                };
                let ends = [of(at_desktop, &plan.target)?, of(in_cloud, &plan.source)?];
                rules::triggers::unsettled(plan, &ends)
            });
            found.extend(unsettled);
        }
        found
    }

    /// How the change log stands.
    async fn log(&self, cloud: &Reached) -> Vec<Finding> {
        if !run::setup::logs_changes(self.config) {
            return vec![rules::log::unlogged()];
        }
        let store = run::store(self.config, End::Cloud, self.sql);
        let names = self.config.names(End::Cloud, &self.settings);
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
        let mut found = rules::planning::home(known, self.config);
        let refused = known.refused(Direction::Forward).iter().map(|(settings, e)| {
            let schemas = (
                known.schema(End::Desktop, &settings.desktop),
                known.schema(End::Cloud, &settings.cloud),
            );
            rules::planning::refused(settings, e, schemas)
        });
        found.extend(refused);
        for plan in known.plans(Direction::Forward) {
            let (source, target) = (&plan.source, &plan.target);
            let schemas = (known.schema(End::Desktop, source), known.schema(End::Cloud, target));
            if let (Some(from), Some(into)) = schemas {
                found.extend(rules::planning::planned(plan, from, into));
            }
            let tables = (known.table(End::Desktop, source), known.table(End::Cloud, target));
            if let (Some(from), Some(into)) = tables {
                found.extend(rules::keys::collations(plan, from, into));
                found.extend(rules::indexes::missing(plan, from, into));
                found.extend(rules::values::default(plan, &self.config.ownership, from));
            }
        }
        found
    }

    /// What a scan of each table shows; both ends at the same time.
    async fn rows(&self, desktop: &Reached, cloud: &Reached, known: &Known) -> Vec<Finding> {
        let mut found = Vec::new();
        for plan in known.plans(Direction::Forward) {
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
