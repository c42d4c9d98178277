//! A desktop on a SQL Server, and the way home to it: the server that `TIDEGATE_TEST_SQLSERVER_URL` names
//! without a database, or the test's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use secrecy::SecretString;
use tidegate::config::TlsSetting;
use tidegate::db::postgres::{self, Purpose};
use tidegate::db::sqlserver::{self, Connection, Session};
use tidegate::error::{End, Result};
use tidegate::model::plan::{Cycles, Given};
use tidegate::model::planning;
use tidegate::model::{
    Awaited, Capture, Direction, Lag, Ownership, Position, Selection, TableName, TablePlan,
    TableSettings,
};
use tidegate::pipeline::{Progress, Way};
use tidegate::source::Source;
use tidegate::source::postgres::PgSource;
use tidegate::sql::Sql;
use tidegate::store::sqlserver::SqlServerStore;
use tidegate::target::sqlserver::SqlServerTarget;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::Office;
use crate::tds;

/// Both ends.
pub struct Home {
    /// Its cloud is one; its own desktop is where the test's server keeps the rows.
    pub office: Office,
    pub desktop: Arc<sqlserver::Database>,
    cloud: Arc<postgres::Database>,
    pub sql: Sql,
    tables: Vec<String>,
    /// What planning is told of every table.
    pub settings: fn(&str) -> TableSettings,
    _server: Option<tds::Server>,
}

#[allow(clippy::disallowed_methods, reason = "tests have no configuration")]
fn real_server() -> Option<String> {
    std::env::var("TIDEGATE_TEST_SQLSERVER_URL").ok()
}

static DATABASES: AtomicU32 = AtomicU32::new(0);

impl Home {
    /// Both ends with their tables, and tidegate's.
    pub async fn open(cloud: &str, desktop: &str, tables: &[&str]) -> Self {
        let office = Office::open(cloud, tables).await;
        let (server, url) = match real_server() {
            Some(url) => (None, new_database(&url).await),
            None => {
                office
                    .desktop
                    .batch_execute("drop schema if exists tidegate cascade; drop schema public cascade; create schema public")
                    .await
                    .unwrap();
                let server = tds::Server::start(&office.cluster.url("desktop"));
                let url = server.url();
                (Some(server), url)
            }
        };
        let home = Self {
            desktop: Arc::new(database(&url)),
            cloud: Arc::new(
                postgres::Database::new(
                    &office.cluster.url("cloud").into(),
                    End::Cloud,
                    Purpose::Reader,
                    4,
                )
                .unwrap(),
            ),
            office,
            sql: Sql::default(),
            tables: tables.iter().map(|name| (*name).to_owned()).collect(),
            settings,
            _server: server,
        };
        home.tsql(desktop).await;
        let mut connection = home.session().await;
        home.store().migrate(&mut connection).await.unwrap();
        home
    }

    /// A session of a desktop user.
    pub async fn session(&self) -> Connection {
        self.desktop.connection().await.unwrap()
    }

    /// Statements on the desktop.
    pub async fn tsql(&self, statements: &str) {
        let mut session = self.session().await;
        for statement in statements.split("\ngo\n") {
            session.batch("preparing", statement).await.unwrap();
        }
    }

    /// The rows of a query on the desktop, each as its values between blanks.
    pub async fn rows(&self, query: &str) -> Vec<String> {
        let rows = self.session().await.rows("looking", query, &[]).await.unwrap();
        let text = |row: tiberius::Row| {
            let cells = row.into_iter().map(|cell| match cell {
                tiberius::ColumnData::String(text) => text.unwrap_or("null".into()).into_owned(),
                tiberius::ColumnData::I32(number) => {
                    number.map_or("null".to_owned(), |n| n.to_string())
                }
                other => format!("{other:?}"),
            });
            cells.collect::<Vec<_>>().join(" ")
        };
        rows.into_iter().map(text).collect()
    }

