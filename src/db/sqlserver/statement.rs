//! Statements on a [`Connection`]: each tells what it was doing when it fails, and none waits for
//! ever. One at a time: the driver has no MARS, so all of them borrow the connection mutably.
//!
//! What has parameters runs within `sp_executesql`: temporary tables made there are gone after it,
//! and a transaction must neither begin nor end there. [`batch`](Connection::batch) is for those.

use std::fmt;
use std::time::Duration;

use tiberius::{FromSql, Row, SqlBulkCopyOptions, ToSql, TokenRow};
use tokio::time::timeout;

use super::connect::Transaction;
use super::failure::is_fatal;
use super::{Connection, failed, patience};
use crate::error::{End, Error, Kind, Result};

/// A bound value, `@P1` and so on.
pub type Param<'p> = &'p dyn ToSql;

type Answer<T> = Result<T, tiberius::error::Error>;

impl Connection {
    /// All rows of the first result of a query.
    pub async fn rows(
        &mut self,
        doing: impl fmt::Display,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Row>> {
        let results = self.result_sets(doing, sql, params).await?;
        Ok(results.into_iter().next().unwrap_or_default())
    }

    /// All rows of all results.
    pub async fn result_sets(
        &mut self,
        doing: impl fmt::Display,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<Vec<Vec<Row>>> {
        let limit = patience::of(patience::ANSWER);
        let client = self.ask(&doing)?;
        let answer = timeout(
            limit,
            Box::pin(async { client.query(sql, params).await?.into_results().await }),
        );
        let answer = answer.await.ok();
        self.settle(&doing, limit, answer)
    }

    /// The first column of a query's only row; null is an error.
    pub async fn value<T: for<'r> FromSql<'r>>(
        &mut self,
        doing: impl fmt::Display,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<T> {
        let doing = doing.to_string();
        let rows = self.rows(&doing, sql, params).await?;
        let none =
            |what| Error::new(Kind::Other, format!("{doing}: the {} gave {what}", self.end()));
        let row = rows.first().ok_or_else(|| none("no row"))?;
        let value = row.try_get(0).map_err(|e| failed(&doing, self.end(), &e))?;
        value.ok_or_else(|| none("no value"))
    }

    /// A statement that returns nothing; gives the number of rows that it touched, with those that
    /// triggers counted.
    pub async fn run(
        &mut self,
        doing: impl fmt::Display,
        sql: &str,
        params: &[Param<'_>],
    ) -> Result<u64> {
        let limit = patience::of(patience::ANSWER);
        let client = self.ask(&doing)?;
        let answer = timeout(limit, Box::pin(client.execute(sql, params))).await.ok();
        Ok(self.settle(&doing, limit, answer)?.total())
    }

    /// Statements without values, one after the other in one round trip.
    pub async fn batch(&mut self, doing: impl fmt::Display, sql: &str) -> Result<()> {
        let limit = patience::of(patience::ANSWER);
        let client = self.ask(&doing)?;
        let answer = timeout(
            limit,
            Box::pin(async { client.simple_query(sql).await?.into_results().await }),
        );
        let answer = answer.await.ok();
        self.settle(&doing, limit, answer).map(drop)
    }

    /// A batch that begins a transaction. Unless that is ended by [`end_with`](Self::end_with), the
    /// connection is closed when it is dropped.
    pub async fn begin_with(&mut self, doing: impl fmt::Display, sql: &str) -> Result<()> {
        self.set_in_transaction(Transaction::Open);
        self.batch(doing, sql).await
    }

    /// A batch that commits the transaction, or rolls it back.
    pub async fn end_with(&mut self, doing: impl fmt::Display, sql: &str) -> Result<()> {
        self.batch(doing, sql).await?;
        self.set_in_transaction(Transaction::Over);
        Ok(())
    }

    /// Loads rows into `table`; gives the number that the server counted. Without the options
    /// `FireTriggers` and `CheckConstraints`, triggers and constraints of the table are passed over.
    ///
    /// The driver puts `table` and `columns` into its statement as they are: quoted names only.
    pub async fn bulk(
        &mut self,
        doing: impl fmt::Display,
        table: &str,
        columns: &[&str],
        options: SqlBulkCopyOptions,
        rows: impl IntoIterator<Item = TokenRow<'static>, IntoIter: Send>,
    ) -> Result<u64> {
        let limit = patience::of(patience::ANSWER);
        let rows = rows.into_iter();
        let client = self.ask(&doing)?;
        let load = async {
            let mut load = client.bulk_insert_with_options(table, columns, options, &[]).await?;
            for row in rows {
                load.send(row).await?;
            }
            load.finalize().await
        };
        let answer = timeout(limit, Box::pin(load)).await.ok();
        Ok(self.settle(&doing, limit, answer)?.total())
    }

    /// What came of waiting; `None`: nothing in time, and the connection is given up.
    pub(super) fn settle<T>(
        &mut self,
        doing: &dyn fmt::Display,
        patience: Duration,
        answer: Option<Answer<T>>,
    ) -> Result<T> {
        let end = self.end();
        match answer {
            Some(Ok(answer)) => {
                self.answered();
                Ok(answer)
            }
            Some(Err(e)) => {
                match is_fatal(&e) {
                    true => self.give_up(),
                    // The driver says so only after it read the whole answer.
                    false => self.answered(),
                }
                Err(failed(&doing.to_string(), end, &e))
            }
            None => {
                self.give_up();
                Err(silent(doing, end, patience))
            }
        }
    }
}

/// The error that nothing came.
pub(super) fn silent(doing: &dyn fmt::Display, end: End, patience: Duration) -> Error {
    let seconds = patience.as_secs_f32();
    tracing::warn!("the {end} has not answered for {seconds} s; hanging up");
    let silent = format!("{doing}: the {end} has not answered for {seconds} s");
    Error::new(Kind::Transient, silent).remedied(
        "Look for a session that holds locks there, and at what stands between: a proxy, a VPN. The \
         next run goes on where this one stopped.",
    )
}
