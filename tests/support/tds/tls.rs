//! TLS: TDS 7.4 carries the handshake in PRELOGIN packets, TDS 8.0 is TLS from the first byte.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, SupportedProtocolVersion, version};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsAcceptor;

use super::wire::{HEADER_BYTES, PRELOGIN, packet};

/// What the server does about encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// It has none.
    NotSupported,
    /// The login only, if the client wants no more.
    LoginOnly,
    /// All of it, or no connection.
    Required,
    /// As TDS 8.0 has it.
    Strict,
}

/// A certificate for `localhost` and 127.0.0.1, and what accepts connections with it.
pub struct Certificate {
    pub pem: String,
    tunnelled: TlsAcceptor,
    strict: TlsAcceptor,
}

impl Certificate {
    pub fn make() -> Self {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let acceptor = |version: &'static SupportedProtocolVersion, protocols: &[&[u8]]| {
            let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let mut config = ServerConfig::builder_with_provider(provider)
                .with_protocol_versions(&[version])
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![made.cert.der().clone()], key)
                .unwrap();
            config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            TlsAcceptor::from(Arc::new(config))
        };
        Self {
            pem: made.cert.pem(),
            // SQL Server tunnels TLS 1.2 and no later one.
            tunnelled: acceptor(&version::TLS12, &[]),
            strict: acceptor(&version::TLS13, &[b"tds/8.0"]),
        }
    }

    /// Accepts a handshake in PRELOGIN packets.
    pub async fn tunnel<S>(
        &self,
        stream: S,
    ) -> io::Result<tokio_rustls::server::TlsStream<Tunnel<S>>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut stream = self.tunnelled.accept(Tunnel::new(stream)).await?;
        stream.get_mut().0.open = false;
        Ok(stream)
    }

    /// Accepts a handshake from the first byte.
    pub async fn strict<S>(&self, stream: S) -> io::Result<tokio_rustls::server::TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.strict.accept(stream).await
    }
}

/// Takes the header off every packet of a handshake and puts one before what is answered; after the
/// handshake it lets everything pass.
pub struct Tunnel<S> {
    pub stream: S,
    open: bool,
    header: [u8; HEADER_BYTES],
    header_filled: usize,
    /// What is left of the packet.
    left: usize,
    /// What was answered and belongs into one packet.
    answer: Vec<u8>,
    /// The packet, and how much of it was written.
    packet: Vec<u8>,
    written: usize,
}

impl<S> Tunnel<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            open: true,
            header: [0; HEADER_BYTES],
            header_filled: 0,
            left: 0,
            answer: Vec::new(),
            packet: Vec::new(),
            written: 0,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tunnel<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = &mut *self;
        if !me.open {
            return Pin::new(&mut me.stream).poll_read(cx, into);
        }
        while me.left == 0 {
            let mut header = ReadBuf::new(&mut me.header[me.header_filled..]);
            ready!(Pin::new(&mut me.stream).poll_read(cx, &mut header))?;
            match header.filled().len() {
                0 => return Poll::Ready(Ok(())),
                length => me.header_filled += length,
            }
            if me.header_filled == HEADER_BYTES {
                let length = u16::from_be_bytes([me.header[2], me.header[3]]);
                me.left = usize::from(length).saturating_sub(HEADER_BYTES);
                me.header_filled = 0;
            }
        }
        let room = into.remaining().min(me.left);
        let mut part = ReadBuf::new(into.initialize_unfilled_to(room));
        ready!(Pin::new(&mut me.stream).poll_read(cx, &mut part))?;
        let length = part.filled().len();
        into.advance(length);
        me.left -= length;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tunnel<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.open {
            self.answer.extend_from_slice(from);
            return Poll::Ready(Ok(from.len()));
        }
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.stream).poll_write(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let me = &mut *self;
        if me.packet.is_empty() && !me.answer.is_empty() {
            me.packet = packet(PRELOGIN, 1, 0, &std::mem::take(&mut me.answer));
        }
        while me.written < me.packet.len() {
            let rest = &me.packet[me.written..];
            me.written += ready!(Pin::new(&mut me.stream).poll_write(cx, rest))?;
        }
        me.packet.clear();
        me.written = 0;
        Pin::new(&mut me.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
