//! A PostgreSQL cluster that is made for one purpose and leaves nothing behind.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::hash::{BuildHasher, RandomState};
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use tempfile::TempDir;

use super::server::{Account, Server};
use crate::error::{Error, Kind, Result};

/// Below the ports that kernels hand out to clients, so that a server which was stopped finds its
/// port still free.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 12_000;

/// Between a port found free and the server that takes it, somebody else may take it.
const START_ATTEMPTS: u32 = 10;

/// How much of the server's log an error carries.
const LOG_LINES: usize = 10;

/// macOS has no `C.UTF-8` of old.
const LOCALE: &str = if cfg!(target_os = "macos") { "C" } else { "C.UTF-8" };

/// Stops the server and removes the directory when the pipe from tidegate closes without a word,
/// be that a drop, an exit or a `kill -9`.
const LIFELINE: &str =
    r#"read -r word && exit 0; "$0" stop -s -m immediate -D "$1/data"; rm -rf "$1""#;

/// How [`Cluster::stop_server`] stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Connections are cut, transactions are rolled back, all is written.
    Fast,
    /// Like a crash: the next start recovers from the log.
    Immediate,
}

/// A throwaway PostgreSQL cluster on a port of 127.0.0.1, open to everybody on this machine as the
/// superuser `postgres`.
///
/// It ends, and its directory with it, when the value is dropped and also when the process ends in
/// any other way, so that a `static` may hold it. [`keep`](Cluster::keep) leaves it.
#[derive(Debug)]
pub struct Cluster {
    server: Server,
    port: u16,
    // In this order: the directory goes when the server is gone.
    lifeline: Lifeline,
    directory: TempDir,
}

impl Cluster {
    /// Makes and starts a cluster with the newest server found on this machine; `settings` go into
    /// its `postgresql.conf`, and `name` into the name of its directory.
    pub fn start(name: &str, settings: &[(&str, &str)]) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix(&format!("tidegate-{name}-"))
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(|e| Error::new(Kind::Other, "can't make a directory").because(e))?;
        let server = Server::find(hand_over_if_root(directory.path())?)?;
        let lifeline = Lifeline::tie(&server, directory.path())?;
        let mut cluster = Self { server, port: 0, lifeline, directory };
        cluster.initialise(settings)?;
        cluster.start_on_free_port()?;
        Ok(cluster)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The connection string of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The directory of it all: `data`, the server's `log` and its socket.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Makes a database, empty or as a copy of `template`, to which nobody may be connected.
    pub fn create_database(&self, name: &str, template: Option<&str>) -> Result<()> {
        let port = self.port.to_string();
        let args = ["-h", "127.0.0.1", "-p", &port, "-U", "postgres"];
        let template = template.into_iter().flat_map(|template| ["-T", template]);
        let args = args.into_iter().chain(template).chain(["--", name]);
        self.server.run("createdb", self.directory(), args)
    }

    /// Stops the server; the data stay for [`start_server`](Cluster::start_server).
    pub fn stop_server(&mut self, shutdown: Shutdown) -> Result<()> {
        let mode = match shutdown {
            Shutdown::Fast => "fast",
            Shutdown::Immediate => "immediate",
        };
        self.server.run("pg_ctl", self.directory(), ["stop", "-s", "-D", "data", "-m", mode])
    }

    /// Starts a stopped server again, on the same port.
    pub fn start_server(&mut self) -> Result<()> {
        let port = format!("-p {}", self.port);
        let args = ["start", "-s", "-w", "-D", "data", "-l", "log", "-o", &port];
        self.server.run("pg_ctl", self.directory(), args).map_err(|e| {
            e.within("the throwaway PostgreSQL did not start").because(self.end_of_log())
        })
    }

    /// Stops the server in order and starts it again.
    pub fn restart(&mut self) -> Result<()> {
        self.stop_server(Shutdown::Fast)?;
        self.start_server()
    }

