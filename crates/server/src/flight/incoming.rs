//! The connections of clients, encrypted where they have to be.

use std::io;

use futures::Stream;
use futures::stream::unfold;
use tokio::task::JoinSet;

use super::socket::Socket;
use crate::connections::{Door, Encryption};
use crate::tls::Wire;

/// What a client is told that speaks plain text where TLS is spoken: settings of HTTP/2, and that it goes away, since
/// the security is inadequate. Clients show the words at the end.
pub(super) const PLAIN: &[u8] = b"\0\0\0\x04\0\0\0\0\0\
    \0\0\x41\x07\0\0\0\0\0\0\0\0\0\0\0\0\x0c\
    this port speaks TLS: connect to grpc+tls://, or with TLS";

/// The connections of a door, without an end. Each handshake is a task of its own, so that no client waits for another's.
pub(super) fn sockets(door: Door, encryption: Option<Encryption>) -> impl Stream<Item = io::Result<Socket>> {
    let handshakes = JoinSet::new();
    unfold((door, encryption, handshakes), |(door, encryption, mut handshakes)| async move {
        let wire = loop {
            tokio::select! {
                connection = door.accept() => match &encryption {
                    None => break Wire::Plain(connection.patient()),
                    Some(encryption) => {
                        let (encryption, peer) = (encryption.clone(), connection.peer);
                        handshakes.spawn(async move { encryption.of(connection.patient(), peer).await });
                    }
                },
                Some(shaken) = handshakes.join_next() => if let Ok(Some(wire)) = shaken {
                    break wire;
                },
            }
        };
        Some((Ok(Socket::new(wire)), (door, encryption, handshakes)))
    })
}

#[cfg(test)]
mod tests {
    use super::PLAIN;

    #[test]
    fn clients_in_plain_text_are_told_in_two_frames_of_http_2() {
        let (settings, goes_away) = PLAIN.split_at(9);
        assert_eq!(settings, [0, 0, 0, 4, 0, 0, 0, 0, 0]);
        let length = u32::from_be_bytes([0, goes_away[0], goes_away[1], goes_away[2]]);
        assert_eq!(length as usize, goes_away.len() - 9);
        assert_eq!(goes_away[3..17], [7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12]);
    }
}
