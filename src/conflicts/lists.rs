//! Both lists of one end, of whichever kind its database is.

use crate::config::Config;
use crate::db::{Connection, Database, Purpose, postgres, sqlserver};
use crate::error::{End, Result};
use crate::model::conflict::Id;
use crate::run;
use crate::sql::Sql;
use crate::store::{ConflictRecord, Conflicts, SqlServerStore, Store};

const READING: &str = "reading the conflicts";

/// tidegate's own tables at one end, to be looked at once.
pub(super) enum Lists<'l> {
    /// Of a PostgreSQL.
    Postgres(Store<'l>, Box<postgres::Connection>),
    /// Of a SQL Server.
    SqlServer(SqlServerStore<'l>, Box<sqlserver::Connection>),
}

impl<'l> Lists<'l> {
    /// Those at `end`; `None`: the desktop has none.
    ///
    /// # Errors
    /// [`Kind::Config`](crate::error::Kind::Config) when `migrate` has to run first.
    pub(super) async fn open(config: &Config, end: End, sql: &'l Sql) -> Result<Option<Self>> {
        match Database::of(config, end, purpose(end), 1)?.connection().await? {
            Connection::Postgres(connection) => {
                let store = run::store(config, end, sql);
                if end == End::Desktop && !store.exists(&connection).await? {
                    return Ok(None);
                }
                store.require(&connection).await?;
                Ok(Some(Self::Postgres(store, connection)))
            }
            Connection::SqlServer(session) => {
                let store = run::sql_server_store(config, sql);
                let mut connection = Box::new(session.into_inner());
                if !store.exists(&mut connection).await? {
                    return Ok(None);
                }
                store.require(&mut connection).await?;
                Ok(Some(Self::SqlServer(store, connection)))
            }
        }
    }

    /// The latest entries of each list, up to `limit`; of one table if `label` names one.
    pub(super) async fn conflicts(self, label: Option<&str>, limit: usize) -> Result<Conflicts> {
        match self {
            Self::Postgres(store, connection) => {
                let look = async |on: &_| store.conflicts(on, label, limit).await;
                connection.look(READING, store.sql(), look).await
            }
            Self::SqlServer(store, mut connection) => {
                store.conflicts(&mut connection, label, limit).await
            }
        }
    }

    /// One entry, if it is there.
    pub(super) async fn conflict(self, id: Id) -> Result<Option<ConflictRecord>> {
        match self {
            Self::Postgres(store, connection) => {
                let look = async |on: &_| store.conflict(on, id).await;
                connection.look(READING, store.sql(), look).await
            }
            Self::SqlServer(store, mut connection) => store.conflict(&mut connection, id).await,
        }
    }
}

/// The desktop is only read.
fn purpose(end: End) -> Purpose {
    match end {
        End::Desktop => Purpose::Reader,
        End::Cloud => Purpose::Writer,
    }
}
