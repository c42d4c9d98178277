//! Connections: a pool per database and purpose, and what is said when none can be made.

use std::fmt;
use std::io;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{
    self, Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult, TimeoutType,
};
use secrecy::{ExposeSecret, SecretString};
use socket2::{SockRef, TcpKeepalive};
use tiberius::{AuthMethod, Client, Config, SqlBrowser};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

use super::address::Address;
use super::failure::{gone, not_connected};
use super::{patience, tls};
use crate::config::TlsSetting;
use crate::error::{End, Error, Kind, Result};

pub use super::tls::Transport;
pub use crate::db::postgres::Purpose;

/// Routers forget idle connections after minutes.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// With the user timeout, a dead peer is found within about a minute.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// Unacknowledged data for so long is a lost connection (Linux).
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(30);
/// The driver doesn't notice when an idle connection is closed by the other side.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// Azure sends a login on to where the database is; more often than this it goes in circles.
const REDIRECTS_MAX: usize = 3;

pub(super) type Wire = Client<Compat<TcpStream>>;

/// One end's database, for one purpose.
pub struct Database {
    pool: Pool<Dialler>,
}

impl Database {
    /// Reads `url` and prepares at most `max_size` connections; none is opened yet.
    pub fn new(
        url: &SecretString,
        tls: &TlsSetting,
        end: End,
        purpose: Purpose,
        max_size: usize,
    ) -> Result<Self> {
        let address = Address::read(url, end)?;
        let transport = tls::transport(tls, &address.host);
        address.agrees_with(transport)?;
        let mut config = config(&address, purpose);
        tls::apply(&mut config, tls, transport, &address.host, end)?;
        let login_timeout = patience::LOGIN.max(address.connect_timeout.saturating_mul(3));
        let pool = Pool::builder(Dialler { address, config, transport })
            .max_size(max_size)
            .runtime(Runtime::Tokio1)
            .create_timeout(Some(patience::of(login_timeout)))
            .build()
            .map_err(|e| Error::new(Kind::Other, "no connection pool").because(e))?;
        Ok(Self { pool })
    }

    /// Which end this is.
    pub fn end(&self) -> End {
        self.dialler().address.end
    }

    /// How what is said gets there.
    pub fn transport(&self) -> Transport {
        self.dialler().transport
    }

    /// A connection out of the pool, or a new one; waits while all are in use.
    pub async fn connection(&self) -> Result<Connection> {
        let end = self.end();
        self.pool.get().await.map(|object| Connection::new(object, end)).map_err(|e| match e {
            PoolError::Backend(e) => e,
            PoolError::Timeout(TimeoutType::Create) => {
                self.dialler().address.unreachable("no answer in time")
            }
            e => Error::new(Kind::Other, format!("no connection to the {end}: {e}")),
        })
    }

    fn dialler(&self) -> &Dialler {
        self.pool.manager()
    }
}

/// Without the address, so that it can be logged.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = &self.dialler().address;
        write!(f, "Database({} at {})", address.end, address.at())
    }
}

fn config(address: &Address, purpose: Purpose) -> Config {
    let mut config = Config::new();
    config.host(&address.host);
    if let Some(port) = address.port {
        config.port(port);
    }
    if let Some(instance) = &address.instance {
        config.instance_name(instance);
    }
    config.database(&address.database);
    config.application_name(purpose.application_name());
    let password = address.password.expose_secret();
    config.authentication(AuthMethod::sql_server(&address.user, password));
    config.packet_size(address.packet_size);
    // The pool's, and those of the statements, hold here; the driver's own are 15 and 30 s.
    config.handshake_timeout(None);
    config.command_timeout(None);
    config
}

/// Makes the pool's connections.
struct Dialler {
    address: Address,
    config: Config,
    transport: Transport,
}

impl Manager for Dialler {
    type Type = Wire;
    type Error = Error;

    async fn create(&self) -> Result<Wire> {
        self.dial().await
    }

    /// What comes back is in order: a [`Connection`] that isn't takes itself out of the pool.
    async fn recycle(&self, _: &mut Wire, metrics: &Metrics) -> RecycleResult<Error> {
        match metrics.last_used() < IDLE_MAX {
            true => Ok(()),
            false => Err(RecycleError::message("idle for too long")),
        }
    }
}

