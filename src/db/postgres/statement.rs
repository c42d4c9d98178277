//! Statements on a [`Connection`]: never named, because a transaction-mode pooler gives the next
//! transaction another session; each tells what it was doing when it fails.

use std::fmt;

use bytes::Bytes;
use futures_util::SinkExt;
use serde::de::DeserializeOwned;
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{CopyOutStream, Row};

use crate::error::{Error, Kind, Result};

use super::{Connection, failed};

/// A bound value with its type, which is why the server need not be asked for it.
pub type Param<'p> = (&'p (dyn ToSql + Sync), Type);

/// A text, or an `Option` of one.
pub fn text(value: &(impl ToSql + Sync)) -> Param<'_> {
    (value, Type::TEXT)
}

impl Connection {
    /// All rows of a query.
    pub async fn rows(
        &self,
        doing: impl fmt::Display,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>> {
        self.query_typed(sql, params).await.map_err(|e| self.failed(doing, e))
    }

    /// The first column of a query's only row.
    pub async fn value<T: for<'r> FromSql<'r>>(
        &self,
        doing: impl fmt::Display,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<T> {
        let doing = doing.to_string();
        let rows = self.rows(&doing, sql, params).await?;
        let row = rows.first().ok_or_else(|| {
            Error::new(Kind::Other, format!("{doing}: the {} gave no row", self.end()))
        })?;
        row.try_get(0).map_err(|e| self.failed(doing, e))
    }

    /// A query whose only value is a JSON document.
    pub async fn document<T: DeserializeOwned>(
        &self,
        doing: impl fmt::Display,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<T> {
        let doing = doing.to_string();
        let json: String = self.value(&doing, sql, params).await?;
        serde_json::from_str(&json).map_err(|e| Error::new(Kind::Other, doing).because(e))
    }

    /// A statement that returns nothing; gives the number of rows that it touched.
    pub async fn run(
        &self,
        doing: impl fmt::Display,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<u64> {
        self.execute_typed(sql, params).await.map_err(|e| self.failed(doing, e))
    }

    /// Statements without values, one after the other in one round trip.
    pub async fn batch(&self, doing: impl fmt::Display, sql: &str) -> Result<()> {
        self.batch_execute(sql).await.map_err(|e| self.failed(doing, e))
    }

    /// Streams a binary COPY out of the database: a message a row.
    pub async fn read_copy(&self, doing: impl fmt::Display, sql: &str) -> Result<CopyOutStream> {
        self.copy_out(sql).await.map_err(|e| self.failed(doing, e))
    }

    /// Sends a binary COPY; gives the number of rows that the server counted.
    pub async fn write_copy(
        &self,
        doing: impl fmt::Display,
        sql: &str,
        pieces: impl Iterator<Item = Bytes>,
    ) -> Result<u64> {
        let send = async {
            let mut sink = Box::pin(self.copy_in::<_, Bytes>(sql).await?);
            for piece in pieces {
                sink.feed(piece).await?;
            }
            sink.as_mut().finish().await
        };
        send.await.map_err(|e| self.failed(doing, e))
    }

    fn failed(&self, doing: impl fmt::Display, e: tokio_postgres::Error) -> Error {
        failed(&doing.to_string(), self.end(), e)
    }
}
