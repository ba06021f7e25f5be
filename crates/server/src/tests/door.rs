//! A server without sockets.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::Value;
use skillscope_query::{Clock, Engine, SqlLimits};
use skillscope_segment::{AccountId, Chunk, Error, Format, Input, ReadOptions, SegmentWriter, read_segments};
use skillscope_store::{Disk, Store, StoreOptions};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::http::{Routes, router};
use crate::{Access, App, CorsOrigins, HttpOptions};

/// The clock of the tests: 18 January 2018, shortly before nine.
pub(super) const NOW: i64 = 1_516_265_515_679;

pub(super) const MAX_BODY_BYTES: usize = 64 << 10;

pub(super) const MAX_SQL_ROWS: u64 = 100_000;

/// What the server is called where nobody says otherwise.
pub(super) const HOST: &str = "127.0.0.1:8080";

pub(super) struct Door {
    routes: Routes,
    pub(super) app: App,
    directory: TempDir,
}

/// An answer, read to its end.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Door {
    pub(super) fn new() -> Self {
        Self::with_cors(&[])
    }

    pub(super) fn with_cors(origins: &[&str]) -> Self {
        let origins: Vec<String> = origins.iter().map(|origin| (*origin).to_owned()).collect();
        let cors_origins = CorsOrigins::parse(&origins).unwrap();
        Self::with_http(HttpOptions { cors_origins, ..HttpOptions::default() })
    }

    pub(super) fn with_http(options: HttpOptions) -> Self {
        Self::with(options, StoreOptions::default())
    }

    /// A server whose data directory is on another disk than the machine's.
    pub(super) fn on(disk: Arc<dyn Disk>) -> Self {
        Self::with(HttpOptions::default(), StoreOptions { disk, ..StoreOptions::default() })
    }

    /// A server whose clock is at `now`, and can be moved.
    pub(super) fn moving(now: i64) -> (Self, Arc<AtomicI64>) {
        let now = Arc::new(AtomicI64::new(now));
        let clock = Clock::Simulated(Arc::clone(&now));
        let of_store = StoreOptions { clock: clock.clone(), hot_clock: clock.clone(), ..StoreOptions::default() };
        (Self::at(clock, HttpOptions::default(), of_store), now)
    }

    fn with(options: HttpOptions, of_store: StoreOptions) -> Self {
        Self::at(Clock::Fixed(NOW), options, of_store)
    }

    fn at(clock: Clock, options: HttpOptions, of_store: StoreOptions) -> Self {
        let directory = TempDir::new().unwrap();
        let store = Arc::new(Store::open_with(directory.path(), of_store).unwrap());
        let engine = Engine::new(Arc::clone(&store), clock, SqlLimits::default()).unwrap();
        let options = HttpOptions { max_body_bytes: MAX_BODY_BYTES, max_sql_rows: MAX_SQL_ROWS, ..options };
        let app = App::new(store, engine, Access::of_directory(directory.path()).unwrap()).unwrap();
        Self { routes: router(app.clone(), options, &CancellationToken::new()), app, directory }
    }

    /// Sends a request, to the server's own host unless it names another.
    pub(super) async fn send(&self, mut request: Request<Body>) -> Answer {
        request.headers_mut().entry("host").or_insert(HOST.parse().unwrap());
        let response: Response = self.routes.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(super) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    pub(super) fn routes(&self) -> Routes {
        self.routes.clone()
    }

    pub(super) async fn get(&self, uri: &str) -> Answer {
        self.send(Request::get(uri).body(Body::empty()).unwrap()).await
    }

    pub(super) async fn post(&self, uri: &str, content_type: &str, body: impl Into<Body>) -> Answer {
        self.send(Request::post(uri).header("content-type", content_type).body(body.into()).unwrap()).await
    }

    pub(super) async fn sql(&self, query: &str) -> Answer {
        self.post("/v1/sql", "application/json", serde_json::json!({ "query": query }).to_string()).await
    }
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Asserts that this is a problem document with this status, and gives it.
    #[track_caller]
    pub(super) fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for member in ["type", "title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        }
        problem
    }
}

pub(super) fn report_of(account: &str) -> String {
    format!("/operations/api/account/{account}/msgskillsegments?timeframe=60&v=1")
}

pub(super) const SEGMENTS: &str = "/v1/accounts/acme/segments";

/// An abandoned segment that ended `age` milliseconds ago, as a line of NDJSON.
pub(super) fn line(conversation: &str, skill: i64, age: i64) -> String {
    let end = NOW - age;
    let record = serde_json::json!({
        "conversation_id": conversation, "segment_index": 0, "skill_id": skill, "start_time": end, "end_time": end,
        "start_reason": "new_conversation", "end_reason": "closed_by_consumer", "user_type": "none",
        "outcome": "abandoned", "abandoned_in_queue": true, "agent_messages": 0, "consumer_messages": 1,
    });
    format!("{record}\n")
}

/// Two segments as `format`.
pub(super) fn two_segments(format: Format) -> Vec<u8> {
    written(format, line("c-1", 7, 1) + &line("c-2", 8, 2))
}

/// Lines of NDJSON as `format`.
pub(super) fn written(format: Format, lines: String) -> Vec<u8> {
    let options =
        ReadOptions { account: Some(AccountId::parse("acme").unwrap()), chunk_rows: 10, ..ReadOptions::default() };
    let mut writer = SegmentWriter::new(format, Vec::new()).unwrap();
    read_segments(Format::Ndjson, Input::Bytes(lines.into()), &options, |Chunk { batch, .. }| {
        writer.write(&batch)?;
        Ok::<_, Error>(())
    })
    .unwrap();
    writer.finish().unwrap()
}