impl Dialler {
    async fn dial(&self) -> Result<Wire> {
        let mut config = self.config.clone();
        let mut stream = match self.address.instance {
            Some(_) => self.find_instance().await?,
            None => self.reach(&self.address.host, self.address.port.unwrap_or(1433)).await?,
        };
        for _ in 0..=REDIRECTS_MAX {
            match Box::pin(Client::connect(config.clone(), stream.compat_write())).await {
                Ok(client) => return Ok(client),
                Err(tiberius::error::Error::Routing { host, port }) => {
                    // What follows a `\` is for the server.
                    let host = host.split('\\').next().unwrap_or_default();
                    if self.transport == Transport::Local && !tls::is_local(host) {
                        return Err(self.address.unreachable("it sends the login to another host"));
                    }
                    // The certificate has to be for the name of the host that is asked.
                    config.host(host);
                    config.port(port);
                    stream = self.reach(host, port).await?;
                }
                Err(e) => return Err(not_connected(&self.address, &e)),
            }
        }
        Err(self.address.unreachable("it sends the login on and on"))
    }

    async fn find_instance(&self) -> Result<TcpStream> {
        let stream = TcpStream::connect_named(&self.config).await.map_err(|e| match e {
            tiberius::error::Error::Io { message, .. } => self.address.unreachable(message),
            _ => self.address.unreachable("SQL Browser knows no port of that instance").remedied(
                "Check the instance's name, that the service SQL Server Browser runs there, and \
                 that UDP port 1434 is open; or write the instance's port instead of its name.",
            ),
        })?;
        self.tuned(stream)
    }

    /// The first address of `host` that answers.
    async fn reach(&self, host: &str, port: u16) -> Result<TcpStream> {
        let addresses = lookup_host((host, port)).await.map_err(|e| self.address.unreachable(e))?;
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in addresses {
            match timeout(self.address.connect_timeout, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return self.tuned(stream),
                Ok(Err(e)) => last = e,
                Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, "no answer in time"),
            }
        }
        Err(self.address.unreachable(last))
    }

    fn tuned(&self, stream: TcpStream) -> Result<TcpStream> {
        let tune = || -> io::Result<()> {
            stream.set_nodelay(true)?;
            let socket = SockRef::from(&stream);
            socket.set_tcp_keepalive(
                &TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL),
            )?;
            #[cfg(target_os = "linux")]
            socket.set_tcp_user_timeout(Some(TCP_USER_TIMEOUT))?;
            Ok(())
        };
        tune().map_err(|e| self.address.unreachable(e))?;
        Ok(stream)
    }
}

/// A connection that goes back to its pool when it is dropped, if nothing is open on it: no question
/// without its whole answer, and no transaction.
#[must_use]
pub struct Connection {
    /// `None` only once it is thrown away.
    object: Option<Box<Object<Dialler>>>,
    end: End,
    /// A question was sent and its answer not read to the end, because its future was dropped.
    is_asking: bool,
    is_in_transaction: bool,
}

impl Connection {
    fn new(object: Object<Dialler>, end: End) -> Self {
        Self { object: Some(Box::new(object)), end, is_asking: false, is_in_transaction: false }
    }

    /// Which end it leads to.
    pub fn end(&self) -> End {
        self.end
    }

    /// Whether nothing can be asked on it any more.
    pub fn is_lost(&self) -> bool {
        self.is_asking || self.object.is_none()
    }

    /// Closes the connection, for when it may still be in a transaction. The server rolls back.
    pub fn discard(mut self) {
        self.give_up();
    }

    /// The server does not answer any more: nothing is asked of it again.
    pub(super) fn give_up(&mut self) {
        drop(self.object.take().map(|object| managed::Object::take(*object)));
    }

    /// The client for one question. Until [`answered`](Self::answered), the connection is lost: a
    /// future that is dropped in between leaves half a question or half an answer behind.
    pub(super) fn ask(&mut self, doing: &dyn fmt::Display) -> Result<&mut Wire> {
        if self.is_asking {
            self.give_up();
        }
        match &mut self.object {
            Some(object) => {
                self.is_asking = true;
                Ok(object)
            }
            None => Err(gone(doing, self.end)),
        }
    }

    /// The whole answer was read.
    pub(super) fn answered(&mut self) {
        self.is_asking = false;
    }

    pub(super) fn set_in_transaction(&mut self, state: Transaction) {
        self.is_in_transaction = state == Transaction::Open;
    }
}

/// Whether a connection is in one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Transaction {
    Open,
    Over,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_asking || self.is_in_transaction {
            self.give_up();
        }
    }
}

/// Without the client's, which shows what was read last.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connection({})", self.end)
    }
}
