//! One end's database, of whichever kind it is: a new kind is one more variant here.

use std::sync::Arc;

use crate::config::{Config, DesktopKind};
use crate::error::{End, Error, Kind, Result};
use crate::model::TableName;
use crate::model::schema::TableSchema;
use crate::sql::Sql;

use super::postgres::{self, Purpose};
use super::sqlserver;

/// A database, for one purpose.
#[derive(Debug, Clone)]
pub enum Database {
    /// A PostgreSQL; the cloud always is one.
    Postgres(Arc<postgres::Database>),
    /// A SQL Server.
    SqlServer(Arc<sqlserver::Database>),
}

/// A connection of its own, which goes back to its pool.
#[derive(Debug)]
pub enum Connection {
    /// To a PostgreSQL.
    Postgres(Box<postgres::Connection>),
    /// To a SQL Server.
    SqlServer(sqlserver::Session),
}

/// The same, borrowed.
#[derive(Debug, Clone, Copy)]
pub enum Session<'s> {
    /// Of a PostgreSQL.
    Postgres(&'s postgres::Connection),
    /// Of a SQL Server.
    SqlServer(&'s sqlserver::Session),
}

impl Database {
    /// The database at `end`, with at most `max_size` connections; none is opened yet.
    pub fn of(config: &Config, end: End, purpose: Purpose, max_size: usize) -> Result<Self> {
        let url = config.url(end);
        Ok(match (end, config.desktop_kind) {
            (End::Desktop, DesktopKind::SqlServer) => {
                let tls = &config.desktop_tls;
                let database = sqlserver::Database::new(url, tls, end, purpose, max_size)?;
                Self::SqlServer(Arc::new(database))
            }
            (End::Cloud, _) | (End::Desktop, DesktopKind::Postgres) => {
                Self::Postgres(Arc::new(postgres::Database::new(url, end, purpose, max_size)?))
            }
        })
    }

    /// A connection out of the pool, or a new one; waits while all are in use.
    pub async fn connection(&self) -> Result<Connection> {
        Ok(match self {
            Self::Postgres(database) => {
                Connection::Postgres(Box::new(Box::pin(database.connection()).await?))
            }
            Self::SqlServer(database) => Connection::SqlServer(sqlserver::Session::new(
                Box::pin(database.connection()).await?,
            )),
        })
    }
}

impl Connection {
    /// To be lent.
    pub fn session(&self) -> Session<'_> {
        match self {
            Self::Postgres(connection) => Session::Postgres(connection),
            Self::SqlServer(session) => Session::SqlServer(session),
        }
    }
}

impl<'s> Session<'s> {
    /// Which end it leads to.
    pub fn end(self) -> End {
        match self {
            Self::Postgres(connection) => connection.end(),
            // The cloud is a PostgreSQL.
            Self::SqlServer(_) => End::Desktop,
        }
    }

    /// The connection to the cloud, which always is a PostgreSQL.
    ///
    /// # Errors
    /// [`Kind::Config`] where it is not.
    pub fn postgres(self) -> Result<&'s postgres::Connection> {
        match self {
            Self::Postgres(connection) => Ok(connection),
            Self::SqlServer(_) => Err(Error::new(Kind::Config, "the cloud has to be a PostgreSQL")),
        }
    }

    /// Those of `tables` that exist, as the catalogue describes them; in one round trip.
    pub async fn catalogue(self, sql: &Sql, tables: &[TableName]) -> Result<Vec<TableSchema>> {
        match self {
            Self::Postgres(connection) => postgres::catalogue::read(connection, sql, tables).await,
            Self::SqlServer(session) => sqlserver::catalogue::read(session, sql, tables).await,
        }
    }
}

impl<'s> From<&'s postgres::Connection> for Session<'s> {
    fn from(connection: &'s postgres::Connection) -> Self {
        Self::Postgres(connection)
    }
}
