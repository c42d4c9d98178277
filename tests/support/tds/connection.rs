//! One connection, from its first byte to its last.

use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::answer::{Answer, Request};
use super::errors::SqlError;
use super::requests;
use super::server::Shared;
use super::session::Session;
use super::tls::TlsMode;
use super::wire::{self, Login, Message};

/// Values of the `ENCRYPTION` byte.
const OFF: u8 = 0;
const ON: u8 = 1;
const NOT_SUPPORTED: u8 = 2;
const REQUIRED: u8 = 3;

/// How often a client's wish to cancel is passed on, should PostgreSQL be between two statements.
const CANCEL_EVERY: Duration = Duration::from_millis(50);

type Reads = Pin<Box<dyn AsyncRead + Send>>;
type Writes = Pin<Box<dyn AsyncWrite + Send>>;

/// Serves a connection until the client goes away.
pub async fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let (login, reads, writes) = meet(stream, shared).await?;
    let mut answer = Answer::new(writes);
    let session = match Login::parse(&login) {
        Ok(login) => Session::open(shared, &login).await.map(|session| (session, login)),
        Err(error) => Err(error),
    };
    match session {
        Ok((session, login)) => {
            answer.welcome(&shared.database, login.packet_bytes).await?;
            converse(session, answer, reads, shared).await
        }
        Err(error) => {
            answer.error(&error);
            answer.finish().await
        }
    }
}

/// PRELOGIN and LOGIN7, with as much encryption as both want.
async fn meet(stream: TcpStream, shared: &Shared) -> io::Result<(Vec<u8>, Reads, Writes)> {
    if shared.tls() == TlsMode::Strict {
        let mut stream = shared.certificate.strict(stream).await?;
        prelogin(&mut stream, ON).await?;
        let login = expect(&mut stream, wire::LOGIN).await?;
        return Ok(halves(login, stream));
    }
    let mut stream = stream;
    let hello = expect(&mut stream, wire::PRELOGIN).await?;
    let asked = wire::asked_encryption(&hello).unwrap_or(NOT_SUPPORTED);
    let agreed = match (shared.tls(), asked) {
        (TlsMode::NotSupported, _) | (TlsMode::LoginOnly, NOT_SUPPORTED) => NOT_SUPPORTED,
        (TlsMode::LoginOnly, OFF) => OFF,
        (TlsMode::LoginOnly, _) => ON,
        (_, _) => REQUIRED,
    };
    answer_prelogin(&mut stream, agreed).await?;
    if agreed == REQUIRED && asked == NOT_SUPPORTED {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    match agreed {
        NOT_SUPPORTED => {
            let login = expect(&mut stream, wire::LOGIN).await?;
            Ok(halves(login, stream))
        }
        OFF => {
            let mut tunnel = shared.certificate.tunnel(stream).await?;
            let login = expect(&mut tunnel, wire::LOGIN).await?;
            Ok(halves(login, tunnel.into_inner().0.stream))
        }
        _ => {
            let mut tunnel = shared.certificate.tunnel(stream).await?;
            let login = expect(&mut tunnel, wire::LOGIN).await?;
            Ok(halves(login, tunnel))
        }
    }
}

fn halves<S>(login: Vec<u8>, stream: S) -> (Vec<u8>, Reads, Writes)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (reads, writes) = tokio::io::split(stream);
    (login, Box::pin(reads), Box::pin(writes))
}

async fn prelogin<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, agreed: u8) -> io::Result<()> {
    expect(stream, wire::PRELOGIN).await?;
    answer_prelogin(stream, agreed).await
}

async fn answer_prelogin<S: AsyncWrite + Unpin>(stream: &mut S, agreed: u8) -> io::Result<()> {
    // VERSION at 11, 6 bytes; ENCRYPTION at 17, 1 byte.
    let options = [0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xFF, 16, 0, 0x10, 0, 0, 0, agreed];
    stream.write_all(&wire::packet(wire::ANSWER, 1, 1, &options)).await?;
    stream.flush().await
}

async fn expect(from: &mut (impl AsyncRead + Unpin), kind: u8) -> io::Result<Vec<u8>> {
    match wire::read(from).await? {
        Some(message) if message.kind == kind => Ok(message.body),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Requests and their answers, one after the other; a second reader sees attention meanwhile.
async fn converse(
    mut session: Session,
    mut answer: Answer,
    mut reads: Reads,
    shared: &Shared,
) -> io::Result<()> {
    let (to, mut inbox) = mpsc::channel(4);
    let reading = async move {
        while let Some(message) = wire::read(&mut reads).await? {
            if to.send(message).await.is_err() {
                break;
            }
        }
        io::Result::Ok(())
    };
    let answering = async {
        while let Some(message) = inbox.recv().await {
            answer_one(&mut session, &mut answer, message, &mut inbox, shared).await?;
            if session.backend.is_lost() {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
        Ok(())
    };
    tokio::try_join!(reading, answering).map(drop)
}

async fn answer_one(
    session: &mut Session,
    answer: &mut Answer,
    message: Message,
    inbox: &mut mpsc::Receiver<Message>,
    shared: &Shared,
) -> io::Result<()> {
    answer.begin(match message.kind {
        wire::RPC => Request::Procedure,
        _ => Request::Batch,
    });
    if message.kind == wire::ATTENTION {
        return answer.attention().await;
    }
    let (cancelled, cancel) = (answer.cancelled(), session.cancel_token());
    let mut work = Box::pin(perform(session, answer, &message, shared));
    let mut again = tokio::time::interval(CANCEL_EVERY);
    let mut gone = false;
    loop {
        tokio::select! {
            biased;
            () = &mut work => break,
            next = inbox.recv(), if !cancelled.load(Ordering::Relaxed) => {
                gone = next.is_none();
                cancelled.store(true, Ordering::Relaxed);
            }
            _ = again.tick(), if cancelled.load(Ordering::Relaxed) => {
                let _ = cancel.cancel_query(tokio_postgres::NoTls).await;
            }
        }
    }
    drop(work);
    if cancelled.load(Ordering::Relaxed) {
        session.absorb_cancel().await;
    }
    match gone {
        true => Err(io::ErrorKind::ConnectionAborted.into()),
        false => answer.finish().await,
    }
}

async fn perform(session: &mut Session, answer: &mut Answer, message: &Message, shared: &Shared) {
    let body = &message.body;
    if message.kind == wire::BULK {
        return session.load(body, answer).await;
    }
    let request = match message.kind {
        wire::BATCH => requests::batch(body).map(|text| (text, Vec::new())),
        wire::RPC => requests::call(body),
        wire::TRANSACTION => requests::transaction(body).map(|text| (text.into(), Vec::new())),
        kind => Err(SqlError::protocol(&format!("message {kind}"))),
    };
    let request = request.and_then(|request| {
        shared.received(&request.0)?;
        Ok(request)
    });
    match request {
        Ok((text, parameters)) => session.run(&text, parameters, answer).await,
        Err(error) => session.failed(&error, answer).await,
    }
}
