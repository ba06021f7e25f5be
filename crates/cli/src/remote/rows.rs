//! The rows that answer a statement, decoded while they come.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read};

use anyhow::{Context, Result, bail};
use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamDecoder;
use tokio::task::spawn_blocking;
use ureq::http::Request;
use ureq::http::header::{ACCEPT, CONTENT_TYPE};
use ureq::{Agent, BodyReader};

use super::problem::Problem;
use super::server::{ARROW_STREAM, RemoteServer};

/// How much of an answer is decoded at a time.
const PIECE_BYTES: usize = 1 << 16;

/// How much of the end of an answer is kept, to find the problem document there.
const TAIL_BYTES: usize = 1 << 16;

/// The rows that answer a SQL statement, as the server sends them. Dropping them ends the statement.
pub(crate) struct RemoteRows {
    schema: SchemaRef,
    /// `None` while a thread reads from it.
    stream: Option<RowStream>,
    _connection: Connection,
}

impl RemoteServer {
    /// Runs a SQL statement over the rows of one account, or of all. It has a connection of its own, since closing the
    /// connection is what ends a statement; that happens too if this future is dropped before the answer begins.
    pub(crate) async fn run(&self, statement: &str, account: Option<&str>) -> Result<RemoteRows> {
        let connection = Connection(self.separate_agent());
        let (server, agent) = (self.clone(), connection.0.clone());
        let body = serde_json::json!({ "query": statement, "account": account }).to_string();
        let begun = spawn_blocking(move || {
            let request = Request::post(server.path("/v1/sql"));
            let request = request.header(CONTENT_TYPE, "application/json").header(ACCEPT, ARROW_STREAM);
            let response = server.accepted(server.send(&agent, request, body)?)?;
            let begun = RowStream::begin(response.into_body().into_reader());
            begun.with_context(|| format!("{} sends no rows", server.url()))
        });
        let (schema, stream) = begun.await??;
        Ok(RemoteRows { schema, stream: Some(stream), _connection: connection })
    }
}

impl RemoteRows {
    pub(crate) fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }

    /// The next rows; `None` at their end.
    pub(crate) async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(mut stream) = self.stream.take() else { return Ok(None) };
        let read = spawn_blocking(move || {
            let batch = stream.next();
            (stream, batch)
        });
        let (stream, batch) = read.await?;
        self.stream = Some(stream);
        batch
    }
}

/// A connection that is closed when this is dropped, also while a thread waits for its bytes.
struct Connection(Agent);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.clone().shutdown();
    }
}

/// The body of an answer, from which batches are decoded.
struct RowStream {
    body: BodyReader<'static>,
    decoder: StreamDecoder,
    /// Batches that are decoded and not yet taken.
    ready: VecDeque<RecordBatch>,
    /// The last bytes that were read.
    tail: Vec<u8>,
}

impl RowStream {
    /// Reads as far as the schema.
    fn begin(body: BodyReader<'static>) -> Result<(SchemaRef, Self)> {
        let mut stream = Self { body, decoder: StreamDecoder::new(), ready: VecDeque::new(), tail: Vec::new() };
        loop {
            if let Some(schema) = stream.decoder.schema() {
                return Ok((schema, stream));
            }
            if !stream.decode_piece()? {
                bail!("the answer is empty");
            }
        }
    }

    fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.ready.is_empty() {
            match self.decode_piece() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Err(self.problem().map_or(error, Into::into)),
            }
        }
        Ok(self.ready.pop_front())
    }

    /// Decodes what has arrived; false at the end of the answer.
    fn decode_piece(&mut self) -> Result<bool> {
        let mut piece = vec![0; PIECE_BYTES];
        let length = loop {
            match self.body.read(&mut piece) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        if length == 0 {
            self.decoder.finish()?;
            return Ok(false);
        }
        piece.truncate(length);
        self.tail.extend_from_slice(&piece);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL_BYTES));
        let mut piece = Buffer::from(piece);
        while !piece.is_empty() {
            self.ready.extend(self.decoder.decode(&mut piece)?);
        }
        Ok(true)
    }

    /// Why the server has broken off its answer: the last line tells.
    fn problem(&self) -> Option<Problem> {
        let line = self.tail.trim_ascii_end().rsplit(|byte| *byte == b'\n').next()?;
        Problem::parse(line)
    }
}
