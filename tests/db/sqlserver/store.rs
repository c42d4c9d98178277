//! tidegate's own tables on a SQL Server: before the test server, and before a real one if
//! `TIDEGATE_TEST_SQLSERVER_URL` names its database.

mod batch;
mod forms;
mod lists;
mod runs;
mod tables;

use secrecy::SecretString;
use tidegate::config::TlsSetting;
use tidegate::db::sqlserver::{Connection, Database, Purpose};
use tidegate::demo::Cluster;
use tidegate::error::End;
use tidegate::model::plan::Given;
use tidegate::model::schema::TableSchema;
use tidegate::model::{
    Capture, Direction, Lag, Ownership, TableName, TablePlan, TableSettings, planning,
};
use tidegate::sql::Sql;
use tidegate::sql::tsql::ident;
use tidegate::store::sqlserver::{OfRun, SqlServerStore};
use uuid::Uuid;

use crate::tds::Server;

const REVERSE: Direction = Direction::Reverse;

/// A desktop, and a schema in it that is this test's own.
struct Desktop {
    /// `None` before a real server.
    played: Option<(Server, Cluster)>,
    database: Database,
    sql: Sql,
    schema: String,
}

impl Desktop {
    /// Without tidegate's tables.
    fn bare() -> Self {
        let (url, played) = match real_server() {
            Some(url) => (url, None),
            None => {
                let cluster = Cluster::start("store", &[]).unwrap();
                cluster.create_database("desktop", None).unwrap();
                let server = Server::start(&cluster.url("desktop"));
                (server.url(), Some((server, cluster)))
            }
        };
        let url = SecretString::from(url);
        let database =
            Database::new(&url, &TlsSetting::Off, End::Desktop, Purpose::Writer, 4).unwrap();
        let schema = format!("tide's gäte {}", Uuid::now_v7().simple());
        Self { played, database, sql: Sql::default(), schema }
    }

    /// With tidegate's tables.
    async fn open() -> Self {
        let desktop = Self::bare();
        desktop.store().migrate(&mut desktop.connection().await).await.unwrap();
        desktop
    }

    fn store(&self) -> SqlServerStore<'_> {
        SqlServerStore::new(&self.sql, &self.schema)
    }

    async fn connection(&self) -> Connection {
        self.database.connection().await.unwrap()
    }

    /// A session in a transaction.
    async fn transaction(&self) -> Connection {
        let mut connection = self.connection().await;
        let begin = "set xact_abort on; set lock_timeout 500; begin transaction";
        connection.begin_with("beginning", begin).await.unwrap();
        connection
    }

    /// A table of users in tidegate's own schema, which goes with the test.
    async fn table(&self, name: &str, columns: &str) -> TablePlan {
        let table = format!("{}.{}", ident(&self.schema), ident(name));
        let create = format!("create table {table} ({columns})");
        self.connection().await.batch("creating", &create).await.unwrap();
        plan(&self.schema, name)
    }

    async fn run(&self, sql: &str) {
        let sql = sql.replace("{}", &ident(&self.schema));
        self.connection().await.batch("trying", &sql).await.unwrap();
    }

    /// Everything goes from a server that stays.
    async fn close(self) {
        if self.played.is_none() {
            let mut connection = self.connection().await;
            let sql = "select o.name from sys.objects o join sys.schemas s \
                on s.schema_id = o.schema_id where s.name = @P1 and o.type = 'U'";
            let rows = connection.rows("cleaning", sql, &[&self.schema]).await.unwrap();
            for row in rows {
                let table: &str = row.get(0).unwrap();
                let drop = format!("drop table {}.{}", ident(&self.schema), ident(table));
                connection.batch("cleaning", &drop).await.unwrap();
            }
            let drop = format!("drop schema {}", ident(&self.schema));
            connection.batch("cleaning", &drop).await.unwrap();
        }
    }
}

/// The database of a real server to test with, if there is one.
#[allow(clippy::disallowed_methods, reason = "tests have no configuration")]
fn real_server() -> Option<String> {
    std::env::var("TIDEGATE_TEST_SQLSERVER_URL").ok()
}

async fn commit(mut connection: Connection) {
    connection.end_with("committing", "commit").await.unwrap();
}

fn of(label: &str, run_id: Uuid) -> OfRun<'_> {
    OfRun { label, direction: REVERSE, run_id }
}

fn key(id: u32) -> String {
    format!("{{\"id\": \"{id}\"}}")
}

/// Of a table with a key, an owner and a stamp. Tests that claim one call it by a name of their own: batches
/// of a table take turns, whatever the schema.
fn plan(schema: &str, name: &str) -> TablePlan {
    let settings = TableSettings {
        cloud: TableName::new("public", name),
        desktop: TableName::new(schema, name),
        enabled: true,
        exclude: Vec::new(),
        rename: std::collections::BTreeMap::new(),
        also_writes: Vec::new(),
        capture: Capture::Timestamp,
        updated_at: "updated_at".into(),
        created_at: "created_at".into(),
        lag: Lag::Unset,
        assume_timezone: None,
        batch_rows: 1,
        batch_bytes: 1,
        max_withheld: 1,
    };
    let [desktop, cloud] = [schema, "public"].map(|schema| table_schema(schema, name));
    let ownership = Ownership { column: "source".into(), desktop: "D".into(), mobile: "M".into() };
    let synced = [settings.desktop.clone()];
    let given = Given {
        settings: &settings,
        ownership: &ownership,
        cloud_capture: Capture::Timestamp,
        desktop: Some(&desktop),
        cloud: Some(&cloud),
        synced: &synced,
        desktop_remembers: false,
    };
    planning::plan(REVERSE, given).unwrap()
}

fn table_schema(schema: &str, name: &str) -> TableSchema {
    let column = |name: &str, type_oid: u32| {
        serde_json::json!({
            "name": name, "type_oid": type_oid, "typmod": -1, "type_name": type_oid.to_string(),
            "bare_type": type_oid.to_string(), "portable": true, "not_null": false,
            "has_default": false, "generated": false, "identity_always": false,
        })
    };
    let json = serde_json::json!({
        "schema": schema, "name": name, "kind": "r", "row_security": false, "readable": true,
        "writable": true,
        "columns": [column("id", 23), column("source", 25), column("updated_at", 1184)],
        "primary_key": { "columns": ["id"], "deferrable": false },
        "uniques": [], "foreign_keys": [], "before_triggers": false,
    });
    serde_json::from_value(json).unwrap()
}
