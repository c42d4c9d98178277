//! Statements on a [`Connection`]: never named, because a transaction-mode pooler gives the next
//! transaction another session; each tells what it was doing when it fails, and none waits for ever.
//!
//! A COPY is the exception: the driver names its statement. It is closed before its transaction
//! ends, and a connection that is dropped in a transaction takes the pooler's session with it, so
//! that no program meets another's name.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{CopyOutStream, Row};

use crate::error::{Error, Kind, Result};

use super::{Connection, failed};

/// How long an answer may take. A living server ends a batch's statement before, by its
/// `statement_timeout`; the system finds a dead one, but not a pooler or a proxy that takes
/// everything and never answers.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// A source may have to sort a whole table before its first row.
const PATIENCE_FOR_FIRST_ROW: Duration = Duration::from_secs(30 * 60);

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
        self.answer(&doing, patience(PATIENCE), self.query_typed(sql, params)).await
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

    /// A query whose only value, if there is a row at all, is a JSON document.
    pub async fn any_document<T: DeserializeOwned>(
        &self,
        doing: impl fmt::Display,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Option<T>> {
        let doing = doing.to_string();
        let rows = self.rows(&doing, sql, params).await?;
        let parse = |row: &Row| {
            serde_json::from_str(row.get(0))
                .map_err(|e| Error::new(Kind::Other, &*doing).because(e))
        };
        rows.first().map(parse).transpose()
    }

    /// A statement that returns nothing; gives the number of rows that it touched.
    pub async fn run(
        &self,
        doing: impl fmt::Display,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<u64> {
        self.answer(&doing, patience(PATIENCE), self.execute_typed(sql, params)).await
    }

    /// Statements without values, one after the other in one round trip.
    pub async fn batch(&self, doing: impl fmt::Display, sql: &str) -> Result<()> {
        self.answer(&doing, patience(PATIENCE), self.batch_execute(sql)).await
    }

    /// Starts a binary COPY out of the database, in the transaction that was begun.
    pub async fn read_copy(self, doing: impl fmt::Display, sql: &str) -> Result<CopyOut> {
        // The task may be dropped at any await: until the commit is answered, that discards.
        let connection = InTransaction(Some(self));
        let doing = doing.to_string();
        let open = connection.get(&doing)?;
        let stream = Box::pin(open.answer(&doing, patience(PATIENCE), open.copy_out(sql)).await?);
        let patience = patience(PATIENCE_FOR_FIRST_ROW);
        Ok(CopyOut { connection, stream, doing, patience })
    }

    /// Sends a binary COPY; gives the number of rows that the server counted.
    pub async fn write_copy(
        &self,
        doing: impl fmt::Display,
        sql: &str,
        pieces: impl Iterator<Item = Bytes>,
    ) -> Result<u64> {
        let patience = patience(PATIENCE);
        let sink = self.answer(&doing, patience, self.copy_in::<_, Bytes>(sql)).await?;
        let mut sink = Box::pin(sink);
        for piece in pieces {
            self.answer(&doing, patience, sink.feed(piece)).await?;
        }
        self.answer(&doing, patience, sink.as_mut().finish()).await
    }

    /// Waits for the server, but not for ever: then the connection is given up.
    async fn answer<T>(
        &self,
        doing: impl fmt::Display,
        patience: Duration,
        waiting: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        if !self.is_given_up()
            && let Ok(answer) = timeout(patience, Box::pin(waiting)).await
        {
            return answer.map_err(|e| self.failed(doing, e));
        }
        self.give_up();
        let end = self.end();
        tracing::warn!("the {end} has not answered for {} s; hanging up", patience.as_secs_f32());
        let silent =
            format!("{doing}: the {end} has not answered for {} s", patience.as_secs_f32());
        Err(Error::new(Kind::Transient, silent).remedied(
            "Look at what stands between: a pooler, a proxy, a VPN. The next run goes on where this \
             one stopped.",
        ))
    }

    fn failed(&self, doing: impl fmt::Display, e: tokio_postgres::Error) -> Error {
        failed(&doing.to_string(), self.end(), e)
    }
}

/// A COPY out of the database. Unless it is [finished](CopyOut::finish), its connection is closed.
pub struct CopyOut {
    connection: InTransaction,
    stream: Pin<Box<CopyOutStream>>,
    doing: String,
    patience: Duration,
}

impl CopyOut {
    /// The next message: PostgreSQL sends one a row.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let open = self.connection.get(&self.doing)?;
        let next = open.answer(&self.doing, self.patience, self.stream.try_next()).await?;
        self.patience = self.patience.min(PATIENCE);
        Ok(next)
    }

    /// Ends the transaction, after which the connection may go back to its pool.
    pub async fn finish(mut self) -> Result<()> {
        self.connection.get(&self.doing)?.batch(&self.doing, "commit").await?;
        drop(self.connection.0.take());
        Ok(())
    }
}

/// A connection in a transaction: thrown away when dropped.
struct InTransaction(Option<Connection>);

impl InTransaction {
    fn get(&self, doing: &str) -> Result<&Connection> {
        let gone = || Error::new(Kind::Other, format!("{doing}: the transaction is over"));
        self.0.as_ref().ok_or_else(gone)
    }
}

impl Drop for InTransaction {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            connection.discard();
        }
    }
}

/// How long to wait; tests can't wait for minutes.
fn patience(usual: Duration) -> Duration {
    fail::fail_point!("patience", |millis: Option<String>| {
        millis.and_then(|m| m.parse().ok()).map_or(usual, Duration::from_millis)
    });
    usual
}
