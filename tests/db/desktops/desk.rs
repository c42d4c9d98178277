//! What a test needs of a desktop.

use futures_util::future::BoxFuture;

use super::postgres::Postgres;
use super::real_server::RealServer;
use super::test_server::TestServer;
use super::words::Words;
use crate::support::Office;

/// The kinds that there are.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Postgres,
    /// The T-SQL server of the tests.
    TestServer,
    /// A SQL Server that somebody has named.
    RealServer,
}

impl Kind {
    /// An empty desktop for `office`.
    pub async fn open(self, office: &Office) -> Box<dyn Desk> {
        match self {
            Self::Postgres => Box::new(Postgres::open(office)),
            Self::TestServer => Box::new(TestServer::open(office)),
            Self::RealServer => Box::new(RealServer::open().await),
        }
    }
}

/// A desktop, gone when dropped.
pub trait Desk: Send + Sync {
    /// As `[desktop] url` has it.
    fn url(&self) -> String;

    /// What [sync] has to say for it.
    fn sync(&self) -> &'static str;

    /// What it calls things.
    fn words(&self) -> Words;

    /// A session of a desktop user.
    fn session(&self) -> BoxFuture<'_, Box<dyn Session>>;

    /// The next statement that contains `pattern` fails with this error: only the server of the tests can.
    fn fail_next(&self, pattern: &str, _number: i32) {
        panic!("{pattern} can't be made to fail here");
    }
}

/// A session of a desktop user.
pub trait Session: Send {
    /// Runs statements; the error as the driver shows it.
    fn run<'s>(&'s mut self, sql: &'s str) -> BoxFuture<'s, Result<(), String>>;

    /// The rows of a query, values with bars between them.
    fn rows<'s>(&'s mut self, sql: &'s str) -> BoxFuture<'s, Vec<String>>;
}