    /// Stops the server in order and removes everything; a drop does the same without order.
    pub fn stop(mut self) -> Result<()> {
        self.stop_server(Shutdown::Fast)
    }

    /// A shell line that stops the server, also after [`keep`](Cluster::keep).
    pub fn stop_command(&self) -> String {
        let data = self.directory().join("data");
        self.server.shell_line("pg_ctl", &format!("stop -s -m fast -D '{}'", data.display()))
    }

    /// Leaves the server running and the directory in place, and says where that is.
    pub fn keep(self) -> PathBuf {
        self.lifeline.release();
        self.directory.keep()
    }

    fn end_of_log(&self) -> String {
        let log = fs::read_to_string(self.directory().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    fn initialise(&self, settings: &[(&str, &str)]) -> Result<()> {
        let locale = format!("--locale={LOCALE}");
        let args = ["--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8", &locale, "data"];
        self.server.run("initdb", self.directory(), args)?;
        let path = self.directory().join("data/postgresql.conf");
        let socket = self.directory().to_string_lossy();
        fs::read_to_string(&path)
            .and_then(|conf| fs::write(&path, conf + &configuration(&socket, settings)))
            .map_err(|e| Error::new(Kind::Other, "can't write postgresql.conf").because(e))
    }

    fn start_on_free_port(&mut self) -> Result<()> {
        for _ in 1..START_ATTEMPTS {
            self.port = free_port();
            match self.start_server() {
                Err(_) if !is_free(self.port) => {}
                outcome => return outcome,
            }
        }
        self.start_server()
    }
}

/// Gives the directory to the account that the server will run under, if tidegate runs as root.
fn hand_over_if_root(directory: &Path) -> Result<Option<Account>> {
    // A new directory belongs to whoever made it.
    if !fs::metadata(directory).is_ok_and(|made| made.uid() == 0) {
        return Ok(None);
    }
    let account = Account::unprivileged()?;
    chown(directory, Some(account.uid), Some(account.gid))
        .map_err(|e| Error::new(Kind::Other, "can't hand the directory over").because(e))?;
    Ok(Some(account))
}

/// What is appended to `postgresql.conf`; the later of two lines holds, so `settings` come last.
fn configuration(socket: &str, settings: &[(&str, &str)]) -> String {
    let defaults = [
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", socket),
        ("timezone", "UTC"),
        ("max_connections", "100"),
        ("shared_buffers", "128MB"),
        // Nothing here has to outlive a power failure.
        ("fsync", "off"),
        ("full_page_writes", "off"),
    ];
    let mut conf = String::from("\n");
    for (name, value) in defaults.iter().chain(settings) {
        let value = value.replace('\\', r"\\").replace('\'', "''");
        // Writing to a String can't fail.
        let _ = writeln!(conf, "{name} = '{value}'");
    }
    conf
}

/// A port that is free at this moment; any port when none was found.
fn free_port() -> u16 {
    let random = RandomState::new();
    let port = |attempt: u64| FIRST_PORT + (random.hash_one(attempt) % u64::from(PORTS)) as u16;
    (1..100).map(port).find(|port| is_free(*port)).unwrap_or_else(|| port(0))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A shell that waits for tidegate's end, and then ends the cluster.
#[derive(Debug)]
struct Lifeline(Child);

impl Lifeline {
    fn tie(server: &Server, directory: &Path) -> Result<Self> {
        server
            .command("/bin/sh", Path::new("/"))
            .args(["-c", LIFELINE])
            .args([&server.path("pg_ctl"), directory])
            // A Ctrl-C in the terminal is not meant for it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(Self)
            .map_err(|e| Error::new(Kind::Other, "can't run /bin/sh").because(e))
    }

    /// Lets go: the cluster stays.
    fn release(mut self) {
        // If the shell is gone, there is nobody left to end the cluster.
        self.0.stdin.take().and_then(|mut pipe| pipe.write_all(b"keep\n").ok());
    }
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // No answer is needed: what the shell could not remove, the TempDir tries to.
        let _ = self.0.wait();
    }
}
