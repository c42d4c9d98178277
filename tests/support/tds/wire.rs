//! Packets, and the pieces that messages are made of.

use std::io;

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::errors::SqlError;
use super::text;

/// What a packet's header counts itself.
pub const HEADER_BYTES: usize = 8;

/// Kinds of messages.
pub const BATCH: u8 = 1;
pub const RPC: u8 = 3;
pub const ANSWER: u8 = 4;
pub const ATTENTION: u8 = 6;
pub const BULK: u8 = 7;
pub const TRANSACTION: u8 = 14;
pub const LOGIN: u8 = 16;
pub const PRELOGIN: u8 = 18;

/// All packets up to the one that ends a message.
#[derive(Debug)]
pub struct Message {
    pub kind: u8,
    pub body: Vec<u8>,
}

/// The next message; none when the client is gone.
pub async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Message>> {
    let mut body = Vec::new();
    loop {
        let mut header = [0; HEADER_BYTES];
        match from.read_exact(&mut header).await {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof && body.is_empty() => {
                return Ok(None);
            }
            outcome => outcome?,
        };
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let start = body.len();
        let length = length.checked_sub(HEADER_BYTES).ok_or(io::ErrorKind::InvalidData)?;
        body.resize(start + length, 0);
        from.read_exact(&mut body[start..]).await?;
        if header[1] & 1 == 1 {
            return Ok(Some(Message { kind: header[0], body }));
        }
    }
}

/// A packet around `chunk`; `last` says 1 where the message ends.
pub fn packet(kind: u8, last: u8, number: u8, chunk: &[u8]) -> Vec<u8> {
    let length = (chunk.len() + HEADER_BYTES) as u16;
    let mut packet = vec![kind, last, 0, 0, 0, 0, number, 0];
    packet[2..4].copy_from_slice(&length.to_be_bytes());
    packet.extend_from_slice(chunk);
    packet
}

/// Reads the parts of a message; what is too short is a protocol error, never a panic.
#[derive(Debug, Clone)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], SqlError> {
        if self.0.len() < length {
            return Err(SqlError::protocol("a message is too short"));
        }
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        Ok(bytes)
    }

    /// An unsigned number of `length` bytes, the lowest first.
    pub fn number(&mut self, length: usize) -> Result<u64, SqlError> {
        Ok(number(self.bytes(length)?) as u64)
    }

    pub fn byte(&mut self) -> Result<u8, SqlError> {
        Ok(self.bytes(1)?[0])
    }

    /// A text with its number of characters in one byte before it.
    pub fn short_text(&mut self) -> Result<String, SqlError> {
        let characters = usize::from(self.byte()?);
        Ok(text::from_utf16(self.bytes(characters * 2)?))
    }

    /// A value in parts of any length; none for NULL.
    pub fn parts(&mut self) -> Result<Option<Vec<u8>>, SqlError> {
        if self.number(8)? == u64::MAX {
            return Ok(None);
        }
        let mut whole = Vec::new();
        loop {
            match self.number(4)? as usize {
                0 => return Ok(Some(whole)),
                length => whole.extend_from_slice(self.bytes(length)?),
            }
        }
    }

    /// Goes over the headers of a request.
    pub fn skip_headers(&mut self) -> Result<(), SqlError> {
        let length = self.clone().number(4)? as usize;
        self.bytes(length).map(drop)
    }
}

/// An unsigned number, the lowest byte first.
pub fn number(bytes: &[u8]) -> u128 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// A text with its number of characters in one byte before it.
pub fn put_short_text(buffer: &mut BytesMut, value: &str) {
    let at = buffer.len();
    buffer.put_u8(0);
    text::put_utf16(buffer, value);
    buffer[at] = ((buffer.len() - at) / 2) as u8;
}

/// A text with its number of characters in two bytes before it.
pub fn put_text(buffer: &mut BytesMut, value: &str) {
    let at = buffer.len();
    buffer.put_u16_le(0);
    text::put_utf16(buffer, value);
    let characters = ((buffer.len() - at - 2) / 2) as u16;
    buffer[at..at + 2].copy_from_slice(&characters.to_le_bytes());
}

/// What the client says of itself.
#[derive(Debug)]
pub struct Login {
    pub user: String,
    pub password: String,
    /// Empty for the login's own.
    pub database: String,
    pub packet_bytes: usize,
}

impl Login {
    pub fn parse(body: &[u8]) -> Result<Self, SqlError> {
        let field = |at: usize| {
            let mut reader = Reader(body.get(at..).unwrap_or_default());
            let (start, characters) = (reader.number(2)? as usize, reader.number(2)? as usize);
            Reader(body.get(start..).unwrap_or_default()).bytes(characters * 2)
        };
        let password: Vec<u8> = field(44)?.iter().map(|b| (b ^ 0xA5).rotate_right(4)).collect();
        let mut packet = Reader(body);
        packet.bytes(8)?;
        Ok(Self {
            user: text::from_utf16(field(40)?),
            password: text::from_utf16(&password),
            database: text::from_utf16(field(68)?),
            packet_bytes: (packet.number(4)? as usize).clamp(512, 32767),
        })
    }
}

/// The `ENCRYPTION` byte that a client asks for in its PRELOGIN.
pub fn asked_encryption(body: &[u8]) -> Option<u8> {
    let mut options = body;
    while options.len() >= 5 && options[0] != 0xFF {
        let (kind, offset) =
            (options[0], usize::from(u16::from_be_bytes([options[1], options[2]])));
        if kind == 1 {
            return body.get(offset).copied();
        }
        options.advance(5);
    }
    None
}
