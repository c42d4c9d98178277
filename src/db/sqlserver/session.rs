//! A connection that several may ask, one after the other.

use std::fmt;

use tiberius::{FromSql, Row};
use tokio::sync::{Mutex, MutexGuard};

use super::Connection;
use super::statement::Param;
use crate::error::Result;

/// A connection that is lent: whoever asks waits for the answers of the others.
pub struct Session(Mutex<Connection>);

impl Session {
    /// Lends `connection`.
    pub fn new(connection: Connection) -> Self {
        Self(Mutex::new(connection))
    }

    /// The connection, for as long as it is held.
    pub async fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().await
    }

    /// All rows of the first result of a query.
    pub async fn rows(
        &self,
        doing: impl fmt::Display,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>> {
        self.lock().await.rows(doing, sql, params).await
    }

    /// All rows of all results.
    pub async fn result_sets(
        &self,
        doing: impl fmt::Display,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Vec<Row>>> {
        self.lock().await.result_sets(doing, sql, params).await
    }

    /// The first column of a query's only row; null is an error.
    pub async fn value<T: for<'r> FromSql<'r>>(
        &self,
        doing: impl fmt::Display,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<T> {
        self.lock().await.value(doing, sql, params).await
    }

    /// The connection itself again.
    pub fn into_inner(self) -> Connection {
        self.0.into_inner()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}
