//! A TCP proxy before a server: passes every byte as it is, and cuts or stalls connections at an exact byte
//! or at the COMMIT. It counts round trips, too.

use std::mem::take;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    ToServer,
    ToClient,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Both sides are cut off when so many bytes of a connection have passed that way.
    Cut(Way, u64),
    /// Nothing passes that way any more, and the connection stays open.
    Stall(Way, u64),
    /// The server commits, and the client never hears of it.
    SwallowCommit,
    /// The COMMIT never reaches the server.
    CutBeforeCommit,
}

/// What has happened so far.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    pub connections: u64,
    /// Bursts of the client after bytes of the server, not counting connecting and closing; of a SQL
    /// Server's client, what it asks.
    pub round_trips: u64,
    /// How often the fault has struck.
    pub struck: u64,
    /// The longest connection, each way.
    pub to_server: u64,
    pub to_client: u64,
    /// Where the longest COPY began and ended in the bytes of its connection.
    pub copy: (u64, u64),
}

/// Whether messages are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    Postgres,
    Tds,
}

struct Shared {
    server: SocketAddr,
    speech: Speech,
    /// The fault, and how often it may still strike.
    fault: Mutex<(Fault, u64)>,
    tally: Mutex<Tally>,
    statements: Mutex<Vec<String>>,
    /// Cancelled, it ends the connections that there are.
    hung_up: Mutex<CancellationToken>,
}

/// The proxy; it ends with its value.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    _connections: JoinSet<()>,
}

impl Proxy {
    /// Before the PostgreSQL at `port` of this machine.
    pub async fn before(port: u16) -> Self {
        Self::passing(port, Speech::Postgres).await
    }

    /// Before a SQL Server that is spoken to in the clear; a message is a packet.
    pub async fn before_sql_server(port: u16) -> Self {
        Self::passing(port, Speech::Tds).await
    }

    async fn passing(port: u16, speech: Speech) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        let fault = Mutex::new((Fault::None, 0));
        let shared = Arc::new(Shared {
            server,
            speech,
            fault,
            tally: Mutex::default(),
            statements: Mutex::default(),
            hung_up: Mutex::default(),
        });
        let port = listener.local_addr().unwrap().port();
        let mut connections = JoinSet::new();
        connections.spawn(accept(listener, Arc::clone(&shared)));
        Self { port, shared, _connections: connections }
    }

    /// On 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// From now on `fault` strikes, at most `times`; the tally begins anew.
    pub fn set(&self, fault: Fault, times: u64) {
        *self.shared.fault.lock().unwrap() = (fault, times);
        *self.shared.tally() = Tally::default();
    }

    /// Nothing goes wrong any more, and all connections there are end, also stalled ones.
    pub fn recover(&self) {
        self.set(Fault::None, 0);
        take(&mut *self.shared.hung_up.lock().unwrap()).cancel();
    }

    pub fn tally(&self) -> Tally {
        self.shared.tally().clone()
    }

    /// Every statement that came by, once, in the order of their first coming.
    pub fn statements(&self) -> Vec<String> {
        self.shared.statements.lock().unwrap().clone()
    }
}

impl Shared {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap()
    }

    /// Query, or Parse with its name before the statement.
    fn note_statement(&self, message: &[u8]) {
        let mut texts = message[5..].split(|byte| *byte == 0);
        let statement = match message[0] {
            b'Q' => texts.next(),
            b'P' => texts.nth(1),
            _ => None,
        };
        let Some(statement) = statement else { return };
        let statement = String::from_utf8(statement.to_vec()).unwrap();
        let mut statements = self.statements.lock().unwrap();
        if !statements.contains(&statement) {
            statements.push(statement);
        }
    }

    /// Whether the client asks for a COMMIT.
    fn is_commit(&self, message: &[u8]) -> bool {
        match self.speech {
            Speech::Postgres => message == b"Q\0\0\0\x0bcommit\0",
            Speech::Tds => {
                let words: Vec<u8> =
                    "commit transaction".encode_utf16().flat_map(u16::to_le_bytes).collect();
                message.windows(words.len()).any(|bytes| bytes == words)
            }
        }
    }

    /// Whether the server says that it has committed; `asked` is what came by last.
    fn is_committed(&self, message: &[u8], asked: Turn) -> bool {
        match self.speech {
            Speech::Postgres => message == b"C\0\0\0\x0bCOMMIT\0",
            Speech::Tds => asked == Turn::Commit,
        }
    }

    /// What to do with a message: how much of it still passes, and what happens then.
    fn judge(&self, way: Way, passed: u64, message: &[u8], asked: Turn) -> (usize, Fault) {
        let mut fault = self.fault.lock().unwrap();
        let at = match fault.0 {
            _ if fault.1 == 0 => None,
            Fault::None => None,
            Fault::Cut(w, at) | Fault::Stall(w, at) => (w == way && at < passed + length(message))
                .then(|| usize::try_from(at.saturating_sub(passed)).unwrap()),
            Fault::SwallowCommit => {
                (way == Way::ToClient && self.is_committed(message, asked)).then_some(0)
            }
            Fault::CutBeforeCommit => {
                (way == Way::ToServer && self.is_commit(message)).then_some(0)
            }
        };
        let Some(at) = at else { return (message.len(), Fault::None) };
        fault.1 -= 1;
        self.tally().struck += 1;
        (at, fault.0)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        connections.spawn(connection(client, Arc::clone(&shared)));
    }
}

