//! How a connection becomes encrypted.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};

use super::{Tls, Wire};
use crate::once_per_minute::OncePerMinute;

/// The first byte of a client that speaks TLS at once.
pub(crate) const RECORD: u8 = 0x16;

/// The handshakes of one protocol. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Handshakes {
    config: Arc<ServerConfig>,
    patience: Duration,
    failed: Arc<OncePerMinute>,
}

impl Handshakes {
    /// Handshakes of the protocol that ALPN calls `protocol`, each of which may take as long as `patience`.
    ///
    /// # Errors
    /// Where the library for TLS has none of its versions.
    pub(crate) fn new(tls: &Tls, protocol: &'static str, patience: Duration) -> io::Result<Self> {
        let config = Arc::new(tls.config(protocol.as_bytes()).map_err(io::Error::other)?);
        let failed = OncePerMinute::new(move |number| {
            tracing::warn!(
                number,
                protocol,
                "connections were not encrypted: their clients speak plain text, do not trust the certificate, or are too slow; --log debug tells more of each"
            );
        });
        Ok(Self { config, patience, failed })
    }

    /// How long a client may take.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// Encrypts a connection of which the bytes `begun` have been read. `None` where it fails, of which the log tells.
    pub(crate) async fn complete<S>(&self, stream: S, begun: &[u8], peer: SocketAddr) -> Option<Wire<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let shaken = timeout(self.patience, self.shake(stream, begun)).await;
        match shaken.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "the handshake takes too long"))) {
            Ok(wire) => Some(wire),
            Err(error) => {
                self.fail(peer, &error);
                None
            }
        }
    }

    /// Notes a client with whom there is no encryption.
    pub(crate) fn fail(&self, peer: SocketAddr, reason: &dyn std::fmt::Display) {
        tracing::debug!(%peer, %reason, "a connection was not encrypted");
        self.failed.note();
    }

    async fn shake<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S, begun: &[u8]) -> io::Result<Wire<S>> {
        let (mut acceptor, mut begun) = (Acceptor::default(), begun);
        while !begun.is_empty() {
            acceptor.read_tls(&mut begun)?;
        }
        let start = match acceptor.accept() {
            Ok(Some(accepted)) => StartHandshake::from_parts(accepted, stream),
            Ok(None) => LazyConfigAcceptor::new(acceptor, stream).await?,
            Err((error, mut alert)) => {
                let mut told = Vec::new();
                alert.write_all(&mut told)?;
                stream.write_all(&told).await?;
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
        };
        let stream = start.into_stream(Arc::clone(&self.config)).await?;
        Ok(Wire::Tls(Box::new(stream)))
    }
}