    pub fn store(&self) -> SqlServerStore<'_> {
        SqlServerStore::new(&self.sql, "tidegate")
    }

    /// How a table comes home.
    pub async fn plan(&self, table: &str) -> TablePlan {
        let names = |schema: &str| -> Vec<TableName> {
            self.tables.iter().map(|name| TableName::new(schema, name)).collect()
        };
        let session = Session::new(self.session().await);
        let desktop = sqlserver::catalogue::read(&session, &self.sql, &names("dbo")).await.unwrap();
        let connection = self.cloud.connection().await.unwrap();
        let cloud =
            postgres::catalogue::read(&connection, &self.sql, &names("public")).await.unwrap();
        let ownership =
            Ownership { column: "source".into(), desktop: "D".into(), mobile: "M".into() };
        let given = Given {
            settings: &(self.settings)(table),
            ownership: &ownership,
            cloud_capture: Capture::Log,
            desktop: desktop.iter().find(|t| t.name == table),
            cloud: cloud.iter().find(|t| t.name == table),
            synced: &names("dbo"),
            desktop_remembers: true,
        };
        planning::plan(Direction::Reverse, given).unwrap()
    }

    /// What changed since `at` comes home.
    pub async fn reverse(&self, plan: &TablePlan, at: &Position) -> Result<Progress> {
        let selection = match at.watermark {
            Some(_) => Selection::Since(at),
            None => Selection::All(at),
        };
        self.follow(plan, at, selection).await
    }

    /// These rows come home.
    pub async fn retry(
        &self,
        plan: &TablePlan,
        at: &Position,
        keys: &[Awaited],
    ) -> Result<Progress> {
        self.follow(plan, at, Selection::Keys(keys)).await
    }

    async fn follow(
        &self,
        plan: &TablePlan,
        at: &Position,
        selection: Selection<'_>,
    ) -> Result<Progress> {
        let store = self.store();
        let target = SqlServerTarget::new(&self.desktop, &store, Uuid::now_v7(), "cloud");
        self.way(plan, at, selection, &target).await
    }

    /// The same, towards a target of the test's.
    pub async fn way(
        &self,
        plan: &TablePlan,
        at: &Position,
        selection: Selection<'_>,
        target: &SqlServerTarget<'_>,
    ) -> Result<Progress> {
        let source = PgSource::new(Arc::clone(&self.cloud), &self.sql).remembering("tidegate");
        let view = source.open(&[(plan, at)]).await?;
        let stop = CancellationToken::new();
        let way = Way { plan, view: &view, target, stop: &stop, watch: &|_| {} };
        let mut progress = Progress { at: at.clone(), ..Progress::default() };
        Box::pin(way.follow(selection, Cycles::Wait, &mut progress)).await?;
        Ok(progress)
    }
}

/// Inserted, updated, unchanged, withheld.
pub fn counts(progress: &Progress) -> [u64; 4] {
    let tally = &progress.account.tally;
    [tally.inserted, tally.updated, tally.unchanged, tally.withheld_total()]
}

/// A table of the same name at both ends.
pub fn settings(table: &str) -> TableSettings {
    TableSettings {
        cloud: TableName::new("public", table),
        desktop: TableName::new("dbo", table),
        enabled: true,
        exclude: Vec::new(),
        rename: [].into(),
        also_writes: Vec::new(),
        capture: Capture::Rowversion,
        updated_at: "updated_at".into(),
        created_at: "created_at".into(),
        lag: Lag::Unset,
        assume_timezone: Some("Europe/London".into()),
        batch_rows: 1_000,
        batch_bytes: 4 << 20,
        max_withheld: 1_000,
    }
}

fn database(url: &str) -> sqlserver::Database {
    let url = SecretString::from(url);
    sqlserver::Database::new(&url, &TlsSetting::Off, End::Desktop, Purpose::Writer, 4).unwrap()
}

/// A database of its own on a real server.
async fn new_database(url: &str) -> String {
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    let name = format!("tidegate_{}_{number}", std::process::id());
    let database = database(&format!("{url}/master"));
    // A server may make one at a time.
    for tried in 1..=10 {
        let mut connection = database.connection().await.unwrap();
        match connection.batch("preparing", &format!("create database {name}")).await {
            Ok(()) => break,
            Err(e) => assert!(tried < 10, "{e}"),
        }
    }
    format!("{url}/{name}")
}
