//! A SQL Server that somebody has named: each test has a database of its own there.

use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tiberius::{AuthMethod, Config, EncryptionLevel};

use super::desk::{Desk, Session};
use super::test_server::SYNC;
use super::words::{SQL_SERVER, Words};
use crate::tds_server::support::{Client, connect_with};

/// What these tests need.
const NEEDED: &str = "TIDEGATE_TEST_SQLSERVER_URL must be sqlserver://user:password@host:port of a login \
                      that may make databases";

/// Where it is, and who may come in. Neither user nor password has an escaped character.
#[derive(Clone)]
struct Address {
    user: String,
    password: String,
    host: String,
    port: u16,
}

impl Address {
    #[allow(clippy::disallowed_methods, reason = "tests have no configuration")]
    fn given() -> Option<Self> {
        Self::parse(&std::env::var("TIDEGATE_TEST_SQLSERVER_URL").ok()?)
    }

    fn parse(url: &str) -> Option<Self> {
        let (login, place) = url.strip_prefix("sqlserver://")?.rsplit_once('@')?;
        let (user, password) = login.split_once(':')?;
        let place = place.split('/').next()?;
        let (host, port) = place.split_once(':').unwrap_or((place, "1433"));
        let [user, password, host] = [user, password, host].map(str::to_owned);
        Some(Self { user, password, host, port: port.parse().ok()? })
    }

    fn is_here(&self) -> bool {
        ["127.0.0.1", "localhost"].contains(&&*self.host)
    }

    async fn client(&self, database: &str) -> Client {
        let mut config = Config::new();
        config.host(&self.host);
        config.port(self.port);
        config.database(database);
        config.authentication(AuthMethod::sql_server(&self.user, &self.password));
        config.trust_cert();
        config.encryption(match self.is_here() {
            true => EncryptionLevel::NotSupported,
            false => EncryptionLevel::Required,
        });
        connect_with(config).await.unwrap()
    }
}

/// A database of one test, gone when dropped.
pub struct RealServer {
    address: Address,
    database: String,
}

impl RealServer {
    pub async fn open() -> Self {
        let address = Address::given().expect(NEEDED);
        let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let database = format!("tidegate_test_{}_{moment}", std::process::id());
        let mut client = address.client("master").await;
        client.run(&format!("create database {database}")).await.unwrap();
        // Servers that only speak T-SQL have no such setting, and snapshots always.
        let snapshots = format!("alter database {database} set allow_snapshot_isolation on");
        let _ = client.run(&snapshots).await;
        Self { address, database }
    }
}

impl Desk for RealServer {
    fn url(&self) -> String {
        let Address { user, password, host, port } = &self.address;
        format!("sqlserver://{user}:{password}@{host}:{port}/{}", self.database)
    }

    fn sync(&self) -> &'static str {
        SYNC
    }

    fn words(&self) -> Words {
        SQL_SERVER
    }

    fn session(&self) -> BoxFuture<'_, Box<dyn Session>> {
        async move {
            let session: Box<dyn Session> = Box::new(self.address.client(&self.database).await);
            session
        }
        .boxed()
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        let (address, database) = (self.address.clone(), self.database.clone());
        let dropped = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut client = address.client("master").await;
                let alone =
                    format!("alter database {database} set single_user with rollback immediate");
                let _ = client.run(&alone).await;
                client.run(&format!("drop database {database}")).await
            })
        });
        match dropped.join() {
            Ok(Ok(())) => {}
            other => eprintln!("the database of a test is left: {other:?}"),
        }
    }
}
