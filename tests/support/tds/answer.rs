//! What the server answers: tokens, cut into packets as they come, so that results stream.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::errors::SqlError;
use super::types::{COLLATION, SqlType};
use super::values;
use super::wire::{ANSWER, HEADER_BYTES, packet, put_short_text, put_text};

const DONE: u8 = 0xFD;
const DONE_PROCEDURE: u8 = 0xFE;
const DONE_IN_PROCEDURE: u8 = 0xFF;
const MORE: u16 = 0x01;
const ERROR: u16 = 0x02;
const COUNT: u16 = 0x10;
const ATTENTION: u16 = 0x20;

/// What of an answer waits for packets to be filled.
const BUFFER_BYTES: usize = 32 * 1024;

/// The only transaction that a connection can have.
const TRANSACTION: [u8; 9] = [8, 1, 0, 0, 0, 0, 0, 0, 0];

/// A result's column.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub kind: SqlType,
    /// The flags of `COLMETADATA`.
    pub flags: u16,
}

/// What the client asked with, which says how its answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    Batch,
    Procedure,
}

/// What happened to the transaction, as the client must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    Began,
    Committed,
    RolledBack,
}

/// The answer to a request, and where it goes.
pub struct Answer {
    to: Pin<Box<dyn AsyncWrite + Send>>,
    packet_bytes: usize,
    number: u8,
    buffer: BytesMut,
    request: Request,
    /// The end of a statement, not yet written: whether more follows is not known.
    pending: Option<(u16, u64)>,
    failed: bool,
    kinds: Vec<SqlType>,
    /// Set, nothing more is written: the client asked for attention.
    cancelled: Arc<AtomicBool>,
    broken: Option<io::Error>,
}

impl Answer {
    pub fn new(to: Pin<Box<dyn AsyncWrite + Send>>) -> Self {
        Self {
            to,
            packet_bytes: 4096,
            number: 1,
            buffer: BytesMut::new(),
            request: Request::Batch,
            pending: None,
            failed: false,
            kinds: Vec::new(),
            cancelled: Arc::default(),
            broken: None,
        }
    }

    /// Begins the answer to a request.
    pub fn begin(&mut self, request: Request) {
        self.request = request;
        self.number = 1;
        self.pending = None;
        self.failed = false;
        self.cancelled.store(false, Ordering::Relaxed);
    }

    pub fn is_procedure(&self) -> bool {
        self.request == Request::Procedure
    }

    /// To be set when the client asks for attention.
    pub fn cancelled(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Begins a result.
    pub fn columns(&mut self, columns: &[Column]) {
        self.settle();
        self.buffer.put_u8(0x81);
        self.buffer.put_u16_le(columns.len() as u16);
        for column in columns {
            self.buffer.put_u32_le(0);
            self.buffer.put_u16_le(column.flags);
            column.kind.put_info(&mut self.buffer);
            put_short_text(&mut self.buffer, &column.name);
        }
        self.kinds = columns.iter().map(|column| column.kind).collect();
    }

    /// A row of the result, each value in PostgreSQL's binary form.
    pub async fn row<'v>(
        &mut self,
        value: impl Fn(usize) -> Result<Option<&'v [u8]>, SqlError>,
    ) -> Result<(), SqlError> {
        if self.is_cancelled() {
            return Ok(());
        }
        let start = self.buffer.len();
        self.buffer.put_u8(0xD1);
        for (place, kind) in self.kinds.iter().enumerate() {
            let put = value(place).and_then(|value| values::put(&mut self.buffer, *kind, value));
            if put.is_err() {
                // Half a row would be nonsense before the error.
                self.buffer.truncate(start);
                return put;
            }
        }
        if self.buffer.len() > BUFFER_BYTES {
            self.write(Until::Full).await;
        }
        Ok(())
    }

    /// The end of a statement that counts rows.
    pub fn counted(&mut self, rows: u64) {
        self.settle();
        self.pending = Some((COUNT, rows));
    }

    /// The end of a statement that does not.
    pub fn done(&mut self) {
        self.settle();
        self.pending = Some((0, 0));
    }

    pub fn error(&mut self, error: &SqlError) {
        self.settle();
        let mut token = BytesMut::new();
        token.put_i32_le(error.number);
        token.put_slice(&[error.state, error.class]);
        put_text(&mut token, &error.message);
        put_short_text(&mut token, "TESTSQL");
        put_short_text(&mut token, "");
        token.put_i32_le(1);
        self.buffer.put_u8(0xAA);
        self.buffer.put_u16_le(token.len() as u16);
        self.buffer.put_slice(&token);
        self.failed = true;
        self.pending = Some((ERROR, 0));
    }

