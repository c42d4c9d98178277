//! An end that answered, of whichever kind it is: a new kind is one more variant here.

use super::facts::{Clock, Counts, Role, Table, Triggers, postgres, sqlserver};
use super::grants::{self, Grant};
use crate::config::{Config, DesktopKind};
use crate::db::Session;
use crate::db::postgres::sequences::Sequence;
use crate::db::postgres::{self as pg, Purpose};
use crate::db::sqlserver as ms;
use crate::error::{End, Result};
use crate::model::{Ownership, TableName, TablePlan};
use crate::sql::{Dialect, Sql};

/// `serverproperty('EngineEdition')` of a database in Azure without a server of its own.
const AZURE_DATABASES: [i32; 2] = [5, 12];

/// A desktop that answered.
#[derive(Debug)]
pub(super) enum Desktop {
    Postgres(Box<postgres::Reached>),
    SqlServer(Box<sqlserver::Reached>),
}

/// An end that answered, to be asked more.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reached<'r> {
    Postgres(&'r postgres::Reached),
    SqlServer(&'r sqlserver::Reached),
}

/// Connects to the desktop.
pub(super) async fn desktop(config: &Config, sql: &Sql) -> Result<Desktop> {
    let (url, end, purpose) = (&config.desktop_url, End::Desktop, Purpose::Reader);
    Ok(match config.desktop_kind {
        DesktopKind::Postgres => {
            let database = pg::Database::new(url, end, purpose, 2)?;
            Desktop::Postgres(Box::new(postgres::reach(database, sql).await?))
        }
        DesktopKind::SqlServer => {
            let database = ms::Database::new(url, &config.desktop_tls, end, purpose, 2)?;
            Desktop::SqlServer(Box::new(sqlserver::reach(database, config, sql).await?))
        }
    })
}

/// Connects to the cloud.
pub(super) async fn cloud(config: &Config, sql: &Sql) -> Result<postgres::Reached> {
    let database = pg::Database::new(&config.cloud_url, End::Cloud, Purpose::Writer, 2)?;
    postgres::reach(database, sql).await
}

impl Desktop {
    pub(super) fn reached(&self) -> Reached<'_> {
        match self {
            Self::Postgres(reached) => Reached::Postgres(reached),
            Self::SqlServer(reached) => Reached::SqlServer(reached),
        }
    }
}

impl<'r> Reached<'r> {
    pub(super) fn end(self) -> End {
        match self {
            Self::Postgres(reached) => reached.database.end(),
            Self::SqlServer(reached) => reached.database.end(),
        }
    }

    pub(super) fn session(self) -> Session<'r> {
        match self {
            Self::Postgres(reached) => (&reached.connection).into(),
            Self::SqlServer(reached) => Session::SqlServer(&reached.session),
        }
    }

    pub(super) fn dialect(self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgres,
            Self::SqlServer(_) => Dialect::Tsql,
        }
    }

    /// Whether it is a database of Azure, which has no server of its own.
    pub(super) fn is_azure(self) -> bool {
        match self {
            Self::Postgres(_) => false,
            Self::SqlServer(reached) => AZURE_DATABASES.contains(&reached.server.engine),
        }
    }

    pub(super) fn clock(self) -> Clock {
        match self {
            Self::Postgres(reached) => reached.clock,
            Self::SqlServer(reached) => reached.clock,
        }
    }

    /// The database's name.
    pub(super) fn database(self) -> &'r str {
        match self {
            Self::Postgres(reached) => &reached.server.database,
            Self::SqlServer(reached) => &reached.server.database,
        }
    }

    /// The name under which positions know it.
    pub(super) fn identity(self) -> &'r str {
        match self {
            Self::Postgres(reached) => &reached.server.identity,
            Self::SqlServer(reached) => &reached.server.identity,
        }
    }

    pub(super) fn role(self) -> Role<'r> {
        match self {
            Self::Postgres(reached) => reached.role(),
            Self::SqlServer(reached) => reached.role(),
        }
    }

    /// The facts of those of `tables` that exist.
    pub(super) async fn tables(self, sql: &Sql, tables: &[TableName]) -> Result<Vec<Table>> {
        match self {
            Self::Postgres(reached) => reached.tables(sql, tables).await,
            Self::SqlServer(reached) => reached.tables(sql, tables).await,
        }
    }

    /// The triggers of those of `tables` that exist.
    pub(super) async fn triggers(self, sql: &Sql, tables: &[TableName]) -> Result<Vec<Triggers>> {
        match self {
            Self::Postgres(reached) => reached.triggers(sql, tables).await,
            Self::SqlServer(reached) => reached.triggers(sql, tables).await,
        }
    }

    /// Those of `grants` that our role lacks, in part or whole. What is on an object that does not
    /// exist is nobody's to lack.
    pub(super) async fn missing(self, sql: &Sql, grants: Vec<Grant>) -> Result<Vec<Grant>> {
        let held = match self {
            Self::Postgres(reached) => grants::held(&reached.connection, sql, &grants).await?,
            Self::SqlServer(reached) => reached.held(sql, &grants).await?,
        };
        Ok(grants::missing(grants, held))
    }

    /// Scans the table of `plan`, beside what the cloud's sequence hands out for its key.
    pub(super) async fn count(
        self,
        sql: &Sql,
        plan: &TablePlan,
        sequence: Option<&Sequence>,
        marks: &Ownership,
    ) -> Result<Counts> {
        match self {
            Self::Postgres(reached) => reached.count(sql, plan, sequence, marks).await,
            Self::SqlServer(reached) => reached.count(sql, plan, sequence, marks).await,
        }
    }
}

impl<'r> From<&'r postgres::Reached> for Reached<'r> {
    fn from(reached: &'r postgres::Reached) -> Self {
        Self::Postgres(reached)
    }
}
