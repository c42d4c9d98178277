//! An office to test with: a throwaway cluster with the two databases `desktop` and `cloud`.

use std::cell::Cell;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::str::FromStr;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tidegate::config::Config;
use tidegate::demo::Cluster;
use tidegate::error::Result;
use tidegate::model::Direction;
use tidegate::run::{self, Event, Request, RunReport, TableReport, Way};
use tidegate::sql::Sql;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;

/// The table that most tests need: one key, stamps, an owner, a value.
pub const JOBS: &str = "
    create table jobs (
        id integer primary key,
        name text,
        source char(1),
        created_at timestamptz,
        updated_at timestamptz
    );";

/// The program, built with the fault points.
pub const TIDEGATE: &str = env!("CARGO_BIN_EXE_tidegate");

/// Two databases and a configuration, gone when dropped.
pub struct Office {
    pub cluster: Cluster,
    /// A session of a desktop user.
    pub desktop: Client,
    /// A session of a mobile user.
    pub cloud: Client,
    desktop_url: String,
    config: String,
    dir: TempDir,
}

impl Office {
    /// Both databases with `schema`, tidegate's tables, and `tables` (their names) configured.
    pub async fn open(schema: &str, tables: &[&str]) -> Self {
        Self::with_settings(schema, tables, &[]).await
    }

    /// The same, with settings of the server.
    pub async fn with_settings(schema: &str, tables: &[&str], settings: &[(&str, &str)]) -> Self {
        let office = Self::empty(tables, settings).await;
        office.desktop.batch_execute(schema).await.unwrap();
        office.cloud.batch_execute(schema).await.unwrap();
        office.configure("");
        office.migrate();
        office
    }

    /// Two empty databases, and nothing configured yet.
    pub async fn empty(tables: &[&str], settings: &[(&str, &str)]) -> Self {
        let cluster = Cluster::start("test", settings).unwrap();
        cluster.create_database("desktop", None).unwrap();
        cluster.create_database("cloud", None).unwrap();
        let desktop_url = cluster.url("desktop");
        let desktop = connect(&desktop_url).await;
        let cloud = connect(&cluster.url("cloud")).await;
        let config = tables.iter().map(|t| format!("[tables.\"{t}\"]\n")).collect();
        Self { cluster, desktop, cloud, desktop_url, config, dir: TempDir::new().unwrap() }
    }

    /// From the next configuration on the desktop is another database.
    pub fn set_desktop(&mut self, url: &str) {
        url.clone_into(&mut self.desktop_url);
    }

    /// tidegate's own tables at both ends.
    pub fn migrate(&self) {
        let migrated = self.tidegate(&["migrate"]);
        assert!(migrated.status.success(), "{migrated:?}");
    }

    /// The configuration anew: other URLs, `more` at the end of [sync].
    pub fn write_config(&self, desktop: &str, cloud: &str, more: &str) {
        let kind = match desktop.split_once(':') {
            Some(("sqlserver", _)) => "sqlserver",
            _ => "postgres",
        };
        let text = format!(
            "[desktop]\nkind = \"{kind}\"\nurl = \"{desktop}\"\n[cloud]\nurl = \"{cloud}\"\n\
             [sync]\n{more}\n{}",
            self.config
        );
        std::fs::write(self.config_path(), text).unwrap();
    }

    /// The configuration with `more` in [sync].
    pub fn configure(&self, more: &str) {
        self.write_config(&self.desktop_url, &self.cluster.url("cloud"), more);
    }

    /// Replaces everything below [sync], as in `"[tables.jobs]\nalso_writes = [\"log\"]"`.
    pub fn configure_tables(&mut self, tables: &str) {
        self.config = tables.to_owned();
        self.configure("");
    }

    pub fn config_path(&self) -> PathBuf {
        self.dir.path().join("tidegate.toml")
    }

