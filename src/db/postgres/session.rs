//! What a pool keeps: the driver's client, and the task that carries its bytes.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use tokio::task::{AbortHandle, JoinSet};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Opens sessions, and looks whether one that comes back still lives.
pub(super) struct Sessions {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

/// One session of a server. It ends with its value: a server that is in a transaction rolls back.
pub(super) struct Session {
    pub(super) client: Client,
    carrier: AbortHandle,
    given_up: AtomicBool,
    _task: JoinSet<()>,
}

impl Sessions {
    /// Sessions as `config` says, over TLS if there is a connector for it.
    pub(super) fn new(config: Config, tls: Option<MakeRustlsConnect>) -> Self {
        Self { config, tls }
    }
}

/// Without the configuration, which holds the password.
impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

impl managed::Manager for Sessions {
    type Type = Session;
    type Error = tokio_postgres::Error;

    async fn create(&self) -> Result<Session, tokio_postgres::Error> {
        match &self.tls {
            None => Box::pin(Session::open(&self.config, NoTls)).await,
            Some(tls) => Box::pin(Session::open(&self.config, tls.clone())).await,
        }
    }

    /// No round trip; a connection that broke unnoticed says so at its next use.
    async fn recycle(
        &self,
        session: &mut Session,
        _: &Metrics,
    ) -> RecycleResult<tokio_postgres::Error> {
        match session.client.is_closed() {
            false => Ok(()),
            true => Err(RecycleError::message("closed")),
        }
    }
}

impl Session {
    async fn open<T>(config: &Config, tls: T) -> Result<Self, tokio_postgres::Error>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let (client, connection) = config.connect(tls).await?;
        let mut task = JoinSet::new();
        let carrier = task.spawn(async {
            if let Err(e) = connection.await {
                tracing::debug!(error = %e, "a connection ended");
            }
        });
        Ok(Self { client, carrier, given_up: AtomicBool::new(false), _task: task })
    }

    /// Ends the connection: whoever waits for an answer gets the driver's error that it is closed,
    /// and the pool doesn't take it back.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
        self.carrier.abort();
    }

    /// Whether it was us who ended it.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }
}
