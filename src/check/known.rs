//! What both catalogues, as far as they can be read, know of the tables.

use crate::db::Session;
use crate::error::{End, Error, Result};
use crate::model::plan::Given;
use crate::model::schema::TableSchema;
use crate::model::{Direction, TableName, TablePlan, TableSettings, planning};
use crate::run::{self, Catalogues, Ends, Way};

use super::facts::{Table, postgres};
use super::look::Look;
use super::needs::Needs;
use super::reached::Reached;

/// What is known.
#[derive(Debug)]
pub(super) struct Known {
    /// The directions that can be looked at: of both, only what the desktop is set up for.
    pub(super) directions: &'static [Direction],
    /// Whether the desktop holds tidegate's own tables.
    pub(super) remembers: bool,
    /// Tables of the desktop's own, of which nothing comes home.
    pub(super) forward_only: Vec<TableSettings>,
    /// By direction, forward first.
    planned: [Vec<TablePlan>; 2],
    refused: [Vec<(TableSettings, Error)>; 2],
    /// By end, the desktop first.
    schemas: [Vec<TableSchema>; 2],
    tables: [Vec<Table>; 2],
}

const FORWARD: Way = Way::One(Direction::Forward);

impl Known {
    /// What both catalogues know.
    pub(super) async fn both(
        look: &Look<'_>,
        desktop: Reached<'_>,
        cloud: &postgres::Reached,
    ) -> Result<Self> {
        let ends = Ends { desktop: desktop.session(), cloud: &cloud.connection };
        let found = Catalogues::read(look.config, &look.settings, ends, look.sql).await?;
        let planned = |direction| found.plan(look.config, direction, look.settings.clone());
        let mut known = Self::of(look.way, found.desktop_remembers);
        let out = planned(Direction::Forward);
        (known.planned[0], known.refused[0]) = (out.plans, out.refused);
        if known.brings_home() {
            let home = planned(Direction::Reverse);
            (known.planned[1], known.refused[1]) = (home.plans, home.refused);
            known.forward_only = home.forward_only;
        }
        known.schemas = [found.desktop, found.cloud];
        known.tables =
            tokio::try_join!(facts_of(look, desktop), facts_of(look, cloud.into()))?.into();
        Ok(known)
    }

    /// What the catalogue of the only end that answers knows.
    pub(super) async fn one(look: &Look<'_>, reached: Reached<'_>) -> Result<Self> {
        let end = reached.end();
        let remembers = match (end, reached.session()) {
            (End::Desktop, Session::Postgres(connection)) => {
                run::store(look.config, end, look.sql).exists(connection).await?
            }
            (_, Session::SqlServer(session)) => {
                let store = run::sql_server_store(look.config, look.sql);
                store.exists(&mut *session.lock().await).await?
            }
            // That of the other end is not to be had.
            (End::Cloud, _) => true,
        };
        let mut known = Self::of(look.way, remembers);
        let names = look.config.names(end, &look.settings);
        known.schemas[place(end)] = reached.session().catalogue(look.sql, &names).await?;
        known.tables[place(end)] = facts_of(look, reached).await?;
        Ok(known)
    }

    fn of(way: Way, remembers: bool) -> Self {
        let way = if remembers { way } else { FORWARD };
        Self {
            directions: way.directions(),
            remembers,
            forward_only: Vec::new(),
            planned: Default::default(),
            refused: Default::default(),
            schemas: Default::default(),
            tables: Default::default(),
        }
    }

    /// Whether mobile work is to come home.
    pub(super) fn brings_home(&self) -> bool {
        self.directions.contains(&Direction::Reverse)
    }

    /// The tables that can be synced in this direction.
    pub(super) fn plans(&self, direction: Direction) -> &[TablePlan] {
        &self.planned[place(direction.source())]
    }

    /// The tables that can't, with the reason.
    pub(super) fn refused(&self, direction: Direction) -> &[(TableSettings, Error)] {
        &self.refused[place(direction.source())]
    }

    pub(super) fn tables(&self, end: End) -> &[Table] {
        &self.tables[place(end)]
    }

    pub(super) fn schema(&self, end: End, name: &TableName) -> Option<&TableSchema> {
        self.schemas[place(end)].iter().find(|t| t.table() == *name)
    }

    pub(super) fn table(&self, end: End, name: &TableName) -> Option<&Table> {
        self.tables(end).iter().find(|t| t.table == *name)
    }

    /// What a role needs at an end.
    pub(super) fn needs<'n>(&'n self, look: &'n Look<'_>, reached: Reached<'n>) -> Needs<'n> {
        let end = reached.end();
        let of = |direction: Direction| match direction {
            _ if !self.directions.contains(&direction) => Vec::new(),
            Direction::Forward => look.settings.clone(),
            Direction::Reverse => self.coming_home(look),
        };
        let into = match end {
            End::Desktop => Direction::Reverse,
            End::Cloud => Direction::Forward,
        };
        Needs {
            config: look.config,
            end,
            dialect: reached.dialect(),
            is_azure: reached.is_azure(),
            database: reached.database(),
            schema: run::store(look.config, end, look.sql).schema().to_owned(),
            read: of(into.opposite()),
            written: of(into),
            schemas: &self.schemas[place(end)],
            tables: self.tables(end),
            plans: self.granted_plans(look, into),
            remembers: end == End::Cloud || self.remembers,
        }
    }

    /// The tables whose rows may come home, as far as can be told.
    fn coming_home(&self, look: &Look<'_>) -> Vec<TableSettings> {
        let comes =
            |settings: &&TableSettings| !planning::is_forward_only(self.given(look, settings));
        look.settings.iter().filter(comes).cloned().collect()
    }

    fn given<'g>(&'g self, look: &'g Look<'_>, settings: &'g TableSettings) -> Given<'g> {
        Given {
            settings,
            ownership: &look.config.ownership,
            cloud_capture: look.config.cloud_capture,
            desktop: self.schema(End::Desktop, &settings.desktop),
            cloud: self.schema(End::Cloud, &settings.cloud),
            synced: &[],
            desktop_remembers: self.remembers,
        }
    }

    /// The plans as they will be once the roles have their rights: what is asked for must not
    /// depend on what has been granted.
    fn granted_plans(&self, look: &Look<'_>, direction: Direction) -> Vec<TablePlan> {
        let plan = |settings: &TableSettings| {
            let given = self.given(look, settings);
            let (desktop, cloud) = (given.desktop?.as_granted(), given.cloud?.as_granted());
            let given = Given { desktop: Some(&desktop), cloud: Some(&cloud), ..given };
            planning::plan(direction, given).ok()
        };
        let wanted = self.directions.contains(&direction);
        look.settings.iter().filter(|_| wanted).filter_map(plan).collect()
    }
}

fn place(end: End) -> usize {
    match end {
        End::Desktop => 0,
        End::Cloud => 1,
    }
}

async fn facts_of(look: &Look<'_>, reached: Reached<'_>) -> Result<Vec<Table>> {
    let names = look.config.names(reached.end(), &look.settings);
    reached.tables(look.sql, &names).await
}
