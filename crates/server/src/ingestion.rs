use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde::Serialize;
use skillscope_segment::{AccountId, Compression, Format, Input, ReadOptions};
use skillscope_store::{Ingested, Store, ingest};
use std::io::Read;
use utoipa::ToSchema;

use crate::body::{named, refused, too_large};
use crate::openapi::SegmentBody;
use crate::path::PathVariables;
use crate::{App, Problem};

/// Rows stored at once. A request with so many is stored whole or not at all; one with more, in parts of so many.
const CHUNK_ROWS: usize = 1 << 20;

const MEDIA_TYPES: [(&str, Format); 4] = [
    ("application/x-ndjson", Format::Ndjson),
    ("application/json", Format::Json),
    ("application/vnd.apache.arrow.stream", Format::Arrow),
    ("application/vnd.apache.parquet", Format::Parquet),
];

const ENCODINGS: [(&str, Compression); 3] =
    [("identity", Compression::None), ("gzip", Compression::Gzip), ("zstd", Compression::Zstd)];

/// What became of the records of a request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IngestionBody {
    /// Records that are stored now, and were not before.
    accepted: u64,
    /// Records that were stored already.
    duplicates: u64,
    /// Records that were not taken.
    rejected_count: u64,
    /// The first 100 of them.
    rejected: Vec<RejectedBody>,
}

/// A record that was not taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RejectedBody {
    /// 1-based number of the record; in NDJSON, of its line.
    line: u64,
    /// Why.
    error: String,
}

/// Store closed segments.
///
/// A segment is known by account, conversation and index, and counts once. Records that break a rule are listed and
/// cost themselves alone.
#[utoipa::path(post, path = "/v1/accounts/{account}/segments", tag = "ingestion",
    params(
        ("account" = String, Path, pattern = "^[A-Za-z0-9._-]{1,64}$", description = "The brand's account; records may leave it out, and none may name another."),
        ("Content-Encoding" = Option<String>, Header, pattern = "^(gzip|zstd|identity)$", description = "`gzip`, `zstd` or `identity`."),
    ),
    request_body(description = "Closed segments: in NDJSON, one a line.", content(
        (SegmentBody = "application/x-ndjson"),
        (Vec<SegmentBody> = "application/json"),
        (Vec<u8> = "application/vnd.apache.arrow.stream"),
        (Vec<u8> = "application/vnd.apache.parquet"),
    )),
    responses(
        (status = 200, description = "What was accepted is on disk.", body = IngestionBody),
        (status = 400, description = "The account is not one, or the body cannot be read at all.", body = Problem,
            content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is of a type that is not taken.", body = Problem,
            content_type = "application/problem+json"),
        (status = 503, description = "The segments could not be stored.", body = Problem,
            content_type = "application/problem+json"),
        (status = 507, description = "The disk is full.", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn post(
    State(app): State<App>,
    PathVariables(account): PathVariables<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<IngestionBody>, Problem> {
    let format = named(&headers, CONTENT_TYPE, &MEDIA_TYPES, None)?;
    ingest_body(app, account, &headers, body, move |store, input, options| {
        Ok(ingest(format, input, options, |batch| store.append(batch), |_| {})?)
    })
    .await
}

/// Gives the records in a request's body to `ingest`, and tells what became of them.
pub(crate) async fn ingest_body(
    app: App,
    account: String,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
    ingest: impl FnOnce(&Store, Input, &ReadOptions) -> Result<Ingested, Problem> + Send + 'static,
) -> Result<Json<IngestionBody>, Problem> {
    let account = AccountId::parse(&account)
        .map_err(|error| Problem::invalid_parameter(error.to_string()).blaming("account", Some(account)))?;
    let compression = named(headers, CONTENT_ENCODING, &ENCODINGS, Some(Compression::None))?;
    let body = body.map_err(|rejection| refused(&rejection, app.max_body_bytes()))?;
    // Parsing and writing take long enough to hold up everyone else on this thread.
    let ingested = tokio::task::spawn_blocking(move || {
        let body = decompressed(body, compression, app.max_body_bytes())?;
        let options = ReadOptions { account: Some(account), chunk_rows: CHUNK_ROWS };
        ingest(&app.store(), Input::Bytes(body), &options)
    });
    let ingested = ingested.await.map_err(|error| {
        tracing::error!(%error, "ingestion stopped");
        Problem::internal("the records could not be read; the server's log says why")
    })??;
    Ok(Json(answer(ingested)))
}

/// The body with its content encoding undone; one that unfolds to more than a body may have is refused.
fn decompressed(body: Bytes, compression: Compression, limit: usize) -> Result<Bytes, Problem> {
    if compression == Compression::None {
        return Ok(body);
    }
    let unreadable =
        |error: &dyn std::error::Error| Problem::invalid_body(format!("the body cannot be decompressed: {error}"));
    let input = Input::Bytes(body).decompressed(compression).map_err(|error| unreadable(&error))?;
    let mut plain = Vec::new();
    let most = (limit as u64).saturating_add(1);
    input.into_read().take(most).read_to_end(&mut plain).map_err(|error| unreadable(&error))?;
    if plain.len() > limit { Err(too_large(limit)) } else { Ok(Bytes::from(plain)) }
}

fn answer(ingested: Ingested) -> IngestionBody {
    let Ingested { accepted, duplicates, rejected_count, rejected } = ingested;
    let rejected = rejected.into_iter().map(|record| RejectedBody { line: record.line, error: record.error }).collect();
    IngestionBody { accepted, duplicates, rejected_count, rejected }
}
