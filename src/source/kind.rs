//! A source of whichever kind of database: a new kind is one more variant here.

use crate::db::Database;
use crate::error::Result;
use crate::model::{Carried, Horizon, Position, Selection, TablePlan};
use crate::sql::Sql;

use super::postgres::{PgSource, PgView};
use super::sqlserver::{SqlServerSource, SqlServerView};
use super::{Changes, Source, View};

/// A database that is read.
#[derive(Debug)]
pub enum AnySource {
    /// A PostgreSQL.
    Postgres(PgSource),
    /// A SQL Server.
    SqlServer(SqlServerSource),
}

/// What it looks like.
#[derive(Debug)]
pub enum AnyView {
    /// A PostgreSQL.
    Postgres(Box<PgView>),
    /// A SQL Server.
    SqlServer(Box<SqlServerView>),
}

impl AnySource {
    /// Reads `database`.
    pub fn new(database: Database, sql: &Sql) -> Self {
        match database {
            Database::Postgres(database) => Self::Postgres(PgSource::new(database, sql)),
            Database::SqlServer(database) => Self::SqlServer(SqlServerSource::new(database, sql)),
        }
    }

    /// The same; tidegate's own tables stand in `schema` of the database.
    pub fn remembering(self, schema: &str) -> Self {
        match self {
            Self::Postgres(source) => Self::Postgres(source.remembering(schema)),
            Self::SqlServer(source) => Self::SqlServer(source.remembering(schema)),
        }
    }

    /// The same; of every selection only the row with this key is read, a JSON object, column of the
    /// cloud → text.
    pub fn only(self, key: &str) -> Self {
        match self {
            Self::Postgres(source) => Self::Postgres(source.only(key)),
            Self::SqlServer(source) => Self::SqlServer(source.only(key)),
        }
    }

    /// Names the database.
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn identity(&self) -> Result<String> {
        match self {
            Self::Postgres(source) => source.identity().await,
            Self::SqlServer(source) => source.identity().await,
        }
    }
}

impl Source for AnySource {
    type View = AnyView;

    async fn open(&self, tables: &[(&TablePlan, &Position)]) -> Result<AnyView> {
        Ok(match self {
            Self::Postgres(source) => AnyView::Postgres(Box::new(source.open(tables).await?)),
            Self::SqlServer(source) => AnyView::SqlServer(Box::new(source.open(tables).await?)),
        })
    }
}

impl AnyView {
    /// The view, if it is of a PostgreSQL: the cloud's always is.
    pub fn postgres(&self) -> Option<&PgView> {
        match self {
            Self::Postgres(view) => Some(view),
            Self::SqlServer(_) => None,
        }
    }
}

impl View for AnyView {
    fn identity(&self) -> &str {
        match self {
            Self::Postgres(view) => view.identity(),
            Self::SqlServer(view) => view.identity(),
        }
    }

    fn horizon(&self, plan: &TablePlan) -> Result<Horizon> {
        match self {
            Self::Postgres(view) => view.horizon(plan),
            Self::SqlServer(view) => view.horizon(plan),
        }
    }

    fn carried(&self, plan: &TablePlan) -> Carried {
        match self {
            Self::Postgres(view) => view.carried(plan),
            Self::SqlServer(view) => view.carried(plan),
        }
    }

    fn reaches(&self, plan: &TablePlan, at: &Position) -> bool {
        match self {
            Self::Postgres(view) => view.reaches(plan, at),
            Self::SqlServer(view) => view.reaches(plan, at),
        }
    }

    fn clock(&self) -> f64 {
        match self {
            Self::Postgres(view) => view.clock(),
            Self::SqlServer(view) => view.clock(),
        }
    }

    async fn read(&self, plan: &TablePlan, selection: Selection<'_>) -> Result<Changes> {
        match self {
            Self::Postgres(view) => view.read(plan, selection).await,
            Self::SqlServer(view) => view.read(plan, selection).await,
        }
    }
}
