//! The encryption of protocols whose clients begin with it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::timeout;

use super::farewell::say;
use crate::tls::{Handshakes, RECORD, Wire};

/// How long a client that speaks plain text has to read that it should not.
const PATIENCE: Duration = Duration::from_secs(1);

/// How connections of a protocol are encrypted whose first word is that of TLS. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Encryption {
    handshakes: Handshakes,
    plain: &'static [u8],
}

impl Encryption {
    /// `plain` is what a client is told that speaks the protocol in plain text, in its words.
    pub(crate) fn new(handshakes: Handshakes, plain: &'static [u8]) -> Self {
        Self { handshakes, plain }
    }

    /// Encrypts a connection. `None` where its client does not, or goes.
    pub(crate) async fn of<S>(&self, mut stream: S, peer: SocketAddr) -> Option<Wire<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut first = [0];
        let read = timeout(self.handshakes.patience(), stream.read(&mut first)).await;
        match read {
            Ok(Ok(1)) if first == [RECORD] => self.handshakes.complete(stream, &first, peer).await,
            Ok(Ok(1)) => {
                self.handshakes.fail(peer, &"the client speaks plain text");
                let _ = timeout(PATIENCE, say(stream, self.plain)).await;
                None
            }
            // Nothing was said: many look in this way whether a server is there.
            Ok(_) => None,
            Err(_) => {
                self.handshakes.fail(peer, &"the client does not begin to speak");
                None
            }
        }
    }
}
