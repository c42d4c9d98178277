//! Looks at both ends, as far as they can be reached: each fact that can't be had is a finding.

use crate::config::Config;
use crate::db::Session;
use crate::error::{End, Result};
use crate::model::{Direction, TableName, TablePlan, TableSettings};
use crate::run::{self, Way};
use crate::sql::{Dialect, Sql};
use crate::store::State;

use super::facts::{Triggers, postgres};
use super::finding::Finding;
use super::known::Known;
use super::reached::{self, Desktop, Reached};
use super::rules;
use super::rules::sequences::Own;

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
    /// Everything about the ends and the tables.
    pub(super) async fn findings(&self) -> Vec<Finding> {
        let (config, sql) = (self.config, self.sql);
        let (desktop, cloud) =
            tokio::join!(reached::desktop(config, sql), reached::cloud(config, sql));
        let mut found = Vec::new();
        let unreached = |end, e| Finding::failure("connection", &e).at(end);
        let desktop = desktop.map_err(|e| found.push(unreached(End::Desktop, e))).ok();
        let desktop = desktop.as_ref().inspect(|desktop| found.extend(self.introduce(desktop)));
        let cloud = cloud.map_err(|e| found.push(unreached(End::Cloud, e))).ok();
        let cloud = cloud.as_ref().inspect(|cloud| found.extend(self.server(End::Cloud, cloud)));
        let desktop = desktop.map(Desktop::reached);
        match (desktop, cloud) {
            (Some(desktop), Some(cloud)) => {
                if let Reached::Postgres(desktop) = desktop {
                    found.extend(rules::ends::same(&desktop.server, &cloud.server));
                }
                found.push(rules::ends::clock((desktop.clock(), cloud.clock)));
                match Known::both(self, desktop, cloud).await {
                    Ok(known) => {
                        let more = self.about_tables(desktop, cloud, &known);
                        found.extend(Box::pin(more).await);
                    }
                    Err(e) => found.push(Finding::failure("catalogue", &e)),
                }
            }
            (Some(desktop), None) => found.extend(self.alone(desktop).await),
            (None, Some(cloud)) => found.extend(self.alone(cloud.into()).await),
            (None, None) => {}
        }
        found
    }

    /// What can be said of an end while the other can't be reached.
    async fn alone(&self, reached: Reached<'_>) -> Vec<Finding> {
        match Known::one(self, reached).await {
            Ok(known) => self.rights(reached, &known).await,
            Err(e) => vec![Finding::failure("catalogue", &e).at(reached.end())],
        }
    }

    /// Whether changes of this end are told by their stamps.
    fn reads_stamps(&self, end: End) -> bool {
        match end {
            End::Desktop => true,
            End::Cloud => self.way == Way::Both && !run::setup::logs_changes(self.config),
        }
    }

    /// What can be said of the desktop without its tables.
    fn introduce(&self, desktop: &Desktop) -> Vec<Finding> {
        match desktop {
            Desktop::Postgres(reached) => self.server(End::Desktop, reached),
            Desktop::SqlServer(reached) => {
                let server = &reached.server;
                let mut found = rules::sqlserver::findings(server, reached.transport);
                found.extend(rules::sqlserver::horizon(server, &self.settings));
                found
            }
        }
    }

    /// The same of a PostgreSQL.
    fn server(&self, end: End, reached: &postgres::Reached) -> Vec<Finding> {
        let mut found = rules::ends::findings(end, &reached.server, &reached.way);
        if self.reads_stamps(end) {
            found.extend(rules::horizon::findings(end, &reached.server, &self.settings));
        }
        found
    }

    async fn rights(&self, reached: Reached<'_>, known: &Known) -> Vec<Finding> {
        let (end, role, dialect) = (reached.end(), reached.role(), reached.dialect());
        let mut found = rules::rights::excess(end, role, dialect, known.tables(end));
        let needed = known.needs(self, reached).grants();
        match reached.missing(self.sql, needed).await {
            Ok(missing) => {
                found.extend(rules::rights::missing(end, role, dialect, &missing));
            }
            Err(e) => found.push(Finding::failure("rights", &e).at(end)),
        }
        found
    }

    async fn about_tables(
        &self,
        desktop: Reached<'_>,
        cloud: &postgres::Reached,
        known: &Known,
    ) -> Vec<Finding> {
        let mut found = self.rights(desktop, known).await;
        found.extend(self.rights(cloud.into(), known).await);
        let told = |finding: &Finding| finding.check == "rights" && finding.remedy.is_some();
        let lacks_rights = found.iter().any(told);
        let stores = self.stores(desktop, cloud, known).await;
        // Said already, with the statements that help.
        let more = self.plans(desktop, known).into_iter().chain(stores);
        found.extend(more.filter(|f| !(lacks_rights && f.is_about_rights())));
        found.extend(self.triggers(desktop, cloud.into(), known).await);
        found.extend(self.log(cloud).await);
        found.extend(Box::pin(self.rows(desktop, cloud.into(), known)).await);
        found
    }

    /// tidegate's own tables at both ends.
    async fn stores(
        &self,
        desktop: Reached<'_>,
        cloud: &postgres::Reached,
        known: &Known,
    ) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut seen = None;
        if cloud.server.track_counts {
            let plans = known.plans(Direction::Forward);
            let state = self.state((&cloud.connection).into(), Direction::Forward, plans).await;
            let (source, place) = ((desktop.identity(), None), self.store_at(End::Cloud));
            found.extend(rules::store::findings(&state, plans, source, place));
            seen = state.ok().map(|state| state.snapshot);
        }
        let place = self.store_at(End::Desktop);
        match (known.remembers, known.brings_home()) {
            (true, true) => {
                let plans = known.plans(Direction::Reverse);
                let state = self.state(desktop.session(), Direction::Reverse, plans).await;
                let source = (&*cloud.server.identity, seen.as_ref());
                found.extend(rules::store::findings(&state, plans, source, place));
            }
            (true, false) => {
                let fault = self.require(desktop.session()).await.err();
                found.extend(fault.map(|e| Finding::failure("store", &e).at(End::Desktop)));
            }
            (false, _) if self.way == Way::Both => found.push(rules::store::absent(place.1)),
            (false, _) => {}
        }
        found
    }

    /// Where tidegate's own tables of an end are.
    fn store_at(&self, end: End) -> (End, &str) {
        match end {
            End::Desktop => (end, &self.config.desktop_schema),
            End::Cloud => (end, &self.config.cloud_schema),
        }
    }

    async fn state(
        &self,
        on: Session<'_>,
        direction: Direction,
        plans: &[TablePlan],
    ) -> Result<State> {
        let labels: Vec<String> = plans.iter().map(TablePlan::label).collect();
        let marks = &self.config.ownership;
        match on {
            Session::Postgres(on) => {
                let store = run::store(self.config, direction.target(), self.sql);
                store.state(on, direction, &labels, marks).await
            }
            Session::SqlServer(on) => {
                let store = run::sql_server_store(self.config, self.sql);
                store.state(&mut *on.lock().await, direction, &labels, marks).await
            }
        }
    }

    /// That tidegate's tables on the desktop are of this version.
    async fn require(&self, on: Session<'_>) -> Result<()> {
        match on {
            Session::Postgres(on) => {
                run::store(self.config, End::Desktop, self.sql).require(on).await
            }
            Session::SqlServer(on) => {
                let store = run::sql_server_store(self.config, self.sql);
                store.require(&mut *on.lock().await).await
            }
        }
    }

    /// What the triggers of the tables that are written do.
    async fn triggers(
        &self,
        desktop: Reached<'_>,
        cloud: Reached<'_>,
        known: &Known,
    ) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut read = Vec::new();
        for direction in known.directions {
            let reached = match direction.target() {
                End::Desktop => desktop,
                End::Cloud => cloud,
            };
            let end = direction.target();
            let names = self.config.names(end, &self.settings);
            match reached.triggers(self.sql, &names).await {
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
                rules::triggers::unsettled(plan, &ends, desktop.dialect())
            });
            found.extend(unsettled);
        }
        found
    }

    /// How the change log stands.
    async fn log(&self, cloud: &postgres::Reached) -> Vec<Finding> {
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
    fn plans(&self, desktop: Reached<'_>, known: &Known) -> Vec<Finding> {
        let dialect = desktop.dialect();
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
                found.extend(rules::indexes::missing(plan, (from, dialect), into));
                found.extend(rules::sqlserver::kind(plan, from));
                let marks = &self.config.ownership;
                found.extend(rules::values::default(plan, marks, (from, dialect)));
            }
        }
        if let Reached::SqlServer(reached) = desktop {
            found.extend(rules::sqlserver::zones(&reached.server, known.plans(Direction::Forward)));
        }
        found
    }

    /// What a scan of each table shows; both ends at the same time.
    async fn rows(&self, desktop: Reached<'_>, cloud: Reached<'_>, known: &Known) -> Vec<Finding> {
        let mut found = Vec::new();
        for plan in known.plans(Direction::Forward) {
            let marks = &self.config.ownership;
            let sequence =
                known.table(End::Cloud, &plan.target).and_then(|t| t.sequence_of_key(marks));
            let counted = tokio::join!(
                desktop.count(self.sql, plan, sequence, marks),
                cloud.count(self.sql, plan, sequence, marks)
            );
            found.extend(rules::values::findings(End::Desktop, plan, marks, &counted.0));
            found.extend(rules::values::findings(End::Cloud, plan, marks, &counted.1));
            if let Some(sequence) = sequence {
                let source = known.table(End::Desktop, &plan.source);
                // What comes home moves the identities of a SQL Server.
                let comes_home =
                    || known.plans(Direction::Reverse).iter().any(|p| p.target == plan.source);
                let follows = desktop.dialect() == Dialect::Tsql && comes_home();
                let own = source.and_then(|t| t.sequence_of_key(marks));
                let own = own.map(|sequence| Own { sequence, follows });
                let counts = (counted.0.ok(), counted.1.ok());
                found.push(rules::sequences::finding(plan, (own, sequence), counts));
            }
        }
        found
    }
}
