//! A server that speaks just enough TDS to refuse, to fall silent and to give a few numbers: what a
//! real one can't be made to do at will.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const HEADER_BYTES: usize = 8;
const BATCH: u8 = 1;
const RPC: u8 = 3;
const ANSWER: u8 = 4;
const BULK: u8 = 7;
const LOGIN: u8 = 16;
const PRELOGIN: u8 = 18;

/// What is answered to a login or to a statement.
#[derive(Clone)]
pub enum Answer {
    /// Well done; to a statement, with a column of the numbers below this one.
    Rows(i32),
    /// Number, severity, message, procedure.
    Error(u32, u8, String, String),
    /// The login belongs to another server.
    Routing(String, u16),
    /// Nothing, for ever.
    Silence,
    HangUp,
}

/// What the server does before the login.
#[derive(Clone)]
pub enum Encryption {
    None,
    /// Certificate and key, as PEM.
    Tls(String, String),
    /// It never answers.
    Silence,
    /// It knows no version of TLS that anybody else knows.
    HangUp,
}

/// What a server saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Login { user: String, password: String, application: String, database: String, packet: u32 },
    Statement(String),
}

type Script = dyn Fn(&Seen) -> Answer + Send + Sync;

/// A server; its threads end with the test's process.
pub struct Server {
    pub port: u16,
    seen: Mutex<UnboundedReceiver<Seen>>,
}

impl Server {
    pub fn start(
        encryption: Encryption,
        script: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, seen) = unbounded_channel();
        let script: Arc<Script> = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (encryption, sender) = (encryption.clone(), sender.clone());
                let script = Arc::clone(&script);
                // A client that hangs up ends its thread.
                thread::spawn(move || serve(stream?, &encryption, &sender, &*script));
            }
        });
        Self { port, seen: Mutex::new(seen) }
    }

    /// Waits for what comes next.
    pub async fn next(&self) -> Seen {
        self.seen.lock().await.recv().await.unwrap()
    }

    /// How many logins there were since the last look.
    pub fn logins(&self) -> usize {
        let mut seen = self.seen.try_lock().unwrap();
        let seen = std::iter::from_fn(|| seen.try_recv().ok());
        seen.filter(|seen| matches!(seen, Seen::Login { .. })).count()
    }
}

fn serve(
    mut stream: TcpStream,
    encryption: &Encryption,
    seen: &UnboundedSender<Seen>,
    script: &Script,
) -> io::Result<()> {
    read(&mut stream)?;
    let byte = match encryption {
        Encryption::None => 2,
        Encryption::Tls(..) | Encryption::HangUp => 3,
        Encryption::Silence => return silence(),
    };
    // Version and encryption, then both.
    let options = [0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xFF, 16, 0, 0, 0, 0, 0, byte];
    write(&mut stream, ANSWER, &options)?;
    match encryption {
        Encryption::None => session(stream, seen, script),
        Encryption::Tls(certificate, key) => {
            session(handshake(stream, certificate, key)?, seen, script)
        }
        Encryption::Silence | Encryption::HangUp => read(&mut stream).map(drop),
    }
}

/// TLS whose handshake travels in PRELOGIN packets.
fn handshake(
    mut stream: TcpStream,
    certificate: &str,
    key: &str,
) -> io::Result<StreamOwned<ServerConnection, TcpStream>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    // SQL Server tunnels no later version.
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
    loop {
        let mut flight = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut flight)?;
        }
        if !flight.is_empty() {
            write(&mut stream, PRELOGIN, &flight)?;
        }
        if !tls.is_handshaking() {
            return Ok(StreamOwned::new(tls, stream));
        }
        let (_, body) = read(&mut stream)?;
        let mut rest = &body[..];
        while !rest.is_empty() {
            tls.read_tls(&mut rest)?;
            tls.process_new_packets().map_err(io::Error::other)?;
        }
    }
}

