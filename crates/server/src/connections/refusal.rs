//! Telling a client that there are too many.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// As many clients are told at a time. Beyond them the connection is closed without a word, so that refusing costs no
/// more than a few connections.
const TOLD_AT_ONCE: usize = 64;

/// How long the client has to read it.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a door tells a client whose connection is one too many.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    words: &'static [u8],
    turns: Arc<Semaphore>,
}

impl Refusal {
    /// `words` are bytes of the door's protocol; with none, the connection is just closed.
    pub(super) fn new(words: &'static [u8]) -> Self {
        Self { words, turns: Arc::new(Semaphore::new(TOLD_AT_ONCE)) }
    }

    /// Tells it, and closes the connection. Nobody waits for this.
    pub(super) fn tell(&self, mut stream: TcpStream) {
        let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() else { return };
        if self.words.is_empty() {
            return;
        }
        let words = self.words;
        tokio::spawn(async move {
            let told = async {
                stream.write_all(words).await?;
                stream.shutdown().await?;
                // Closed with unread bytes of the client, the connection would be reset, and the words lost.
                let mut unread = [0; 1024];
                while stream.read(&mut unread).await? > 0 {}
                std::io::Result::Ok(())
            };
            // A client that does not listen has nothing to be told.
            let _ = tokio::time::timeout(PATIENCE, told).await;
            drop(turn);
        });
    }
}
