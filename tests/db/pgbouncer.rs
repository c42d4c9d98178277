//! Debian's pgbouncer before a test's cluster, on a port of its own; the one that the package would
//! run is none of our business.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tidegate::demo::Cluster;
use tokio_postgres::NoTls;

const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// Ends with the pipe from the test, however that ends; $1 is the configuration.
const LIFELINE: &str = r#""$0" -q "$1" & read -r word; kill "$!"; wait"#;

/// When a server connection goes back to the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// After each transaction.
    Transaction,
    /// When the client leaves.
    Session,
}

/// A running pgbouncer; it ends with its value.
pub struct PgBouncer {
    /// Server connections to each database, at most.
    pub pool: usize,
    port: u16,
    lifeline: Child,
    dir: TempDir,
}

impl PgBouncer {
    /// Before `cluster`, with at most `pool` server connections to each database.
    pub async fn before(cluster: &Cluster, mode: Mode, pool: usize) -> Self {
        assert!(Path::new(PROGRAM).exists(), "apt-get install pgbouncer, or run scripts/test.sh");
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let pooler = Self::start(cluster, mode, pool);
            while Instant::now() < end && pooler.is_running() {
                if tokio_postgres::connect(&pooler.url("postgres"), NoTls).await.is_ok() {
                    return pooler;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // Somebody else took the port.
            assert!(Instant::now() < end, "{}", pooler.log());
        }
    }

    fn start(cluster: &Cluster, mode: Mode, pool: usize) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mode = format!("{mode:?}").to_lowercase();
        let dir = TempDir::new().unwrap();
        let path = dir.path().display();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={} user=postgres\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = {mode}\ndefault_pool_size = {pool}\n\
             max_client_conn = 100\nlogfile = {path}/log\npidfile = {path}/pid\n",
            cluster.port()
        );
        let file = dir.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        // It refuses to run as root, so whoever runs the cluster runs it.
        let owner = std::fs::metadata(cluster.directory()).unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        chown(dir.path(), Some(owner.uid()), Some(owner.gid())).unwrap();
        let lifeline = Command::new("/bin/sh")
            .args(["-c", LIFELINE, PROGRAM])
            .arg(&file)
            .current_dir("/")
            .uid(owner.uid())
            .gid(owner.gid())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { pool, port, lifeline, dir }
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    fn is_running(&self) -> bool {
        !self.log().contains("cannot listen") && !self.log().contains("FATAL")
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.lifeline.stdin.take());
        let _ = self.lifeline.wait();
    }
}
