use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use skillscope_query::{Scope, SqlRows, SqlSession, SqlTask};
use skillscope_segment::AccountId;
use tokio::sync::{mpsc, oneshot};
use utoipa::ToSchema;

use super::Problem;
use super::negotiation::{accepted, named, refused};
use crate::{App, RowFormat, RowWriter};

/// So much of an answer is held back before its status is sent: what fails until then fails with a problem document.
const HELD_BYTES: usize = 4 << 20;

/// What is sent at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// How long the last words of an answer that is broken off have to get on their way.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Chunks that are written ahead of whoever reads them.
const CHUNKS_AHEAD: usize = 2;

/// A statement to run.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct SqlBody {
    /// A statement that reads, in DataFusion's dialect of SQL, over the table `segments`, its views, and the schema `system`.
    #[schema(example = "select skill_id, count(*) as segments from segments group by skill_id")]
    query: String,
    /// The only account whose rows are seen; absent, all are.
    #[schema(example = "demo")]
    account: Option<String>,
}

/// Run a SQL statement that reads.
///
/// The rows come as they are computed. Where the statement fails after some megabytes of them, the status has been sent: the
/// last line is a problem document then, and the connection is broken off.
#[utoipa::path(post, path = "/v1/sql", tag = "sql", request_body = SqlBody,
    responses(
        (status = 200, description = "The rows; times are RFC 3339.", content(
            (Vec<Object> = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.apache.arrow.stream"),
        )),
        (status = 400, description = "The body or the statement is wrong, or the answer is too long.", body = Problem,
            content_type = "application/problem+json"),
        (status = 406, description = "None of the formats is accepted.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The statement was ended on request.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is no JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The statement took too long.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The statement needs more memory than there is, too many run at once, or a file cannot be read now.",
            body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn post(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    named(&headers, CONTENT_TYPE, &[("application/json", ())], None)?;
    let format = accepted(&headers, &RowFormat::MEDIA_TYPES)?;
    let body = body.map_err(|rejection| refused(&rejection, app.max_body_bytes()))?;
    let body: SqlBody = serde_json::from_slice(&body).map_err(|error| Problem::invalid_body(error.to_string()))?;
    let scope = body.account.map_or(Ok(Scope::All), |account| scope_of(&account))?;
    let session = app.engine().sql(scope, "http");
    let (begun, beginning) = oneshot::channel();
    let answer = Answer { format, max_rows: app.max_sql_rows(), rows: 0 };
    // Also the writing of rows is work for the threads of SQL.
    let task = session.spawn(answer.write(session.clone(), body.query, begun));
    let body = match beginning.await {
        Ok(Beginning { first, rest }) => body_of(first, rest, task),
        // The task ended before there was anything to send.
        Err(_) => Body::from(task.await??),
    };
    Ok((
        [(CONTENT_TYPE, HeaderValue::from_static(format.content_type())), (VARY, HeaderValue::from_static("accept"))],
        body,
    )
        .into_response())
}

fn scope_of(account: &str) -> Result<Scope, Problem> {
    let parsed = AccountId::parse(account);
    let parsed = parsed
        .map_err(|error| Problem::invalid_parameter(error.to_string()).blaming("account", Some(account.to_owned())))?;
    Ok(Scope::Account(parsed))
}

/// The beginning of a long answer.
struct Beginning {
    first: Vec<u8>,
    rest: mpsc::Receiver<io::Result<Vec<u8>>>,
}

/// Dropping the body, because the client has gone, ends the statement.
fn body_of(first: Vec<u8>, rest: mpsc::Receiver<io::Result<Vec<u8>>>, task: SqlTask<Result<Vec<u8>, Problem>>) -> Body {
    let rest = stream::unfold((rest, Some(task)), |(mut rest, task)| async move {
        if let Some(chunk) = rest.recv().await {
            return Some((chunk, (rest, task)));
        }
        // Whoever writes may have ended before the answer did.
        match task?.await {
            Ok(Ok(_)) => None,
            _ => Some((Err(io::Error::other("the statement was ended")), (rest, None))),
        }
    });
    Body::from_stream(stream::once(async { Ok(first) }).chain(rest))
}

/// The answer to one statement.
struct Answer {
    format: RowFormat,
    max_rows: u64,
    rows: u64,
}

impl Answer {
    /// Writes all rows, and gives them where they are few; of many it gives the first to `begun`, and sends the rest.
    async fn write(
        mut self,
        session: SqlSession,
        query: String,
        begun: oneshot::Sender<Beginning>,
    ) -> Result<Vec<u8>, Problem> {
        let mut rows = session.run(&query, Vec::new()).await?;
        let mut writer = RowWriter::new(self.format, &rows.schema()).map_err(|error| self.unwritable(&error))?;
        while let Some(batch) = self.next(&mut rows).await? {
            writer.write(&batch).map_err(|error| self.unwritable(&error))?;
            if writer.length() >= HELD_BYTES {
                let (chunks, rest) = mpsc::channel(CHUNKS_AHEAD);
                // An error means that the client has gone.
                if begun.send(Beginning { first: writer.take(), rest }).is_ok() {
                    self.stream(rows, writer, chunks).await;
                }
                return Ok(Vec::new());
            }
        }
        writer.finish().map_err(|error| self.unwritable(&error))?;
        Ok(writer.take())
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
            // The status has been sent. Whoever looks at the end of a broken answer finds the reason.
            last.push(b'\n');
            last.extend(serde_json::to_vec(problem).unwrap_or_default());
            last.push(b'\n');
        }
        if chunks.send(Ok(last)).await.is_ok() && failed.is_some() {
            // What was not sent before a connection is broken off is dropped.
            tokio::time::sleep(LAST_WORDS).await;
            let _ = chunks.send(Err(io::Error::other("the statement failed"))).await;
        }
    }

    /// The next rows, as long as they are not too many.
    async fn next(&mut self, rows: &mut SqlRows) -> Result<Option<arrow::array::RecordBatch>, Problem> {
        let Some(batch) = rows.try_next().await? else { return Ok(None) };
        self.rows = self.rows.saturating_add(batch.num_rows() as u64);
        if self.rows > self.max_rows {
            let most = self.max_rows;
            return Err(Problem::invalid_query(format!(
                "the answer has more than {most} rows, which is the most over HTTP; ask with a LIMIT"
            )));
        }
        Ok(Some(batch))
    }

    fn unwritable(&self, error: &arrow::error::ArrowError) -> Problem {
        let format = self.format.content_type();
        Problem::invalid_query(format!("the answer cannot be written as {format}: {error}"))
    }
}
