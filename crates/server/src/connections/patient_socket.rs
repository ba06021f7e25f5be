//! A socket whose reader may be slow, but not stand still.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use super::slots::Slot;

/// The socket of a connection, and its slot. Writing fails once there was something to write for some time, and the
/// other side has taken no byte of it.
pub(crate) struct PatientSocket {
    stream: TcpStream,
    peer: SocketAddr,
    patience: Duration,
    /// When patience ends. It counts while `is_stuck`.
    end: Pin<Box<Sleep>>,
    is_stuck: bool,
    /// Whether patience has ended.
    is_given_up: bool,
    slot: Slot,
}

impl PatientSocket {
    pub(super) fn new(stream: TcpStream, peer: SocketAddr, patience: Duration, slot: Slot) -> Self {
        Self { stream, peer, patience, end: Box::pin(sleep(patience)), is_stuck: false, is_given_up: false, slot }
    }

    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Whether writing has failed because nobody read.
    pub(crate) fn is_out_of_patience(&self) -> bool {
        self.is_stuck && self.end.is_elapsed()
    }

    /// Passes on the outcome of writing. Where nothing could be written, the task is woken when patience ends, too.
    fn written<T>(&mut self, context: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.is_stuck = false;
            return outcome;
        }
        if !self.is_stuck {
            self.is_stuck = true;
            self.end.as_mut().reset(Instant::now() + self.patience);
        }
        match self.end.as_mut().poll(context) {
            Poll::Ready(()) => {
                if !std::mem::replace(&mut self.is_given_up, true) {
                    self.slot.note_unread();
                }
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "nobody reads the answer")))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for PatientSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for PatientSocket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.written(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket has nothing to flush.
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use socket2::SockRef;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::connections::{ConnectionLimits, Door, Refusal};

    const PATIENCE: Duration = Duration::from_millis(100);

    async fn pair(patience: Duration) -> (TcpStream, PatientSocket) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let limits = ConnectionLimits { most: 1, of_a_peer: None, unread_answer: patience };
        let door = Door::open(listener.into(), limits, "--x", Refusal::new(b"")).unwrap();
        let (client, connection) = tokio::join!(TcpStream::connect(address), door.accept());
        (client.unwrap(), connection.patient())
    }

    #[tokio::test]
    async fn an_answer_that_nobody_reads_ends() {
        let (_client, mut socket) = pair(PATIENCE).await;
        let error = loop {
            // More than the system's buffers hold.
            if let Err(error) = socket.write_all(&[0; 1 << 20]).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let again = socket.write_all(&[0; 1 << 20]).await.unwrap_err();
        assert_eq!((again.kind(), socket.slot.unread()), (io::ErrorKind::TimedOut, 1), "it counts once");
    }

    #[tokio::test]
    async fn a_reader_may_take_longer_in_all() {
        const BYTES: usize = 64 << 20;
        let (mut client, mut socket) = pair(PATIENCE).await;
        let begun = Instant::now();
        let writing = async {
            socket.write_all(&vec![1; BYTES]).await.unwrap();
            drop(socket);
        };
        let reading = async {
            let (mut all, mut piece) = (0, vec![0; 2 << 20]);
            loop {
                let bytes = client.read(&mut piece).await.unwrap();
                all += bytes;
                if bytes == 0 {
                    return all;
                }
                tokio::time::sleep(PATIENCE / 10).await;
            }
        };
        let ((), all) = tokio::join!(writing, reading);
        assert_eq!(all, BYTES);
        assert!(begun.elapsed() > PATIENCE, "it took no longer than patience lasts");
    }

    #[tokio::test]
    async fn a_reader_who_takes_little_at_a_time_is_seen_to_read() {
        const LITTLE: usize = 4 << 10;
        let (mut client, mut socket) = pair(Duration::from_secs(3600)).await;
        SockRef::from(&client).set_recv_buffer_size(64 << 10).unwrap();
        while futures::poll!(std::pin::pin!(socket.write(&[0; 64 << 10]))).is_ready() {}
        let (mut taken, mut piece) = (0, [0; LITTLE]);
        while futures::poll!(std::pin::pin!(socket.write(&[0]))).is_pending() {
            taken += client.read(&mut piece).await.unwrap();
            assert!(taken < 512 << 10, "the writer does not know yet");
            // Lets the runtime look at the sockets.
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn silence_is_no_stall() {
        let (mut client, mut socket) = pair(PATIENCE).await;
        socket.write_all(b"one").await.unwrap();
        tokio::time::sleep(2 * PATIENCE).await;
        socket.write_all(b"two").await.unwrap();
        drop(socket);
        let mut all = Vec::new();
        client.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"onetwo");
    }
}
