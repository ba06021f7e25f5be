//! The answer to a SQL statement. A short answer is sent when it is whole, a long one while it is computed.

use std::io;
use std::time::Duration;

use axum::body::Body;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::value::RawValue;
use skillscope_query::{SqlRows, SqlSession, SqlTask};
use tokio::sync::{mpsc, oneshot};

use super::parameters::bound;
use crate::http::problem::Problem;
use crate::{RowFormat, RowWriter};

/// As many bytes of an answer are held back before its status is sent. A statement that fails before is answered with a
/// problem document.
const HELD_BYTES: usize = 4 << 20;

/// Bytes that are sent at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// How long to wait, after the last bytes of a failed answer, before the connection is broken off. Bytes that have not
/// left by then are lost.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How a text in UTF-8 begins that says so.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Chunks that are written before the client has read the ones before them.
const CHUNKS_AHEAD: usize = 2;

/// What is asked for.
pub(super) struct Asked {
    pub(super) query: String,
    /// The values of `$1`, `$2` …
    pub(super) parameters: Vec<Box<RawValue>>,
    pub(super) format: RowFormat,
    /// Whether CSV begins with a byte order mark.
    pub(super) has_mark: bool,
    pub(super) max_rows: u64,
}

/// Runs a statement, and returns its rows as the body of an answer.
///
/// # Errors
/// Where the statement fails while its rows are still held back.
pub(super) async fn answer(session: SqlSession, asked: Asked) -> Result<Body, Problem> {
    let (begun, beginning) = oneshot::channel();
    // Writing rows is work for the threads of SQL too.
    let task = session.spawn(Answer { asked, rows: 0 }.write(session.clone(), begun));
    match beginning.await {
        Ok(Beginning { first, rest }) => Ok(body_of(first, rest, task)),
        // The task ended before there was anything to send.
        Err(_) => Ok(Body::from(task.await??)),
    }
}

/// The beginning of a long answer.
struct Beginning {
    first: Vec<u8>,
    rest: mpsc::Receiver<io::Result<Vec<u8>>>,
}

/// The body of a long answer. It is dropped when the client goes, which ends the statement.
fn body_of(first: Vec<u8>, rest: mpsc::Receiver<io::Result<Vec<u8>>>, task: SqlTask<Result<Vec<u8>, Problem>>) -> Body {
    let rest = stream::unfold((rest, Some(task)), |(mut rest, task)| async move {
        if let Some(chunk) = rest.recv().await {
            return Some((chunk, (rest, task)));
        }
        // There are no more chunks, either because the answer is whole or because its task was ended.
        match task?.await {
            Ok(Ok(_)) => None,
            _ => Some((Err(io::Error::other("the statement was ended")), (rest, None))),
        }
    });
    Body::from_stream(stream::once(async { Ok(first) }).chain(rest).fuse())
}

/// The answer to one statement.
struct Answer {
    asked: Asked,
    rows: u64,
}

impl Answer {
    /// Writes all rows. Of a short answer it returns the bytes. Of a long one it hands the first bytes to `begun`,
    /// sends the others, and returns none.
    async fn write(mut self, session: SqlSession, begun: oneshot::Sender<Beginning>) -> Result<Vec<u8>, Problem> {
        let Asked { query, parameters, format, has_mark, .. } = &self.asked;
        let values = bound(&session, query, parameters).await?;
        let mut rows = session.run(query, values).await?;
        let mut writer = RowWriter::new(*format, &rows.schema()).map_err(|error| self.unwritable(&error))?;
        let mark: &[u8] = if *has_mark && *format == RowFormat::Csv { BYTE_ORDER_MARK } else { b"" };
        while let Some(batch) = self.next(&mut rows).await? {
            writer.write(&batch).map_err(|error| self.unwritable(&error))?;
            if writer.length() >= HELD_BYTES {
                let (chunks, rest) = mpsc::channel(CHUNKS_AHEAD);
                // An error means that the client has gone.
                if begun.send(Beginning { first: [mark, &writer.take()].concat(), rest }).is_ok() {
                    self.stream(rows, writer, chunks).await;
                }
                return Ok(Vec::new());
            }
        }
        writer.finish().map_err(|error| self.unwritable(&error))?;
        Ok([mark, &writer.take()].concat())
    }

    async fn stream(mut self, mut rows: SqlRows, mut writer: RowWriter, chunks: mpsc::Sender<io::Result<Vec<u8>>>) {
        let failed = loop {
            let written = match self.next(&mut rows).await {
                Ok(Some(batch)) => writer.write(&batch),
                Ok(None) => match writer.finish() {
                    Ok(()) => break None,
                    Err(error) => Err(error),
                },
                Err(problem) => break Some(problem),
            };
            if let Err(error) = written {
                break Some(self.unwritable(&error));
            }
            if writer.length() >= CHUNK_BYTES && chunks.send(Ok(writer.take())).await.is_err() {
                return;
            }
        };
        let mut last = writer.take();
        if let Some(problem) = &failed {
            // The status has been sent already, so the reason can only stand at the end of the answer.
            last.push(b'\n');
            last.extend(serde_json::to_vec(problem).unwrap_or_default());
            last.push(b'\n');
        }
        if chunks.send(Ok(last)).await.is_ok() && failed.is_some() {
            tokio::time::sleep(LAST_WORDS).await;
            let _ = chunks.send(Err(io::Error::other("the statement failed"))).await;
        }
    }

    /// The next rows; an error once there are more than the limit.
    async fn next(&mut self, rows: &mut SqlRows) -> Result<Option<arrow::array::RecordBatch>, Problem> {
        let Some(batch) = rows.try_next().await? else { return Ok(None) };
        self.rows = self.rows.saturating_add(batch.num_rows() as u64);
        let most = self.asked.max_rows;
        if self.rows > most {
            return Err(Problem::invalid_query(format!(
                "the answer has more than {most} rows, which is the most over HTTP; ask with a LIMIT"
            )));
        }
        Ok(Some(batch))
    }

    fn unwritable(&self, error: &arrow::error::ArrowError) -> Problem {
        let format = self.asked.format.content_type();
        Problem::invalid_query(format!("the answer cannot be written as {format}: {error}"))
    }
}
