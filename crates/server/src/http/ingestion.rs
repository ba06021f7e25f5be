use std::io::Read;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use serde::Serialize;
use skillscope_segment::{AccountId, Compression, Input, ReadOptions};
use skillscope_store::{Ingested, Records};
use utoipa::ToSchema;

use super::Problem;
use super::negotiation::{named, refused, too_large};
use crate::App;

/// Rows stored at once. A request with so many is stored whole or not at all; one with more, in parts of so many.
const CHUNK_ROWS: usize = 1 << 20;

const ENCODINGS: [(&str, Compression); 3] =
    [("identity", Compression::None), ("gzip", Compression::Gzip), ("zstd", Compression::Zstd)];

/// What became of the records of a request.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IngestionBody {
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
pub(super) struct RejectedBody {
    /// 1-based number of the record; in NDJSON, of its line.
    line: u64,
    /// Why.
    error: String,
}

/// Stores the records in a request's body, and tells what became of them.
pub(super) async fn ingest_body(
    app: App,
    account: String,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
    records: Records,
) -> Result<Json<IngestionBody>, Problem> {
    let account = AccountId::parse(&account)
        .map_err(|error| Problem::invalid_parameter(error.to_string()).blaming("account", Some(account)))?;
    let compression = named(headers, CONTENT_ENCODING, &ENCODINGS, Some(Compression::None))?;
    let body = body.map_err(|rejection| refused(&rejection, app.max_body_bytes()))?;
    // Parsing and writing take long enough to hold up everyone else on this thread.
    let ingested = tokio::task::spawn_blocking(move || {
        let body = decompressed(body, compression, app.max_body_bytes())?;
        let options = ReadOptions { account: Some(account), chunk_rows: CHUNK_ROWS };
        Ok::<_, Problem>(app.store().ingest(records, Input::Bytes(body), &options)?)
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
