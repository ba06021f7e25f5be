//! Requests with records in their body, and what is answered to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Json;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use skillscope_segment::{Format, Input, ReadOptions, TimeZone};
use skillscope_store::{Ingested, Records, RejectedRecord};
use utoipa::{IntoParams, ToSchema};

use super::negotiation::named;
use super::openapi::problem_responses;
use super::path_variables::PathVariables;
use super::problem::Problem;
use super::rejected_uploads;
use super::request_body::{BodyLimits, RequestBody};
use crate::App;
use crate::caller::Caller;
use crate::memory_budget::Owners;
use crate::statistics::RecordKind;
use crate::threads::NotDone;

/// Rows that are stored at once. A request with at most as many is stored whole or not at all.
const CHUNK_ROWS: usize = 1 << 20;

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

impl From<Ingested> for IngestionBody {
    fn from(ingested: Ingested) -> Self {
        let Ingested { accepted, duplicates, rejected_count, rejected, .. } = ingested;
        Self { accepted, duplicates, rejected_count, rejected: listed(rejected) }
    }
}

/// The records that were not taken, as an answer lists them.
pub(super) fn listed(rejected: Vec<RejectedRecord>) -> Vec<RejectedBody> {
    rejected.into_iter().map(|record| RejectedBody { line: record.line, error: record.error }).collect()
}

problem_responses! {
    IngestionProblems {
        400: "The account is not one, or the body cannot be read at all.",
        403: "A web page of another origin sends it.",
        408: "The body did not go on.",
        413: "The body is too large.",
        415: "The body is of a type that is not taken.",
        507: "The disk is full.",
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct IngestionAccount {
    /// The brand's account; records may leave it out, and none may name another.
    #[param(pattern = "^[A-Za-z0-9._-]{1,64}$")]
    account: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it is there to be described")]
pub(super) struct IngestionQuery {
    /// The time zone of times that name none: a name of the IANA database, or an offset. Without it, text of such a
    /// time is rejected, and timestamps of Arrow and Parquet are in UTC.
    #[param(format = "time-zone", example = "Europe/Berlin")]
    time_zone: Option<String>,
}

/// The time zone of times that name none, as the query names it.
fn time_zone(query: Option<&str>) -> Result<Option<TimeZone>, Problem> {
    const NAME: &str = "time_zone";
    let mut named = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).filter(|(name, _)| name == NAME);
    let Some((_, value)) = named.next() else { return Ok(None) };
    let invalid = |detail: String| Problem::invalid_parameter(detail).blaming(NAME, Some(value.to_string()));
    if named.next().is_some() {
        return Err(invalid(format!("{NAME} is given twice")));
    }
    TimeZone::parse(&value).map(Some).map_err(|error| invalid(error.to_string()))
}

/// A request with records of an account in its body.
pub(super) struct IngestionRequest {
    caller: Caller,
    account: String,
    query: Option<String>,
    headers: HeaderMap,
    body: RequestBody,
}

impl<S: Send + Sync> FromRequest<S> for IngestionRequest
where
    Arc<BodyLimits>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let PathVariables(IngestionAccount { account }) = PathVariables::from_request_parts(&mut parts, state).await?;
        let caller = Caller::from_request_parts(&mut parts, state).await?;
        let query = parts.uri.query().map(str::to_owned);
        let headers = parts.headers.clone();
        let Ok(body) = RequestBody::from_request(Request::from_parts(parts, body), state).await;
        Ok(Self { caller, account, query, headers, body })
    }
}

/// Somebody who waits for the outcome of reading.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl IngestionRequest {
    /// Stores the records, which are what the header `Content-Type` says, and answers what became of them. `noun` is
    /// what the log calls them.
    pub(super) async fn ingest(
        self,
        app: App,
        noun: &str,
        media_types: &[(&str, Records)],
    ) -> Result<Json<IngestionBody>, Problem> {
        self.outcome(app, noun, media_types).await.map(|ingested| Json(ingested.into()))
    }

    /// The same, with the outcome as the store tells it.
    pub(super) async fn outcome(
        self,
        app: App,
        noun: &str,
        media_types: &[(&str, Records)],
    ) -> Result<Ingested, Problem> {
        let account = self.account.clone();
        let outcome = self.store(app, media_types).await;
        rejected_uploads::log(&account, noun, &outcome);
        outcome
    }

    async fn store(self, app: App, media_types: &[(&str, Records)]) -> Result<Ingested, Problem> {
        let Self { caller, account, query, headers, body } = self;
        let records = named(&headers, CONTENT_TYPE, media_types, None)?;
        let time_zone = time_zone(query.as_deref())?;
        let account = caller.account(&account)?;
        let owner = account.as_str().to_owned();
        let body = body.read_encoded(&headers, &Owners::of(Some(&account), caller.holder())).await?;
        let kind = if records == Records::Events { RecordKind::Events } else { RecordKind::Segments };
        app.statistics().receive(kind, body.sent_bytes());
        // This future is dropped when the client leaves.
        let is_abandoned = Arc::new(AtomicBool::new(false));
        let _waiting = Waiting(Arc::clone(&is_abandoned));
        let options = ReadOptions {
            account: Some(account),
            chunk_rows: CHUNK_ROWS,
            most_unfolded: Some(body.most_unfolded()),
            time_zone,
            is_abandoned: Some(is_abandoned),
            keeps_records: false,
        };
        let store = app.store();
        let threads = match records {
            Records::Segments(Format::Arrow | Format::Parquet) => &app.threads().columns,
            _ => &app.threads().text,
        };
        let ingested = threads.run(&owner, move |client| {
            let body = body.decoded(|| client.has_gone())?;
            Ok::<_, Problem>(store.ingest(records, Input::Bytes(body.bytes()), &options)?)
        });
        let ingested = ingested.await.map_err(|not_done| match not_done {
            NotDone::Full => Problem::busy("more records are waiting than can be taken; send the request again"),
            NotDone::GivenUp => Problem::internal("the records could not be read; the server's log says why"),
        });
        ingested?
    }
}
