//! The route that copies the data directory.

use std::io::{self, Write};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use skillscope_store::Backup;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use utoipa::IntoParams;

use super::openapi::{Binary, problem_responses};
use super::problem::Problem;
use crate::App;
use crate::caller::Caller;

/// Bytes that are sent at a time.
const CHUNK_BYTES: usize = 1 << 18;

/// Chunks that may wait for a slow client.
const WAITING_CHUNKS: usize = 4;

problem_responses! {
    BackupProblems {
        400: "A parameter is wrong.",
        403: "A web page of another origin asks for it.",
        503: "Another backup is under way, or it could not be read.",
        507: "The disk is full.",
    }
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct BackupQuery {
    /// `false` leaves out the files under `archive/`, for a process on the same machine that reads them where they are.
    #[param(default = true)]
    archive: Option<bool>,
}

/// Whether the files under `archive/` go along.
fn with_archive(query: Option<&str>) -> Result<bool, Problem> {
    const NAME: &str = "archive";
    let mut with_archive = true;
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        with_archive = match (name.as_ref(), value.as_ref()) {
            (NAME, "true") => true,
            (NAME, "false") => false,
            (NAME, _) => {
                return Err(Problem::invalid_parameter("it is true or false").blaming(NAME, Some(value.into_owned())));
            }
            _ => return Err(Problem::invalid_parameter("there is no such parameter").blaming(&name, None)),
        };
    }
    Ok(with_archive)
}

/// Copy the data directory.
///
/// The answer is the data directory as it is now, as a tar archive whose last file is `format-version`: without that
/// it was cut short. One copy is made at a time.
#[utoipa::path(post, path = "/v1/backup", operation_id = "backup", tag = "operation", params(BackupQuery), responses(
    (status = 200, description = "The data directory.", body = inline(Binary), content_type = "application/x-tar"),
    BackupProblems,
))]
pub(super) async fn post(
    State(app): State<App>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    caller.check_all()?;
    let with_archive = with_archive(query.as_deref())?;
    let Some(turn) = app.begin_backup(with_archive).await else {
        return Err(Problem::busy("another backup is under way; ask again when it has ended"));
    };
    let store = app.store();
    let threads = &app.threads().backup;
    // Whoever asked may go before the copy is noted. The turn ends only then, so it goes along.
    let noted = threads.run("", move |_| {
        let backup = if with_archive { store.backup() } else { store.backup_to_link() };
        (backup, turn)
    });
    let noted = noted.await;
    let (backup, turn) =
        noted.map_err(|_| Problem::internal("the backup could not be made; the server's log says why"))?;
    let backup = backup?;
    let (sender, receiver) = channel(WAITING_CHUNKS);
    let statistics = Arc::clone(app.statistics());
    threads.spawn("", move || {
        let is_whole = send(&backup, with_archive, &sender);
        // Without the archive it is no backup that anybody keeps.
        if with_archive {
            statistics.note_backup(is_whole);
        }
        // What is held for the copy is free before the next one begins, and whoever has read the end may begin it.
        drop(backup);
        drop(turn);
        drop(sender);
    });
    let body = Body::from_stream(stream::unfold(receiver, next).fuse());
    Ok(([(CONTENT_TYPE, "application/x-tar")], body).into_response())
}

async fn next(mut receiver: Receiver<io::Result<Bytes>>) -> Option<(io::Result<Bytes>, Receiver<io::Result<Bytes>>)> {
    Some((receiver.recv().await?, receiver))
}

/// Sends a backup, and tells whether it went whole. Where it did not, the connection is broken off.
fn send(backup: &Backup, with_archive: bool, sender: &Sender<io::Result<Bytes>>) -> bool {
    let mut out = ChunkWriter { chunk: Vec::with_capacity(CHUNK_BYTES), sender: sender.clone() };
    let written = if with_archive { backup.write_to(&mut out) } else { backup.write_without_archive_to(&mut out) };
    let is_whole = written.is_ok();
    if let Err(error) = written {
        tracing::error!(%error, "a backup was cut short");
        let _ = sender.blocking_send(Err(io::Error::other(error)));
    }
    is_whole
}

/// Sends what is written to it in chunks.
struct ChunkWriter {
    chunk: Vec<u8>,
    sender: Sender<io::Result<Bytes>>,
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = CHUNK_BYTES.saturating_sub(self.chunk.len()).max(1);
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.chunk.extend_from_slice(taken);
        if self.chunk.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let chunk = Bytes::from(std::mem::take(&mut self.chunk));
        self.sender.blocking_send(Ok(chunk)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
