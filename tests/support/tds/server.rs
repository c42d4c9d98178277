//! The server of a test.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::thread;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::connection;
use super::errors::SqlError;
use super::session;
use super::tls::{Certificate, TlsMode};

/// The password of `sa`.
pub const PASSWORD: &str = "Passw0rd!";

/// What all connections know.
pub struct Shared {
    /// Of the PostgreSQL behind it.
    pub postgres: tokio_postgres::Config,
    /// The only database that the server has.
    pub database: String,
    pub certificate: Certificate,
    tls: Mutex<TlsMode>,
    logins: Mutex<Vec<Login>>,
    no_min_active: AtomicBool,
    statements: Mutex<Vec<String>>,
    planted: Mutex<Vec<(String, i32)>>,
}

/// Who may come in, and as which role of PostgreSQL.
#[derive(Clone)]
struct Login {
    user: String,
    password: String,
    role: Option<String>,
}

impl Shared {
    pub fn tls(&self) -> TlsMode {
        *self.tls.lock().unwrap()
    }

    /// The role of a login, if it has one; an error if its password is another.
    pub fn role(&self, user: &str, password: &str) -> Result<Option<String>, SqlError> {
        let logins = self.logins.lock().unwrap();
        let login = logins.iter().find(|l| l.user == user && l.password == password);
        let refused = || SqlError::new(18456, format!("Login failed for user '{user}'."));
        login.map(|login| login.role.clone()).ok_or_else(refused)
    }

    pub fn has_min_active_rowversion(&self) -> bool {
        !self.no_min_active.load(Ordering::Relaxed)
    }

    /// Notes what was received, and gives the error that was planted for it.
    pub fn received(&self, statement: &str) -> Result<(), SqlError> {
        self.statements.lock().unwrap().push(statement.to_owned());
        let mut planted = self.planted.lock().unwrap();
        match planted.iter().position(|(pattern, _)| statement.contains(pattern.as_str())) {
            Some(at) => {
                let (_, number) = planted.remove(at);
                Err(SqlError::new(number, format!("Error {number}, planted by the test.")))
            }
            None => Ok(()),
        }
    }
}

/// A server on 127.0.0.1 with a thread of its own, gone with its connections when dropped.
pub struct Server {
    shared: Arc<Shared>,
    port: u16,
    stop: CancellationToken,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    /// Before the PostgreSQL database at `url`, whose user must be a superuser; makes what the server
    /// needs there if it is not there yet.
    pub fn start(url: &str) -> Self {
        let postgres: tokio_postgres::Config = url.parse().unwrap();
        let database = postgres.get_dbname().unwrap_or("postgres").to_owned();
        let sa = Login { user: "sa".into(), password: PASSWORD.into(), role: None };
        let shared = Arc::new(Shared {
            postgres,
            database,
            certificate: Certificate::make(),
            tls: Mutex::new(TlsMode::NotSupported),
            logins: Mutex::new(vec![sa]),
            no_min_active: AtomicBool::new(false),
            statements: Mutex::default(),
            planted: Mutex::default(),
        });
        let stop = CancellationToken::new();
        let (ready, started) = mpsc::channel();
        let (theirs, stopped) = (Arc::clone(&shared), stop.clone());
        let thread = thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            let runtime = runtime.worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                session::set_up(&theirs.postgres).await.unwrap();
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                ready.send(listener.local_addr().unwrap().port()).unwrap();
                tokio::select! {
                    () = accept(listener, theirs) => {}
                    () = stopped.cancelled() => {}
                }
            });
            runtime.shutdown_background();
        });
        let port = started.recv().expect("the database can't be set up");
        Self { shared, port, stop, thread: Some(thread) }
    }

    /// What new connections meet: see [`TlsMode`].
    pub fn with_tls(self, mode: TlsMode) -> Self {
        *self.shared.tls.lock().unwrap() = mode;
        self
    }

    /// A further login, which has the rights of a role of PostgreSQL.
    pub fn with_login(self, user: &str, password: &str, role: &str) -> Self {
        let role = Some(role.to_owned());
        let login = Login { user: user.to_owned(), password: password.to_owned(), role };
        self.shared.logins.lock().unwrap().push(login);
        self
    }

    /// As a server plays that has no `MIN_ACTIVE_ROWVERSION`: error 195.
    pub fn without_min_active_rowversion(self) -> Self {
        self.shared.no_min_active.store(true, Ordering::Relaxed);
        self
    }

    /// On 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `sqlserver://sa:…@127.0.0.1:port/database`.
    pub fn url(&self) -> String {
        format!("sqlserver://sa:{PASSWORD}@127.0.0.1:{}/{}", self.port, self.shared.database)
    }

    /// The certificate that signs for it, as a client may trust it.
    pub fn certificate(&self) -> &str {
        &self.shared.certificate.pem
    }

    /// All batches and calls so far, in the order of their coming.
    pub fn statements(&self) -> Vec<String> {
        lock(&self.shared.statements).clone()
    }

    /// The next batch or call that contains `pattern` fails with this error, and does nothing.
    pub fn fail_next(&self, pattern: &str, number: i32) {
        lock(&self.shared.planted).push((pattern.to_owned(), number));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // A client that goes away in the middle is the test's affair.
            let _ = connection::serve(stream, &shared).await;
        });
        while connections.try_join_next().is_some() {}
    }
}