async fn connection(client: TcpStream, shared: Arc<Shared>) {
    shared.tally().connections += 1;
    // A server that is away refuses the client as well.
    let Ok(server) = TcpStream::connect(shared.server).await else { return };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let pipe = |way| Pipe {
        way,
        shared: Arc::clone(&shared),
        turn: Arc::default(),
        ended: CancellationToken::new(),
        passed: 0,
    };
    let up = pipe(Way::ToServer);
    let down = Pipe { turn: Arc::clone(&up.turn), ended: up.ended.clone(), ..pipe(Way::ToClient) };
    let hung_up = shared.hung_up.lock().unwrap().clone();
    // Whoever ends first ends the other; both sockets close here.
    let both = async {
        tokio::join!(up.run(from_client, to_server), down.run(from_server, to_client));
    };
    tokio::select! {
        () = both => {}
        () = hung_up.cancelled() => {}
    }
}

/// Whose bytes came last.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Connecting; what is sent is not counted.
    #[default]
    Connecting,
    Server,
    Client,
    /// The client's, and it was a COMMIT; only of a SQL Server's client.
    Commit,
}

/// One way of one connection.
struct Pipe {
    way: Way,
    shared: Arc<Shared>,
    turn: Arc<Mutex<Turn>>,
    ended: CancellationToken,
    passed: u64,
}

impl Pipe {
    async fn run(mut self, from: OwnedReadHalf, to: OwnedWriteHalf) {
        let ended = self.ended.clone();
        tokio::select! {
            () = self.pass(from, to) => ended.cancel(),
            () = ended.cancelled() => {}
        }
    }

    async fn pass(&mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut buffer = Vec::new();
        while let Ok(1..) = from.read_buf(&mut buffer).await {
            let mut out = Vec::new();
            while let Some(length) = self.message_length(&buffer, self.passed + length(&out)) {
                let message: Vec<u8> = buffer.drain(..length).collect();
                let before = self.passed + u64::try_from(out.len()).unwrap();
                let asked = *self.turn.lock().unwrap();
                self.note(before, &message);
                let (at, fault) = self.shared.judge(self.way, before, &message, asked);
                out.extend_from_slice(&message[..at]);
                if fault == Fault::None {
                    continue;
                }
                // Whatever may still pass, does; if that fails, the connection is gone anyway.
                let _ = to.write_all(&out).await;
                if matches!(fault, Fault::Stall(..)) {
                    std::future::pending::<()>().await;
                }
                return;
            }
            self.passed += length(&out);
            if to.write_all(&take(&mut out)).await.is_err() {
                return;
            }
        }
    }

    /// The length of the first message, if it is all there. A client's first has no type.
    fn message_length(&self, buffer: &[u8], passed: u64) -> Option<usize> {
        if self.shared.speech == Speech::Tds {
            let length = usize::from(u16::from_be_bytes(buffer.get(2..4)?.try_into().unwrap()));
            return (buffer.len() >= length).then_some(length);
        }
        let head = usize::from(self.way == Way::ToClient || passed > 0);
        let size = buffer.get(head..head + 4)?.try_into().unwrap();
        let length = head + usize::try_from(u32::from_be_bytes(size)).unwrap();
        (buffer.len() >= length).then_some(length)
    }

    fn note(&self, before: u64, message: &[u8]) {
        let after = before + length(message);
        if self.shared.speech == Speech::Tds {
            return self.note_packet(after, message);
        }
        if self.way == Way::ToServer && before > 0 {
            self.shared.note_statement(message);
        }
        let mut turn = self.turn.lock().unwrap();
        let mut tally = self.shared.tally();
        match self.way {
            Way::ToClient => {
                // Connecting ends with ReadyForQuery.
                if *turn != Turn::Connecting || message[0] == b'Z' {
                    *turn = Turn::Server;
                }
                tally.to_client = tally.to_client.max(after);
            }
            Way::ToServer => {
                // Closing is no round trip.
                if *turn == Turn::Server && message[0] != b'X' {
                    *turn = Turn::Client;
                    tally.round_trips += 1;
                }
                if message[0] == b'd' && message.len() > usize::try_from(tally.copy_size()).unwrap()
                {
                    tally.copy = (before, after);
                }
                tally.to_server = tally.to_server.max(after);
            }
        }
    }
}

impl Pipe {
    /// The last packet of a batch or of a call is a round trip; connecting has other packets.
    fn note_packet(&self, after: u64, packet: &[u8]) {
        let mut turn = self.turn.lock().unwrap();
        let mut tally = self.shared.tally();
        match self.way {
            Way::ToClient => {
                *turn = Turn::Server;
                tally.to_client = tally.to_client.max(after);
            }
            Way::ToServer => {
                let (kind, is_last) = (packet[0], packet[1] & 1 == 1);
                tally.round_trips += u64::from(is_last && [1, 3].contains(&kind));
                // One request may take several packets.
                if *turn != Turn::Commit {
                    let is_commit = self.shared.is_commit(packet);
                    *turn = if is_commit { Turn::Commit } else { Turn::Client };
                }
                tally.to_server = tally.to_server.max(after);
            }
        }
    }
}

impl Tally {
    fn copy_size(&self) -> u64 {
        self.copy.1 - self.copy.0
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap()
}
