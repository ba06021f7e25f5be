//! The route that copies the data directory.

use std::io::{self, Write};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::stream;
use skillscope_store::Backup;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::openapi::problem_responses;
use super::problem::Problem;
use crate::App;
use crate::caller::Caller;

/// Bytes that are sent at a time.
const CHUNK_BYTES: usize = 1 << 18;

/// Chunks that may wait for a slow client.
const WAITING_CHUNKS: usize = 4;

problem_responses! {
    BackupProblems {
        503: "It could not be read.",
        507: "The disk is full.",
    }
}

/// Copy the data directory.
///
/// The answer is the data directory as it is now, as a tar archive whose last file is `format-version`: without that
/// it was cut short.
#[utoipa::path(get, path = "/v1/backup", tag = "operation", responses(
    (status = 200, description = "The data directory.", body = Vec<u8>, content_type = "application/x-tar"),
    BackupProblems,
))]
pub(super) async fn get(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    caller.check_all()?;
    let store = app.store();
    let backup = tokio::task::spawn_blocking(move || store.backup()).await.map_err(|error| {
        tracing::error!(%error, "a backup stopped");
        Problem::internal("the backup could not be made; the server's log says why")
    })??;
    let (sender, receiver) = channel(WAITING_CHUNKS);
    tokio::task::spawn_blocking(move || send(&backup, sender));
    let body = Body::from_stream(stream::unfold(receiver, next));
    Ok(([(CONTENT_TYPE, "application/x-tar")], body).into_response())
}

async fn next(mut receiver: Receiver<io::Result<Bytes>>) -> Option<(io::Result<Bytes>, Receiver<io::Result<Bytes>>)> {
    Some((receiver.recv().await?, receiver))
}

/// Sends a backup. Where that fails, the connection is broken off.
fn send(backup: &Backup, sender: Sender<io::Result<Bytes>>) {
    let mut out = ChunkWriter { chunk: Vec::with_capacity(CHUNK_BYTES), sender: sender.clone() };
    if let Err(error) = backup.write_to(&mut out) {
        tracing::error!(%error, "a backup was cut short");
        let _ = sender.blocking_send(Err(io::Error::other(error)));
    }
}

/// Sends what is written to it in chunks.
struct ChunkWriter {
    chunk: Vec<u8>,
    sender: Sender<io::Result<Bytes>>,
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let chunk = Bytes::from(std::mem::take(&mut self.chunk));
        self.sender.blocking_send(Ok(chunk)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