fn session(
    mut stream: impl Read + Write,
    seen: &UnboundedSender<Seen>,
    script: &Script,
) -> io::Result<()> {
    loop {
        let (kind, body) = read(&mut stream)?;
        let request = match kind {
            LOGIN => login(&body),
            BATCH => Seen::Statement(utf16(&body[22..])),
            // Somewhere among the parameters, at an even place or an odd one.
            RPC => Seen::Statement(utf16(&body[22..]) + &utf16(&body[23..])),
            BULK => Seen::Statement("a load".to_owned()),
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        let answer = script(&request);
        // Nobody may look.
        let _ = seen.send(request);
        let mut tokens = Vec::new();
        match answer {
            Answer::Rows(count) if kind == LOGIN => {
                assert_eq!(count, 0);
                tokens.extend([0xAD, 12, 0, 1, 0x74, 0, 0, 4, 0, 16, 0, 0, 0, 0, 0]);
                tokens[1] = (tokens.len() - 3) as u8;
                done(&mut tokens, 0);
            }
            Answer::Rows(count) if kind == BULK => done(&mut tokens, count),
            Answer::Rows(count) => {
                rows(&mut tokens, count);
                done(&mut tokens, count);
            }
            Answer::Error(number, class, message, procedure) => {
                error(&mut tokens, number, class, &message, &procedure);
                done(&mut tokens, 0);
            }
            Answer::Routing(host, port) => {
                routing(&mut tokens, &host, port);
                done(&mut tokens, 0);
            }
            Answer::Silence => return silence(),
            Answer::HangUp => return Ok(()),
        }
        write(&mut stream, ANSWER, &tokens)?;
    }
}

fn silence() -> io::Result<()> {
    loop {
        thread::park();
    }
}

fn read(stream: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let mut body = Vec::new();
    loop {
        let mut header = [0; HEADER_BYTES];
        stream.read_exact(&mut header)?;
        let start = body.len();
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        body.resize(start + length - HEADER_BYTES, 0);
        stream.read_exact(&mut body[start..])?;
        if header[1] & 1 == 1 {
            return Ok((header[0], body));
        }
    }
}

fn write(stream: &mut impl Write, kind: u8, body: &[u8]) -> io::Result<()> {
    let chunks: Vec<_> = body.chunks(4096 - HEADER_BYTES).collect();
    for (i, chunk) in chunks.iter().enumerate() {
        let length = ((chunk.len() + HEADER_BYTES) as u16).to_be_bytes();
        let last = u8::from(i + 1 == chunks.len());
        stream.write_all(&[kind, last, length[0], length[1], 0, 0, 1, 0])?;
        stream.write_all(chunk)?;
    }
    stream.flush()
}

fn login(body: &[u8]) -> Seen {
    let number = |at: usize| usize::from(u16::from_le_bytes([body[at], body[at + 1]]));
    let field = |at: usize| &body[number(at)..number(at) + 2 * number(at + 2)];
    let password: Vec<_> = field(44).iter().map(|b| (b ^ 0xA5).rotate_right(4)).collect();
    Seen::Login {
        user: utf16(field(40)),
        password: utf16(&password),
        application: utf16(field(48)),
        database: utf16(field(68)),
        packet: u32::from_le_bytes([body[8], body[9], body[10], body[11]]),
    }
}

fn utf16(bytes: &[u8]) -> String {
    let units: Vec<_> = bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
    String::from_utf16_lossy(&units)
}

fn put(tokens: &mut Vec<u8>, text: &str) {
    tokens.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
}

fn rows(tokens: &mut Vec<u8>, count: i32) {
    // One column `n` of int, that can be written.
    tokens.extend([0x81, 1, 0, 0, 0, 0, 0, 0x0C, 0, 0x38, 1]);
    put(tokens, "n");
    for number in 0..count {
        tokens.push(0xD1);
        tokens.extend(number.to_le_bytes());
    }
}

/// The count is valid, nothing follows.
fn done(tokens: &mut Vec<u8>, count: i32) {
    tokens.extend([0xFD, 0x10, 0, 0, 0]);
    tokens.extend(u64::try_from(count).unwrap().to_le_bytes());
}

fn error(tokens: &mut Vec<u8>, number: u32, class: u8, message: &str, procedure: &str) {
    let mut body = Vec::new();
    body.extend(number.to_le_bytes());
    body.extend([1, class]);
    body.extend((message.encode_utf16().count() as u16).to_le_bytes());
    put(&mut body, message);
    body.push(0);
    body.push(procedure.encode_utf16().count() as u8);
    put(&mut body, procedure);
    body.extend(1_u32.to_le_bytes());
    tokens.push(0xAA);
    tokens.extend((body.len() as u16).to_le_bytes());
    tokens.extend(body);
}

fn routing(tokens: &mut Vec<u8>, host: &str, port: u16) {
    let mut address = vec![0];
    address.extend(port.to_le_bytes());
    address.extend((host.encode_utf16().count() as u16).to_le_bytes());
    put(&mut address, host);
    let mut body = vec![20];
    body.extend((address.len() as u16).to_le_bytes());
    body.extend(address);
    body.extend([0, 0]);
    tokens.push(0xE3);
    tokens.extend((body.len() as u16).to_le_bytes());
    tokens.extend(body);
}
