//! Connections: a pool per database and purpose, and what is said when none can be made.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
};
use secrecy::SecretString;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};

use super::expiry::Expiry;
use super::failure::not_connected;
use super::tls::{self, Tls};
use super::url;
use crate::error::{End, Error, Kind, Result};

/// For TCP alone, and for each address of a host; `connect_timeout` in the URL replaces it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// TCP, TLS and login together: room for a dead IPv6 address before a living IPv4 one.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(30);
/// Routers forget idle connections after minutes.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// With the user timeout, a dead peer is found within about a minute.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// Unacknowledged data for so long is a lost connection (Linux).
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(30);

/// What a connection is for. It shows in `pg_stat_activity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Reads a source.
    Reader,
    /// Writes a target, or tidegate's own tables.
    Writer,
}

impl Purpose {
    /// The `application_name` of such connections; it replaces one in the URL.
    pub const fn application_name(self) -> &'static str {
        match self {
            Purpose::Reader => "tidegate reader",
            Purpose::Writer => "tidegate writer",
        }
    }
}

/// How what is said to a database gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// It does not leave this machine.
    Local,
    /// Readable, over a network.
    Plain,
    /// By TLS, to a server that was verified.
    Verified,
}

/// One end's database, for one purpose.
pub struct Database {
    pool: Pool,
    address: Address,
    transport: Transport,
    expiry: Expiry,
}

impl Database {
    /// Reads `url` and prepares at most `max_size` connections; none is opened yet.
    ///
    /// Nothing is set in the sessions but `application_name` (and `options`, if the URL has it), so
    /// that a transaction-mode pooler may stand in between.
    pub fn new(url: &SecretString, end: End, purpose: Purpose, max_size: usize) -> Result<Self> {
        let (mut config, tls) = url::read(url, end)?;
        tune(&mut config, purpose);
        let address = Address::of(&config, end);
        let expiry = Expiry::default();
        let transport = match &tls {
            Tls::Verified(_) => Transport::Verified,
            Tls::Off if url::is_local(&config) => Transport::Local,
            Tls::Off => Transport::Plain,
        };
        let connect_timeout = config.get_connect_timeout().copied().unwrap_or_default();
        let login_timeout = LOGIN_TIMEOUT.max(connect_timeout.saturating_mul(3));
        // Fast: no round trip; a connection that broke says so at its next use.
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match &tls {
            Tls::Off => Manager::from_config(config, NoTls, recycling),
            Tls::Verified(trust) => {
                let tls = tls::connector(trust, &expiry)
                    .map_err(|e| e.within(format_args!("[{end}] url")))?;
                Manager::from_config(config, tls, recycling)
            }
        };
        let pool = Pool::builder(manager)
            .max_size(max_size)
            .runtime(Runtime::Tokio1)
            .create_timeout(Some(login_timeout))
            .build()
            .map_err(|e| Error::new(Kind::Other, "no connection pool").because(e))?;
        Ok(Self { pool, address, transport, expiry })
    }

    /// Which end this is.
    pub fn end(&self) -> End {
        self.address.end
    }

    /// How what is said gets there.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// When the certificate of a server that was connected to expires, if that is soon.
    pub fn certificate_expires_soon(&self) -> Option<SystemTime> {
        self.expiry.soon()
    }

    /// A connection out of the pool, or a new one; waits while all are in use.
    pub async fn connection(&self) -> Result<Connection> {
        let end = self.end();
        self.pool.get().await.map(|object| Connection::new(object, end)).map_err(|e| match e {
            PoolError::Backend(e) => not_connected(&self.address, &e),
            PoolError::Timeout(TimeoutType::Create) => {
                self.address.unreachable("no answer in time")
            }
            e => Error::new(Kind::Other, format!("no connection to the {end}: {e}")),
        })
    }
}

/// Without the URL, so that it can be logged.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({} at {})", self.address.end, self.address.at)
    }
}

fn tune(config: &mut Config, purpose: Purpose) {
    let default = Config::new();
    config.application_name(purpose.application_name());
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_keepalives_idle() == default.get_keepalives_idle() {
        config.keepalives_idle(KEEPALIVE_IDLE);
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(KEEPALIVE_INTERVAL);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(TCP_USER_TIMEOUT);
    }
}

/// A connection that goes back to its pool when it is dropped, unless the server has fallen silent.
///
/// It gives the plain client and not the pool's: statements that are prepared to be kept would not
/// survive a transaction-mode pooler.
#[must_use]
pub struct Connection {
    /// `None` only while it is dropped.
    object: Option<Object>,
    end: End,
    is_given_up: AtomicBool,
}

impl Connection {
    fn new(object: Object, end: End) -> Self {
        Self { object: Some(object), end, is_given_up: AtomicBool::new(false) }
    }

    /// Which end it leads to.
    pub fn end(&self) -> End {
        self.end
    }

    /// The server does not answer any more: nothing is asked of it again.
    pub(super) fn give_up(&self) {
        self.is_given_up.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed)
    }

    /// Whether nothing can be asked on it any more.
    pub fn is_lost(&self) -> bool {
        self.is_given_up() || self.is_closed()
    }

    /// Closes the connection, for when it may still be in a transaction. The server rolls back.
    pub fn discard(self) {
        self.give_up();
    }
}

impl Deref for Connection {
    type Target = Client;

    #[allow(clippy::expect_used, reason = "only drop takes it")]
    fn deref(&self) -> &Client {
        self.object.as_ref().expect("a connection that is not dropped has its client")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_given_up() {
            drop(self.object.take().map(Object::take));
        }
    }
}

/// Without the client's, which shows the user.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({})", self.end)
    }
}

/// What messages may say of a database, and what they have to leave out.
pub(super) struct Address {
    pub(super) end: End,
    /// `host:port`, several with commas.
    pub(super) at: String,
    pub(super) database: Option<String>,
    user: Option<String>,
}

impl Address {
    fn of(config: &Config, end: End) -> Self {
        let ports = config.get_ports();
        let at: Vec<_> = config
            .get_hosts()
            .iter()
            .enumerate()
            .map(|(i, host)| {
                let port = ports.get(i).or(ports.first()).unwrap_or(&5432);
                match host {
                    Host::Tcp(name) if name.contains(':') => format!("[{name}]:{port}"),
                    Host::Tcp(name) => format!("{name}:{port}"),
                    Host::Unix(directory) => format!("{}:{port}", directory.display()),
                }
            })
            .collect();
        Self {
            end,
            at: at.join(", "),
            database: config.get_dbname().or(config.get_user()).map(str::to_owned),
            user: config.get_user().map(str::to_owned),
        }
    }

    /// The error that the database can't be reached, and why.
    pub(super) fn unreachable(&self, why: impl fmt::Display) -> Error {
        let Self { end, at, .. } = self;
        Error::new(
            Kind::Unreachable(*end),
            format!("can't reach the {end} database at {at}: {why}"),
        )
    }

    /// A server's words without the user, whom servers and poolers like to repeat.
    pub(super) fn without_user(&self, words: &str) -> String {
        match self.user.as_deref() {
            // Some poolers repeat only what stands before the tenant, as in user.tenant.
            Some(user) if !user.is_empty() => {
                let role = user.split('.').next().filter(|role| !role.is_empty()).unwrap_or(user);
                words.replace(user, "…").replace(role, "…")
            }
            _ => words.to_owned(),
        }
    }
}
