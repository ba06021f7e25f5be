use std::panic::AssertUnwindSafe;

use arrow::record_batch::RecordBatch;
use arrow_json::writer::{JsonArray, WriterBuilder};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures::{FutureExt, TryStreamExt};
use serde::Deserialize;
use skillscope_query::SqlQuery;
use utoipa::ToSchema;

use crate::body::{named, refused};
use crate::{App, Problem};

/// The most rows in one answer.
const MAX_ROWS: usize = 100_000;

/// The most memory for the rows of one answer, in bytes.
const MAX_ANSWER_BYTES: usize = 256 << 20;

/// RFC 3339 for times that name no zone, which are in UTC like all others here.
const TIME_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.fZ";

/// A statement to run.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct SqlBody {
    /// A statement that reads, in DataFusion's dialect of SQL; the table is `segments`.
    #[schema(example = "select skill_id, count(*) as segments from segments group by skill_id")]
    query: String,
    /// The only account whose rows are seen; absent, all are.
    #[schema(example = "demo")]
    account: Option<String>,
}

/// Run a SQL statement that reads.
#[utoipa::path(post, path = "/v1/sql", tag = "sql", request_body = SqlBody,
    responses(
        (status = 200, description = "The rows, as an array of objects; times are RFC 3339.", body = Vec<Object>),
        (status = 400, description = "The body or the statement is wrong, or the answer is too long.", body = Problem,
            content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is no JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The statement needs more memory than there is, or a file that cannot be read now.", body = Problem,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn post(
    State(app): State<App>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    named(&headers, CONTENT_TYPE, &[("application/json", ())], None)?;
    let body = body.map_err(|rejection| refused(&rejection, app.max_body_bytes()))?;
    let body: SqlBody = serde_json::from_slice(&body).map_err(|error| Problem::invalid_body(error.to_string()))?;
    let query = SqlQuery { text: body.query, account: body.account };
    // Functions on text panic where their result is too long for a column.
    let rows = AssertUnwindSafe(run(&app, query)).catch_unwind().await.unwrap_or_else(|_| {
        Err(Problem::invalid_query("the statement cannot be run; it may ask for text of gigabytes"))
    })?;
    let json =
        write_rows(&rows).map_err(|error| Problem::invalid_query(format!("the answer is not for JSON: {error}")))?;
    Ok(([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], json).into_response())
}

async fn run(app: &App, query: SqlQuery) -> Result<Vec<RecordBatch>, Problem> {
    let mut stream = app.engine().sql(&query).await?;
    let (mut batches, mut rows, mut bytes) = (Vec::new(), 0, 0);
    while let Some(batch) = stream.try_next().await.map_err(skillscope_query::Error::from_sql_stream)? {
        rows += batch.num_rows();
        if rows > MAX_ROWS {
            return Err(Problem::invalid_query(format!("the answer has more than {MAX_ROWS} rows; ask with a LIMIT")));
        }
        bytes +=
            batch.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or(0)).sum::<usize>();
        if bytes > MAX_ANSWER_BYTES {
            let limit = MAX_ANSWER_BYTES >> 20;
            return Err(Problem::invalid_query(format!(
                "the answer has more than {limit} MiB; ask for less with a LIMIT"
            )));
        }
        batches.push(batch);
    }
    Ok(batches)
}

fn write_rows(batches: &[RecordBatch]) -> Result<Vec<u8>, arrow::error::ArrowError> {
    let builder = WriterBuilder::new().with_explicit_nulls(true).with_timestamp_format(TIME_FORMAT.to_owned());
    let mut writer = builder.build::<_, JsonArray>(Vec::new());
    for batch in batches {
        writer.write(batch)?;
    }
    writer.finish()?;
    Ok(writer.into_inner())
}
