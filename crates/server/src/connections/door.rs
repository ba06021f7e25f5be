//! Accepting connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};

use super::PatientSocket;
use super::counts::DoorCounts;
use super::refusal::Refusal;
use super::slots::{ConnectionLimits, Slot, Slots};
use crate::listener::Listener;
use crate::once_per_minute::OncePerMinute;

/// The pause after no connection could be accepted, mostly because too many files are open.
const PAUSE: Duration = Duration::from_millis(100);

/// After as long without a word from the other machine it is asked whether it is still there, and with no answer to
/// some more questions the connection is over.
const ALIVE_AFTER: Duration = Duration::from_secs(60);
const ALIVE_EVERY: Duration = Duration::from_secs(15);
const ALIVE_QUESTIONS: u32 = 4;

/// A listener that keeps to the limits of its door.
pub(crate) struct Door {
    listener: TcpListener,
    limits: ConnectionLimits,
    slots: Arc<Slots>,
    refusal: Refusal,
    turned_away: Arc<OncePerMinute>,
    failed: Arc<OncePerMinute>,
}

/// A connection that was accepted.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    /// To be kept as long as the connection is there.
    pub(crate) slot: Slot,
    unread_answer: Duration,
}

impl Connection {
    /// The socket, which closes when nobody reads what is written to it.
    pub(crate) fn patient(self) -> PatientSocket {
        PatientSocket::new(self.stream, self.peer, self.unread_answer, self.slot)
    }
}

impl Door {
    /// Accepts the connections of `listener` within `limits`. `option` is the name of the option that sets the most;
    /// `refusal` tells one connection too many that it is.
    ///
    /// # Errors
    /// Where the system refuses a setting of the socket.
    pub(crate) fn open(
        listener: Listener,
        limits: ConnectionLimits,
        option: &'static str,
        refusal: Refusal,
    ) -> io::Result<Self> {
        let turned_away = OncePerMinute::new(move |number| {
            tracing::warn!(number, "connections were turned away; {option} and --connections-per-peer allow more");
        });
        let failed = OncePerMinute::new(move |number| {
            tracing::warn!(number, "connections could not be accepted for a while; mostly too many files are open");
        });
        let (listener, slots) = (listener.into_tokio()?, Slots::new(limits));
        Ok(Self { listener, limits, slots, refusal, turned_away, failed })
    }

    /// What is counted of its connections.
    pub(crate) fn counts(&self) -> DoorCounts {
        DoorCounts { slots: Arc::clone(&self.slots), turned_away: Arc::clone(&self.turned_away) }
    }

    /// Whether other machines can reach it.
    pub(crate) fn is_exposed(&self) -> bool {
        self.listener.local_addr().is_ok_and(|address| !address.ip().to_canonical().is_loopback())
    }

    /// The next connection for which there is a slot.
    pub(crate) async fn accept(&self) -> Connection {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => match self.slots.take(peer.ip()) {
                    Some(slot) => {
                        set_up(&stream);
                        return Connection { stream, peer, slot, unread_answer: self.limits.unread_answer };
                    }
                    None => {
                        self.turned_away.note();
                        self.refusal.tell(stream, peer);
                    }
                },
                Err(error) if is_of_the_client(&error) => {}
                Err(error) => {
                    tracing::debug!(%error, "a connection could not be accepted");
                    self.failed.note();
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Sends what there is to send at once, and finds out when the other machine has gone without a word, or is slow. Where
/// the system refuses that, the connection works all the same.
fn set_up(stream: &TcpStream) {
    let alive = TcpKeepalive::new().with_time(ALIVE_AFTER).with_interval(ALIVE_EVERY).with_retries(ALIVE_QUESTIONS);
    let socket = SockRef::from(stream);
    for set in [stream.set_nodelay(true), socket.set_tcp_keepalive(&alive), hold_little(&socket)] {
        if let Err(error) = set {
            tracing::debug!(%error, "a connection was not set up as it should be");
        }
    }
}

/// The system says that there is room for more once half of what waits to be sent has gone. It would hold megabytes of
/// that, and a reader who takes some kilobytes a second would seem to take none for minutes.
#[cfg(target_os = "linux")]
fn hold_little(socket: &SockRef<'_>) -> io::Result<()> {
    const UNSENT_BYTES: u32 = 128 << 10;
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)
}

#[cfg(not(target_os = "linux"))]
fn hold_little(_: &SockRef<'_>) -> io::Result<()> {
    Ok(())
}

/// Whether a client went away before it was let in.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn one_connection_too_many_is_told_so_and_others_come_in_once_there_is_room() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let limits = ConnectionLimits { most: 1, of_a_peer: None, unread_answer: ALIVE_AFTER };
        let door = Door::open(listener.into(), limits, "--x", Refusal::new(b"full")).unwrap();
        let (_first, let_in) = tokio::join!(TcpStream::connect(address), door.accept());
        let (mut second, mut third) = tokio::join!(
            async {
                let mut second = TcpStream::connect(address).await.unwrap();
                let mut words = Vec::new();
                second.read_to_end(&mut words).await.unwrap();
                assert_eq!(words, b"full");
                drop(let_in);
                TcpStream::connect(address).await.unwrap()
            },
            async { door.accept().await.stream }
        );
        tokio::io::AsyncWriteExt::write_all(&mut third, b"in").await.unwrap();
        drop(third);
        let mut words = Vec::new();
        second.read_to_end(&mut words).await.unwrap();
        assert_eq!(words, b"in");
    }
}
