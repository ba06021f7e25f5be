//! The connection of a client.

use std::future::Future;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tonic::transport::server::{Connected, TcpConnectInfo};

use crate::connections::PatientSocket;
use crate::tls::Wire;

/// How long a client may take to say that it speaks HTTP/2.
pub(super) const FIRST_WORD: Duration = Duration::from_secs(10);

/// How HTTP/2 begins takes this many bytes. Only after them are clients asked whether they are still there.
const FIRST_WORD_BYTES: usize = 24;

/// A connection that fails when its client does not begin to speak.
pub(super) struct Socket {
    stream: Wire<PatientSocket>,
    /// When the first bytes must have come; `None` once they have.
    first_word: Option<Pin<Box<Sleep>>>,
    heard_bytes: usize,
}

impl Socket {
    pub(super) fn new(stream: Wire<PatientSocket>) -> Self {
        Self { stream, first_word: Some(Box::pin(sleep(FIRST_WORD))), heard_bytes: 0 }
    }
}

impl Connected for Socket {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        TcpConnectInfo { local_addr: None, remote_addr: Some(self.stream.stream().peer()) }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(first_word) = &mut self.first_word
            && first_word.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the client does not begin to speak")));
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buf);
        self.heard_bytes = self.heard_bytes.saturating_add(buf.filled().len().saturating_sub(before));
        if self.heard_bytes >= FIRST_WORD_BYTES {
            self.first_word = None;
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