    pub fn transaction(&mut self, change: Transaction) {
        self.settle();
        match change {
            Transaction::Began => self.change(8, &TRANSACTION, &[0]),
            Transaction::Committed => self.change(9, &[0], &TRANSACTION),
            Transaction::RolledBack => self.change(10, &[0], &TRANSACTION),
        }
    }

    /// What follows a good login; `packet_bytes` is in force from here.
    pub async fn welcome(&mut self, database: &str, packet_bytes: usize) -> io::Result<()> {
        self.change(1, &short(database), &short("master"));
        let collation = [&[COLLATION.len() as u8][..], &COLLATION].concat();
        self.change(7, &collation, &[0]);
        self.change(4, &short(&packet_bytes.to_string()), &short("4096"));
        let mut token = BytesMut::new();
        token.put_u8(1);
        token.put_u32(0x7400_0004);
        put_short_text(&mut token, "Microsoft SQL Server");
        token.put_slice(&[16, 0, 0x10, 0]);
        self.buffer.put_u8(0xAD);
        self.buffer.put_u16_le(token.len() as u16);
        self.buffer.put_slice(&token);
        self.finish().await?;
        self.packet_bytes = packet_bytes;
        Ok(())
    }

    /// Ends the answer.
    pub async fn finish(&mut self) -> io::Result<()> {
        if self.is_cancelled() {
            return self.attention().await;
        }
        match self.request {
            Request::Batch => {
                let (status, rows) = self.pending.take().unwrap_or_default();
                put_done(&mut self.buffer, DONE, status, rows);
            }
            Request::Procedure => {
                self.settle();
                self.buffer.put_u8(0x79);
                self.buffer.put_i32_le(0);
                let status = if self.failed { ERROR } else { 0 };
                put_done(&mut self.buffer, DONE_PROCEDURE, status, 0);
            }
        }
        self.write(Until::Empty).await;
        self.broken.take().map_or(Ok(()), Err)
    }

    /// Ends what was answered so far by saying that the client's wish was heard.
    pub async fn attention(&mut self) -> io::Result<()> {
        self.pending = None;
        put_done(&mut self.buffer, DONE, ATTENTION, 0);
        self.write(Until::Empty).await;
        self.broken.take().map_or(Ok(()), Err)
    }

    fn change(&mut self, kind: u8, new: &[u8], old: &[u8]) {
        self.buffer.put_u8(0xE3);
        self.buffer.put_u16_le((1 + new.len() + old.len()) as u16);
        self.buffer.put_u8(kind);
        self.buffer.put_slice(new);
        self.buffer.put_slice(old);
    }

    fn settle(&mut self) {
        let kind = match self.request {
            Request::Batch => DONE,
            Request::Procedure => DONE_IN_PROCEDURE,
        };
        if let Some((status, rows)) = self.pending.take() {
            put_done(&mut self.buffer, kind, status | MORE, rows);
        }
    }

    async fn write(&mut self, until: Until) {
        let room = self.packet_bytes - HEADER_BYTES;
        while self.broken.is_none() && (until == Until::Empty || self.buffer.len() > room) {
            let chunk = self.buffer.split_to(self.buffer.len().min(room));
            let last = until == Until::Empty && self.buffer.is_empty();
            let packet = packet(ANSWER, u8::from(last), self.number, &chunk);
            self.number = self.number.wrapping_add(1);
            self.broken = self.to.write_all(&packet).await.err();
            if last {
                self.broken = self.broken.take().or(self.to.flush().await.err());
                return;
            }
        }
        if self.broken.is_some() {
            self.buffer.clear();
        }
    }
}

/// How far [`Answer::write`] goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// Full packets only.
    Full,
    /// To the end of the message.
    Empty,
}

fn put_done(buffer: &mut BytesMut, kind: u8, status: u16, rows: u64) {
    buffer.put_u8(kind);
    buffer.put_u16_le(status);
    buffer.put_u16_le(0xC1);
    buffer.put_u64_le(rows);
}

fn short(text: &str) -> BytesMut {
    let mut buffer = BytesMut::new();
    put_short_text(&mut buffer, text);
    buffer
}
