//! A cloud, and a desktop on a SQL Server, before the whole program: the server that
//! `TIDEGATE_TEST_SQLSERVER_URL` names without a database, or the test's own.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;
use tidegate::config::TlsSetting;
use tidegate::db::sqlserver::{Connection, Database, Purpose};
use tidegate::demo::Cluster;
use tidegate::error::End;
use tokio_postgres::Client;

use crate::support::{TIDEGATE, connect};
use crate::tds::Server;

/// Both ends.
pub struct Pair {
    cloud: Client,
    desktop: Database,
    url: String,
    server: Option<Server>,
    cluster: Cluster,
    dir: TempDir,
}

#[allow(clippy::disallowed_methods, reason = "tests have no configuration")]
fn realserver() -> Option<String> {
    std::env::var("TIDEGATE_TEST_SQLSERVER_URL").ok()
}

static DATABASES: AtomicU32 = AtomicU32::new(0);

impl Pair {
    /// Both ends with their tables; tidegate's are in the cloud alone. `config` is what the configuration
    /// says from `[sync]` on.
    pub async fn open(cloud: &str, desktop: &str, config: &str) -> Self {
        let cluster = Cluster::start("pair", &[]).unwrap();
        cluster.create_database("cloud", None).unwrap();
        let session = connect(&cluster.url("cloud")).await;
        session.batch_execute(cloud).await.unwrap();
        let (server, url) = match realserver() {
            Some(url) => (None, new_database(&url).await),
            None => {
                cluster.create_database("tsql", None).unwrap();
                let server = Server::start(&cluster.url("tsql"));
                let url = server.url();
                (Some(server), url)
            }
        };
        let (desktop_of, dir) = (database(&url), TempDir::new().unwrap());
        let pair = Self { cloud: session, desktop: desktop_of, url, server, cluster, dir };
        pair.configure(config);
        pair.at_the_desk(desktop).await;
        pair.output(&["migrate", "--end", "cloud"], 0);
        pair
    }

    /// The configuration anew, from `[sync]` on.
    pub fn configure(&self, config: &str) {
        let (desktop, cloud) = (&self.url, self.cluster.url("cloud"));
        let text = format!(
            "[desktop]\nkind = \"sqlserver\"\nurl = \"{desktop}\"\ntls = \"off\"\n\
             [cloud]\nurl = \"{cloud}\"\n{config}"
        );
        std::fs::write(self.config_path(), text).unwrap();
    }

    /// The addresses of desktop and cloud, passwords by reference: for a command line.
    pub fn addresses(&self) -> [String; 2] {
        let path = self.dir.path().join("address");
        std::fs::write(&path, &self.url).unwrap();
        [format!("${{file:{}}}", path.display()), self.cluster.url("cloud")]
    }

    fn config_path(&self) -> PathBuf {
        self.dir.path().join("tidegate.toml")
    }

    /// Statements of a desktop user.
    pub async fn at_the_desk(&self, statements: &str) {
        let mut session = self.desktop.connection().await.unwrap();
        for statement in statements.split(";\n").filter(|s| !s.trim().is_empty()) {
            session.batch("at the desk", statement).await.unwrap();
        }
    }

    /// The texts that a query gives of the desktop.
    pub async fn of_the_desk(&self, query: &str) -> Vec<String> {
        let rows = self.session().await.rows("asking", query, &[]).await.unwrap();
        rows.iter().map(|row| row.get::<&str, _>(0).unwrap().to_owned()).collect()
    }

    /// A session of a desktop user.
    pub async fn session(&self) -> Connection {
        self.desktop.connection().await.unwrap()
    }

    /// Brings about at the test's own server what no statement of a user does; says whether that is the
    /// server, and not a real one.
    pub async fn pretend(&self, statement: &str) -> bool {
        if self.server.is_some() {
            connect(&self.cluster.url("tsql")).await.batch_execute(statement).await.unwrap();
        }
        self.server.is_some()
    }

    /// Statements of a mobile user.
    pub async fn on_the_phone(&self, statements: &str) {
        self.cloud.batch_execute(statements).await.unwrap();
    }

    /// The texts that a query gives of the cloud.
    pub async fn of_the_cloud(&self, query: &str) -> Vec<String> {
        self.cloud.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// In the cloud, and not in its log.
    pub async fn unseen(&self, statements: &str) {
        let marked = format!("begin; set local tidegate.writing = 'x'; {statements}; commit");
        self.on_the_phone(&marked).await;
    }

    /// Runs the program; its exit code must be `code`.
    pub fn output(&self, arguments: &[&str], code: i32) -> Output {
        let mut command = Command::new(TIDEGATE);
        command.arg("--config").arg(self.config_path()).args(arguments);
        let output = tokio::task::block_in_place(|| command.output().unwrap());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        output
    }

    /// What the program says of that, on both ways.
    pub fn words(&self, arguments: &[&str], code: i32) -> String {
        let output = self.output(arguments, code);
        let both = [output.stdout, output.stderr].concat();
        String::from_utf8(both).unwrap()
    }

    /// The same as a document.
    pub fn document(&self, arguments: &[&str], code: i32) -> Value {
        let all = [&["--output", "json"], arguments].concat();
        serde_json::from_slice(&self.output(&all, code).stdout).unwrap()
    }
}

fn database(url: &str) -> Database {
    let url = SecretString::from(url);
    Database::new(&url, &TlsSetting::Off, End::Desktop, Purpose::Writer, 2).unwrap()
}

/// A database of its own on a real server.
async fn new_database(url: &str) -> String {
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    let name = format!("tidegate_pair_{}_{number}", std::process::id());
    let mut connection = database(&format!("{url}/master")).connection().await.unwrap();
    connection.batch("preparing", &format!("create database {name}")).await.unwrap();
    format!("{url}/{name}")
}
