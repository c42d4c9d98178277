//! Rows one by one, for results that are larger than memory.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::TryStreamExt;
use tiberius::{ColumnData, IntoSql, Query, QueryItem, Row};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::timeout;

use super::connect::Wire;
use super::failure::gone;
use super::statement::silent;
use super::{Connection, patience};
use crate::error::{End, Error, Result};

/// So many rows are read ahead: enough to be quick with small ones, few if they are large.
const AHEAD: usize = 16;

type Answer = Result<(), tiberius::error::Error>;
type Pump = Pin<Box<dyn Future<Output = (Connection, Answer)> + Send>>;

/// A parameter that its stream owns.
struct Owned(ColumnData<'static>);

impl IntoSql<'static> for Owned {
    fn into_sql(self) -> ColumnData<'static> {
        self.0
    }
}

impl Connection {
    /// The rows of a query, which begins at the first [`next`](RowStream::next).
    pub fn stream(
        self,
        doing: impl fmt::Display,
        sql: impl Into<String>,
        params: Vec<ColumnData<'static>>,
    ) -> RowStream {
        let mut query = Query::new(sql.into());
        params.into_iter().for_each(|param| query.bind(Owned(param)));
        let (sender, rows) = mpsc::channel(AHEAD);
        let (end, doing) = (self.end(), doing.to_string());
        let pump = Box::pin(pump(self, query, sender));
        let patience = patience::of(patience::FIRST_ROW);
        RowStream { state: State::Reading(pump), rows, end, doing, patience }
    }
}

async fn pump(
    mut connection: Connection,
    query: Query<'static>,
    rows: Sender<Row>,
) -> (Connection, Answer) {
    let answer = match connection.ask(&"reading rows") {
        Ok(client) => feed(client, query, rows).await,
        Err(e) => Err(tiberius::error::Error::Io {
            kind: std::io::ErrorKind::NotConnected,
            message: e.to_string(),
        }),
    };
    (connection, answer)
}

async fn feed(client: &mut Wire, query: Query<'static>, rows: Sender<Row>) -> Answer {
    let mut answer = query.query(client).await?;
    while let Some(item) = answer.try_next().await? {
        if let QueryItem::Row(row) = item
            && rows.send(row).await.is_err()
        {
            break;
        }
    }
    Ok(())
}

/// The rows of one query. Unless it is [finished](RowStream::finish), its connection is closed.
pub struct RowStream {
    state: State,
    rows: Receiver<Row>,
    end: End,
    doing: String,
    patience: Duration,
}

enum State {
    Reading(Pump),
    Ended(Box<Connection>),
    Lost,
}

impl RowStream {
    /// The next row; `None` after the last one.
    pub async fn next(&mut self) -> Result<Option<Row>> {
        // Most rows are read ahead: those need no timer.
        if !matches!(self.state, State::Lost)
            && let Ok(row) = self.rows.try_recv()
        {
            return Ok(Some(row));
        }
        let patience = self.patience;
        let Ok(next) = timeout(patience, poll_fn(|context| self.poll(context))).await else {
            self.state = State::Lost;
            return Err(silent(&self.doing, self.end, patience));
        };
        self.patience = self.patience.min(patience::ANSWER);
        next
    }

    /// Reads what is left, and gives the connection back.
    pub async fn finish(mut self) -> Result<Connection> {
        while self.next().await?.is_some() {}
        match std::mem::replace(&mut self.state, State::Lost) {
            State::Ended(connection) => Ok(*connection),
            State::Reading(_) | State::Lost => Err(self.gone()),
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Row>>> {
        match &mut self.state {
            State::Ended(_) => {}
            State::Lost => return Poll::Ready(Err(self.gone())),
            State::Reading(pump) => {
                if let Poll::Ready((connection, answer)) = pump.as_mut().poll(context) {
                    self.state = State::Lost;
                    self.settle(connection, answer)?;
                }
            }
        }
        match self.rows.poll_recv(context) {
            Poll::Ready(row) => Poll::Ready(Ok(row)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn settle(&mut self, mut connection: Connection, answer: Answer) -> Result<()> {
        connection.settle(&self.doing, self.patience, Some(answer))?;
        self.state = State::Ended(Box::new(connection));
        Ok(())
    }

    fn gone(&self) -> Error {
        gone(&self.doing, self.end)
    }
}