    /// The program with `arguments`, to be configured further.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(TIDEGATE);
        command
            .arg("--config")
            .arg(self.config_path())
            .args(arguments)
            .env_remove("JOURNAL_STREAM");
        command
    }

    /// Runs the program to its end.
    pub fn tidegate(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// A forward run through the library.
    pub async fn forward(&self) -> RunReport {
        self.run(&Request::default(), &Sql::default()).await.unwrap()
    }

    /// A reverse run.
    pub async fn reverse(&self) -> RunReport {
        self.run_way(Way::One(Direction::Reverse), &Request::default(), &Sql::default())
            .await
            .unwrap()
    }

    /// Both directions.
    pub async fn sync(&self) -> RunReport {
        self.run_way(Way::Both, &Request::default(), &Sql::default()).await.unwrap()
    }

    /// A run with these statements, in which a test may have planted a fault.
    pub async fn run_way(&self, way: Way, request: &Request, sql: &Sql) -> Result<RunReport> {
        let config = Config::load(Some(&self.config_path())).unwrap();
        run::run(&config, way, request, sql, &CancellationToken::new(), &|_| {}).await
    }

    /// A forward run that reads whole tables.
    pub async fn forward_full(&self) -> RunReport {
        let full = Request { full: true, ..Request::default() };
        self.run(&full, &Sql::default()).await.unwrap()
    }

    /// A forward run with these statements, in which a test may have planted a fault.
    pub async fn run(&self, request: &Request, sql: &Sql) -> Result<RunReport> {
        let config = Config::load(Some(&self.config_path()))?;
        run::forward(&config, request, sql, &CancellationToken::new(), &|_| {}).await
    }

    /// A forward run of which `watch` is told everything, and which it may stop.
    pub async fn forward_watched(
        &self,
        request: &Request,
        watch: &dyn Fn(Event<'_>, &CancellationToken),
    ) -> RunReport {
        let config = Config::load(Some(&self.config_path())).unwrap();
        let stop = CancellationToken::new();
        let events = |event: Event<'_>| watch(event, &stop);
        run::forward(&config, request, &Sql::default(), &stop, &events).await.unwrap()
    }

    /// A forward run that is asked to stop once it has committed `batches` batches.
    pub async fn forward_stopping_after(&self, batches: usize, request: &Request) -> RunReport {
        let committed = Cell::new(0);
        let watch = |event: Event<'_>, stop: &CancellationToken| {
            committed.set(committed.get() + usize::from(matches!(event, Event::Batch { .. })));
            if committed.get() == batches {
                stop.cancel();
            }
        };
        self.forward_watched(request, &watch).await
    }

    /// A further session of a desktop user.
    pub async fn desktop_session(&self) -> Client {
        connect(&self.cluster.url("desktop")).await
    }

    /// A further session of a mobile user.
    pub async fn cloud_session(&self) -> Client {
        connect(&self.cluster.url("cloud")).await
    }

    /// Waits until `query` says "true" in the cloud, for at most five seconds.
    pub async fn until(&self, query: &str, context: &str) {
        let end = Instant::now() + Duration::from_secs(5);
        while value(&self.cloud, query).await != "true" {
            assert!(Instant::now() < end, "{context}: {query}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the server has none of tidegate's sessions left.
    pub async fn until_no_session(&self, context: &str) {
        let none = "select (count(*) = 0)::text from pg_stat_activity \
                    where application_name like 'tidegate%'";
        self.until(none, context).await;
    }

    /// The reasons in `_sync_withheld`, as `key reason` lines in the order of the keys.
    pub async fn withheld(&self) -> Vec<String> {
        let query = "select key::text || ' ' || reason from tidegate._sync_withheld order by key";
        column(&self.cloud, query, &[]).await
    }

    /// The rows of a query on both ends, which must be the same.
    pub async fn same_on_both_ends(&self, query: &str) -> Vec<String> {
        let desktop: Vec<String> = column(&self.desktop, query, &[]).await;
        let cloud: Vec<String> = column(&self.cloud, query, &[]).await;
        assert_eq!(desktop, cloud, "{query}");
        cloud
    }
}

/// Whether there is time for many rounds (`scripts/test.sh --long`).
#[allow(clippy::disallowed_methods, reason = "tests have no configuration")]
pub fn long() -> bool {
    std::env::var_os("TIDEGATE_LONG").is_some()
}

/// The seed of an earlier run, to repeat it (`TIDEGATE_SEED`).
#[allow(clippy::disallowed_methods, reason = "tests have no configuration")]
pub fn seed() -> Option<u64> {
    std::env::var("TIDEGATE_SEED").ok().and_then(|seed| seed.parse().ok())
}

/// Whether what the tests say in `docs/` is written there (`TIDEGATE_WRITE_DOCS`).
#[allow(clippy::disallowed_methods, reason = "tests have no configuration")]
pub fn writes_docs() -> bool {
    std::env::var_os("TIDEGATE_WRITE_DOCS").is_some()
}

/// Numbers without a pattern (splitmix64), the same for the same seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.roll(times) == 0
    }

    /// One of them.
    pub fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.roll(items.len() as u64) as usize].clone()
    }
}

/// A session that ends with the runtime.
pub async fn connect(url: &str) -> Client {
    let config = tokio_postgres::Config::from_str(url).unwrap();
    let (client, connection) = config.connect(NoTls).await.unwrap();
    #[allow(clippy::disallowed_methods, reason = "the session lives as long as the test")]
    tokio::spawn(connection);
    client
}

/// From now on new sessions of the cluster need a password, by SCRAM.
pub async fn ask_for_passwords(cluster: &Cluster) {
    let file = cluster.directory().join("data/pg_hba.conf");
    let rules = "local all all scram-sha-256\nhost all all all scram-sha-256\n";
    std::fs::write(file, rules).unwrap();
    let url = cluster.url("postgres");
    connect(&url).await.batch_execute("select pg_reload_conf()").await.unwrap();
    while tokio_postgres::connect(&url, NoTls).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The first column of a query, as text.
pub async fn column(client: &Client, query: &str, params: &[&(dyn ToSql + Sync)]) -> Vec<String> {
    let rows = client.query(query, params).await.unwrap();
    rows.iter().map(|row| row.get::<_, Option<String>>(0).unwrap_or("null".into())).collect()
}

/// The only value of a query, as text.
pub async fn value(client: &Client, query: &str) -> String {
    let values = column(client, query, &[]).await;
    assert_eq!(values.len(), 1, "{query}");
    values.into_iter().next().unwrap()
}

/// Waits until a query says true, such as that a session waits for a lock.
pub async fn until(client: &Client, query: &str) {
    let start = Instant::now();
    while value(client, &format!("select ({query})::text")).await != "true" {
        assert!(start.elapsed() < Duration::from_secs(30), "never came true: {query}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The part of a report about `table`.
pub fn of<'r>(report: &'r RunReport, table: &str) -> &'r TableReport {
    report.tables.iter().find(|t| t.table == table).unwrap()
}

/// Read, inserted, updated, unchanged, withheld.
pub fn counts(table: &TableReport) -> [u64; 5] {
    [table.read, table.inserted, table.updated, table.unchanged, table.withheld]
}
