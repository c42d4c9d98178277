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

/// The driver's result: what some callers tell by its SQLSTATE.
type Answer<T> = std::result::Result<T, tokio_postgres::Error>;

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
        let answer = Box::pin(self.client().execute_typed(sql, params));
        self.answer(patience(PATIENCE), answer).await.map_err(|e| self.failed(doing, e))
    }

    /// Statements without values, one after the other in one round trip.
    pub async fn batch(&self, doing: impl fmt::Display, sql: &str) -> Result<()> {
        self.batch_execute(sql).await.map_err(|e| self.failed(doing, e))
    }

    /// As [`rows`](Self::rows), with the driver's error.
    pub async fn query_typed(&self, sql: &str, params: &[Param<'_>]) -> Answer<Vec<Row>> {
        self.answer(patience(PATIENCE), Box::pin(self.client().query_typed(sql, params))).await
    }

    /// As [`batch`](Self::batch), with the driver's error.
    pub async fn batch_execute(&self, sql: &str) -> Answer<()> {
        self.answer(patience(PATIENCE), Box::pin(self.client().batch_execute(sql))).await
    }

    /// Starts a binary COPY out of the database, in the transaction that was begun.
    pub async fn read_copy(self, doing: impl fmt::Display, sql: &str) -> Result<CopyOut> {
        // The task may be dropped at any await: until the commit is answered, that discards.
        let connection = InTransaction(Some(self));
        let doing = doing.to_string();
        let open = connection.get(&doing)?;
        let stream = Box::pin(open.client().copy_out(sql));
        let stream = open.answer(patience(PATIENCE), stream).await;
        let stream = Box::pin(stream.map_err(|e| open.failed(&doing, e))?);
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
        let send = async {
            let copy = Box::pin(self.client().copy_in::<_, Bytes>(sql));
            let mut sink = Box::pin(self.answer(patience, copy).await?);
            for piece in pieces {
                self.answer(patience, sink.feed(piece)).await?;
            }
            self.answer(patience, Box::pin(sink.as_mut().finish())).await
        };
        send.await.map_err(|e| self.failed(doing, e))
    }

    /// Waits for the server, but not for ever: then the connection is given up, which ends the wait.
    async fn answer<T>(
        &self,
        patience: Duration,
        mut waiting: impl Future<Output = Answer<T>> + Unpin,
    ) -> Answer<T> {
        match timeout(patience, &mut waiting).await {
            Ok(answer) => answer,
            Err(_) => {
                let seconds = patience.as_secs_f32();
                tracing::warn!("the {} has not answered for {seconds} s; hanging up", self.end());
                self.give_up();
                waiting.await
            }
        }
    }

    fn failed(&self, doing: impl fmt::Display, e: tokio_postgres::Error) -> Error {
        match self.is_given_up() {
            false => failed(&doing.to_string(), self.end(), e),
            true => {
                let end = self.end();
                Error::new(Kind::Transient, format!("{doing}: the {end} does not answer any more"))
                    .remedied(
                        "Look at what stands between: a pooler, a proxy, a VPN. The next run goes \
                         on where this one stopped.",
                    )
            }
        }
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
        let next = open.answer(self.patience, self.stream.try_next()).await;
        let next = next.map_err(|e| open.failed(&self.doing, e))?;
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
