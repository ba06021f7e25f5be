use std::collections::VecDeque;

use anyhow::{Context, Result, bail};
use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamDecoder;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::handshake;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::commands::remote::server_url;
use crate::output::Usage;

const ARROW_STREAM: &str = "application/vnd.apache.arrow.stream";

/// A running server that statements are sent to.
pub(super) struct HttpSource {
    url: String,
    /// Host and port.
    authority: String,
    account: Option<String>,
}

/// The part of a problem document that is for people.
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

impl HttpSource {
    pub(super) fn new(url: &str, account: Option<String>) -> Result<Self> {
        let url = server_url(url)?;
        let uri: Uri =
            url.parse().map_err(|error| Usage::error(format!("{url} is not the URL of a server: {error}")))?;
        let host =
            uri.host().ok_or_else(|| Usage::error(format!("{url} is not the URL of a server: it has no host")))?;
        let authority = format!("{host}:{}", uri.port_u16().unwrap_or(80));
        Ok(Self { url, authority, account })
    }

    pub(super) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Each statement has a connection of its own, so that closing it ends the statement.
    pub(super) async fn run(&self, text: &str) -> Result<HttpRows> {
        let unreachable = || format!("cannot reach {}", self.url);
        let socket = TcpStream::connect(&self.authority).await.with_context(unreachable)?;
        let (mut sender, connection) = handshake(TokioIo::new(socket)).await.with_context(unreachable)?;
        let connection = Connection(tokio::spawn(async move {
            // What went wrong is told by the answer.
            let _ = connection.await;
        }));
        let body = serde_json::json!({ "query": text, "account": self.account }).to_string();
        let request = Request::post("/v1/sql")
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, ARROW_STREAM)
            .body(Full::new(Bytes::from(body)))?;
        let response = sender.send_request(request).await.with_context(unreachable)?;
        let status = response.status();
        let mut body = response.into_body();
        if !status.is_success() {
            let text = body.collect().await.with_context(unreachable)?.to_bytes();
            let problem = serde_json::from_slice::<Problem>(&text).map(|problem| problem.detail);
            match problem {
                Ok(detail) => bail!("{detail}"),
                Err(_) => bail!("{} answers {status}: it is no skillscope server", self.url),
            }
        }
        let mut decoder = StreamDecoder::new();
        let mut ready = VecDeque::new();
        while decoder.schema().is_none() && decode_frame(&mut body, &mut decoder, &mut ready).await?.is_some() {}
        let schema = decoder.schema().with_context(|| format!("{} sends no rows", self.url))?;
        Ok(HttpRows { schema, body, decoder, ready, last: Bytes::new(), _connection: connection })
    }
}

/// Rows that a server sends.
pub(super) struct HttpRows {
    schema: SchemaRef,
    body: Incoming,
    decoder: StreamDecoder,
    ready: VecDeque<RecordBatch>,
    /// The last piece of the answer.
    last: Bytes,
    _connection: Connection,
}

impl HttpRows {
    pub(super) fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }

    pub(super) async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch));
            }
            match decode_frame(&mut self.body, &mut self.decoder, &mut self.ready).await {
                Ok(Some(piece)) => self.last = piece,
                Ok(None) => {
                    self.decoder.finish()?;
                    return Ok(None);
                }
                Err(error) => return Err(self.reason().map_or(error, anyhow::Error::msg)),
            }
        }
    }

    /// Why the server has broken its answer off: the last line says it.
    fn reason(&self) -> Option<String> {
        let line = self.last.trim_ascii_end().rsplit(|byte| *byte == b'\n').next()?;
        Some(serde_json::from_slice::<Problem>(line).ok()?.detail)
    }
}

/// Takes in the next piece of an answer, and gives it; `None` at its end.
async fn decode_frame(
    body: &mut Incoming,
    decoder: &mut StreamDecoder,
    ready: &mut VecDeque<RecordBatch>,
) -> Result<Option<Bytes>> {
    let Some(frame) = body.frame().await else { return Ok(None) };
    let Ok(data) = frame?.into_data() else { return Ok(Some(Bytes::new())) };
    let mut buffer = Buffer::from(data.clone());
    while !buffer.is_empty() {
        ready.extend(decoder.decode(&mut buffer)?);
    }
    Ok(Some(data))
}

/// An open connection, which is closed when this is dropped.
struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}
