//! Telling a client why its connection ends.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Says some last words, and waits until the client has closed the connection.
///
/// # Errors
/// Where the client is gone.
pub(super) async fn say<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, words: &[u8]) -> io::Result<()> {
    stream.write_all(words).await?;
    stream.shutdown().await?;
    // Closed with unread bytes of the client, the connection would be reset, and the words lost.
    let mut unread = [0; 1024];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}
