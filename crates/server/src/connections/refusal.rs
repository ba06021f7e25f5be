//! Telling a client that there are too many.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::encryption::Encryption;
use super::farewell::say;
use crate::tls::Wire;

/// As many clients are told at a time. Beyond them the connection is closed without a word, so that refusing costs no
/// more than a few connections.
const TOLD_AT_ONCE: usize = 64;

/// How long the client has to read it.
const PATIENCE: Duration = Duration::from_secs(1);

/// How a connection comes to the point from which its client understands words of the protocol.
type Opening = dyn Fn(TcpStream, SocketAddr) -> BoxFuture<'static, Option<Wire<TcpStream>>> + Send + Sync;

/// What a door tells a client whose connection is one too many.
#[derive(Clone)]
pub(crate) struct Refusal {
    words: &'static [u8],
    opening: Option<Arc<Opening>>,
    turns: Arc<Semaphore>,
}

impl Refusal {
    /// `words` are bytes of the door's protocol; with none, the connection is just closed.
    pub(crate) fn new(words: &'static [u8]) -> Self {
        Self { words, opening: None, turns: Arc::new(Semaphore::new(TOLD_AT_ONCE)) }
    }

    /// The same over connections that `encryption` encrypts, if there is any.
    pub(crate) fn encrypted(self, encryption: Option<&Encryption>) -> Self {
        let Some(encryption) = encryption.cloned() else { return self };
        self.after(move |stream, peer| {
            let encryption = encryption.clone();
            async move { encryption.of(stream, peer).await }.boxed()
        })
    }

    /// The same over connections which `opening` has brought to the point from which clients understand.
    pub(crate) fn after(
        self,
        opening: impl Fn(TcpStream, SocketAddr) -> BoxFuture<'static, Option<Wire<TcpStream>>> + Send + Sync + 'static,
    ) -> Self {
        Self { opening: Some(Arc::new(opening)), ..self }
    }

    /// Tells it, and closes the connection. Nobody waits for this.
    pub(super) fn tell(&self, stream: TcpStream, peer: SocketAddr) {
        let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() else { return };
        if self.words.is_empty() {
            return;
        }
        let this = self.clone();
        tokio::spawn(async move {
            let told = async {
                let wire = match &this.opening {
                    Some(open) => open(stream, peer).await,
                    None => Some(Wire::Plain(stream)),
                };
                if let Some(wire) = wire {
                    // A client that does not listen has nothing to be told.
                    let _ = say(wire, this.words).await;
                }
            };
            let _ = tokio::time::timeout(PATIENCE, told).await;
            drop(turn);
        });
    }
}
