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

use crate::authority::Authority;

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

/// Whom it lets in, and as whom.
struct Door {
    user: &'static str,
    settings: String,
    /// Beside its configuration.
    files: Vec<(&'static str, String)>,
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
    /// Before `cluster`, with at most `pool` server connections to each database; for everybody, who
    /// is the superuser there.
    pub async fn before(cluster: &Cluster, mode: Mode, pool: usize) -> Self {
        let settings = "auth_type = any\n".to_owned();
        let door = Door { user: " user=postgres", settings, files: Vec::new() };
        Self::opened(cluster, mode, pool, &door).await
    }

    /// The same in transaction mode, with TLS on both of its sides, and for `users` alone, by their
    /// passwords.
    pub async fn over_tls(cluster: &Cluster, authority: &Authority, users: &[[&str; 2]]) -> Self {
        let (certificate, key) = authority.issue(4000);
        let users: String =
            users.iter().map(|[user, password]| format!("\"{user}\" \"{password}\"\n")).collect();
        let settings = format!(
            "auth_type = scram-sha-256\nauth_file = users\nclient_tls_sslmode = require\n\
             client_tls_cert_file = pooler.crt\nclient_tls_key_file = pooler.key\n\
             server_tls_sslmode = verify-ca\nserver_tls_ca_file = {}\n",
            authority.file()
        );
        let files = vec![("users", users), ("pooler.crt", certificate), ("pooler.key", key)];
        Self::opened(cluster, Mode::Transaction, 10, &Door { user: "", settings, files }).await
    }

    async fn opened(cluster: &Cluster, mode: Mode, pool: usize, door: &Door) -> Self {
        assert!(Path::new(PROGRAM).exists(), "apt-get install pgbouncer, or run scripts/test.sh");
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let pooler = Self::start(cluster, mode, pool, door);
            while Instant::now() < end && pooler.is_running() {
                if pooler.log().contains("process up") {
                    return pooler;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // Somebody else took the port.
            assert!(Instant::now() < end, "{}", pooler.log());
        }
    }

    fn start(cluster: &Cluster, mode: Mode, pool: usize, door: &Door) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mode = format!("{mode:?}").to_lowercase();
        let dir = TempDir::new().unwrap();
        let path = dir.path().display();
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}{}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             pool_mode = {mode}\ndefault_pool_size = {pool}\n\
             max_client_conn = 100\nlogfile = {path}/log\npidfile = {path}/pid\n{}",
            cluster.port(),
            door.user,
            door.settings
        );
        // It refuses to run as root, so whoever runs the cluster runs it.
        let owner = std::fs::metadata(cluster.directory()).unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        chown(dir.path(), Some(owner.uid()), Some(owner.gid())).unwrap();
        let files = door.files.iter().map(|(name, content)| (*name, content));
        for (name, content) in files.chain([("pgbouncer.ini", &settings)]) {
            let file = dir.path().join(name);
            std::fs::write(&file, content).unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
            chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        let lifeline = Command::new("/bin/sh")
            .args(["-c", LIFELINE, PROGRAM, "pgbouncer.ini"])
            .current_dir(dir.path())
            .uid(owner.uid())
            .gid(owner.gid())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { pool, port, lifeline, dir }
    }

    pub fn port(&self) -> u16 {
        self.port
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
