//! The T-SQL server of the tests, and what sessions of all SQL Servers are.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tiberius::{AuthMethod, Config, EncryptionLevel};

use super::desk::{Desk, Session};
use super::words::{SQL_SERVER, Words};
use crate::support::Office;
use crate::tds::Server;
use crate::tds_server::support::{Client, connect_with, rows};

/// Before the office's database.
pub struct TestServer {
    server: Server,
}

impl TestServer {
    pub fn open(office: &Office) -> Self {
        Self { server: Server::start(&office.cluster.url("desktop")) }
    }
}

impl Desk for TestServer {
    fn url(&self) -> String {
        self.server.url()
    }

    fn sync(&self) -> &'static str {
        SYNC
    }

    fn words(&self) -> Words {
        SQL_SERVER
    }

    fn session(&self) -> BoxFuture<'_, Box<dyn Session>> {
        async move {
            let mut config = Config::new();
            config.host("127.0.0.1");
            config.port(self.server.port());
            config.database("desktop");
            config.authentication(AuthMethod::sql_server("sa", "Passw0rd!"));
            config.encryption(EncryptionLevel::NotSupported);
            let session: Box<dyn Session> = Box::new(connect_with(config).await.unwrap());
            session
        }
        .boxed()
    }

    fn fail_next(&self, pattern: &str, number: i32) {
        self.server.fail_next(pattern, number);
    }
}

/// Nobody sees when open transactions began, and stamps have no zone.
pub const SYNC: &str = "lag = \"5s\"\nassume_timezone = \"UTC\"";

impl Session for Client {
    fn run<'s>(&'s mut self, sql: &'s str) -> BoxFuture<'s, Result<(), String>> {
        async move {
            let outcome = match self.simple_query(sql).await {
                Ok(stream) => stream.into_results().await.map(drop),
                Err(error) => Err(error),
            };
            outcome.map_err(|error| error.to_string())
        }
        .boxed()
    }

    fn rows<'s>(&'s mut self, sql: &'s str) -> BoxFuture<'s, Vec<String>> {
        rows(self, sql).boxed()
    }
}
