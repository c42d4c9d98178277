//! A PostgreSQL desktop.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::desk::{Desk, Session};
use super::words::{POSTGRES, Words};
use crate::support::{Office, connect};

/// The office's own database.
pub struct Postgres {
    url: String,
}

impl Postgres {
    pub fn open(office: &Office) -> Self {
        Self { url: office.cluster.url("desktop") }
    }
}

impl Desk for Postgres {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn sync(&self) -> &'static str {
        "lag = \"0s\""
    }

    fn words(&self) -> Words {
        POSTGRES
    }

    fn session(&self) -> BoxFuture<'_, Box<dyn Session>> {
        async move {
            let client = connect(&self.url).await;
            client.batch_execute("set timezone = 'UTC'").await.unwrap();
            let session: Box<dyn Session> = Box::new(client);
            session
        }
        .boxed()
    }
}

impl Session for Client {
    fn run<'s>(&'s mut self, sql: &'s str) -> BoxFuture<'s, Result<(), String>> {
        async { self.batch_execute(sql).await.map_err(|error| format!("{error:?}")) }.boxed()
    }

    fn rows<'s>(&'s mut self, sql: &'s str) -> BoxFuture<'s, Vec<String>> {
        async move {
            let messages = self.simple_query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
            messages.iter().filter_map(shown).collect()
        }
        .boxed()
    }
}

/// A row, values with bars between them.
pub fn shown(message: &SimpleQueryMessage) -> Option<String> {
    let SimpleQueryMessage::Row(row) = message else { return None };
    let values = (0..row.len()).map(|at| row.get(at).unwrap_or("null"));
    Some(values.collect::<Vec<_>>().join("|"))
}
