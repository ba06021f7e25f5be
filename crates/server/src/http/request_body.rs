//! The body of a request, within its limits, and without its compression.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use futures::StreamExt;
use skillscope_segment::{Compression, Input};

use super::negotiation::named;
use super::options::HttpOptions;
use super::problem::Problem;
use crate::memory_budget::{Budget, MemoryBudget, NoRoom, Owners, Share};
use crate::once_per_minute::OncePerMinute;

const ENCODINGS: [(&str, Compression); 3] =
    [("identity", Compression::None), ("gzip", Compression::Gzip), ("zstd", Compression::Zstd)];

/// Records may take so many times the bytes of the body that holds them: honest ones take some six times as many.
const UNFOLDS: u64 = 32;

/// However small a body is, its records may take so many times the bytes of the largest: an export of a million
/// segments whose identifiers count up has half a megabyte.
const UNFOLDS_AT_LEAST: u64 = 4;

/// A compressed body is expected to have so many times its bytes, and waits for that memory before it takes a thread.
/// Honest records are compressed to a tenth. What has more takes it only where nobody else has it.
const EXPANDS: usize = 16;

/// As many bytes of each body are free. They are few for a connection, and small requests go on whoever has the memory.
const FREE_BYTES: usize = 16 << 10;

/// The limits of bodies, and the memory that they share.
pub(super) struct BodyLimits {
    max_bytes: usize,
    timeout: Duration,
    memory: Arc<MemoryBudget>,
}

impl BodyLimits {
    pub(super) fn new(options: &HttpOptions) -> Self {
        let turned_away = OncePerMinute::new(|number| {
            tracing::warn!(number, "requests were turned away: others had the memory for bodies; see --body-memory");
        });
        let memory = MemoryBudget::new(options.body_memory, options.body_patience, turned_away);
        Self { max_bytes: options.max_body_bytes, timeout: options.body_timeout, memory }
    }

    /// How much memory there is for bodies, and is taken.
    pub(super) fn budget(&self) -> Budget {
        self.memory.read()
    }

    fn too_large(&self) -> Problem {
        let max_bytes = self.max_bytes;
        Problem::too_large(format!(
            "a request body has at most {max_bytes} bytes, also once decompressed; send several requests, or allow more with --max-body-bytes"
        ))
    }
}

/// The body of a request that has not been read. A handler reads it after it has checked everything else, so that the
/// client is told of a wrong header before it sends anything.
pub(super) struct RequestBody {
    body: Body,
    limits: Arc<BodyLimits>,
}

impl<S: Send + Sync> FromRequest<S> for RequestBody
where
    Arc<BodyLimits>: FromRef<S>,
{
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self { body: request.into_body(), limits: Arc::from_ref(state) })
    }
}

impl RequestBody {
    /// Reads the body, in memory of `owners`.
    pub(super) async fn read(self, owners: &Owners) -> Result<HeldBody, Problem> {
        let max_bytes = self.limits.max_bytes;
        self.read_at_most(max_bytes, owners).await
    }

    /// Reads a body that is not to have more than `max_bytes`, in memory of `owners`.
    pub(super) async fn read_at_most(self, max_bytes: usize, owners: &Owners) -> Result<HeldBody, Problem> {
        let Self { body, limits } = self;
        let max_bytes = max_bytes.min(limits.max_bytes);
        let too_large = || {
            let rule = format!("a request body has at most {max_bytes} bytes here");
            if max_bytes < limits.max_bytes { Problem::too_large(rule) } else { limits.too_large() }
        };
        if body.size_hint().lower() > max_bytes as u64 {
            return Err(too_large());
        }
        let mut share = limits.memory.share(owners);
        let mut pieces = body.into_data_stream();
        let mut bytes = Vec::new();
        loop {
            let piece = match tokio::time::timeout(limits.timeout, pieces.next()).await {
                Err(_) => return Err(too_late(limits.timeout)),
                Ok(None) => break,
                Ok(Some(piece)) => piece.map_err(|error| Problem::invalid_body(error.to_string()))?,
            };
            if bytes.len().saturating_add(piece.len()) > max_bytes {
                return Err(too_large());
            }
            share.grow(due(bytes.len(), bytes.len().saturating_add(piece.len()))).await?;
            bytes.extend_from_slice(&piece);
        }
        Ok(HeldBody { bytes: bytes.into(), share, limits })
    }

    /// Reads the body, which may be compressed: the header `Content-Encoding` tells, and where it does not, the body's
    /// first bytes do.
    pub(super) async fn read_encoded(self, headers: &HeaderMap, owners: &Owners) -> Result<EncodedBody, Problem> {
        let told = named(headers, CONTENT_ENCODING, &ENCODINGS, Some(Compression::None))?;
        let mut body = self.read(owners).await?;
        let compression = if told == Compression::None { Compression::of(&body.bytes) } else { told };
        let mut expected = 0;
        if compression != Compression::None {
            expected = body.bytes.len().saturating_mul(EXPANDS).min(body.limits.max_bytes);
            body.share.grow(charged(expected)).await?;
        }
        Ok(EncodedBody { body, compression, expected })
    }
}

/// A body that has been read. Its memory is free again when this is dropped.
pub(super) struct HeldBody {
    bytes: Bytes,
    share: Share,
    limits: Arc<BodyLimits>,
}

impl HeldBody {
    /// The bytes, which should not outlive this.
    pub(super) fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }
}

/// A body that may be compressed.
pub(super) struct EncodedBody {
    body: HeldBody,
    compression: Compression,
    /// As many bytes of it without its compression have their memory.
    expected: usize,
}

impl EncodedBody {
    /// The bytes as they were sent.
    pub(super) fn sent_bytes(&self) -> u64 {
        self.body.bytes.len() as u64
    }

    /// The number of bytes that the records in the body may take once they are decoded.
    pub(super) fn most_unfolded(&self) -> u64 {
        let at_least = (self.body.limits.max_bytes as u64).saturating_mul(UNFOLDS_AT_LEAST);
        (self.body.bytes.len() as u64).saturating_mul(UNFOLDS).max(at_least)
    }

    /// The body without its compression. A body that unfolds to more than a body may have is refused. This takes long
    /// enough to be done on a thread that may block, but it waits for nobody. It is given up when `is_unwanted` says
    /// so.
    pub(super) fn decoded(self, is_unwanted: impl Fn() -> bool) -> Result<HeldBody, Problem> {
        let Self { body: HeldBody { bytes, mut share, limits }, compression, expected } = self;
        if compression == Compression::None {
            return Ok(HeldBody { bytes, share, limits });
        }
        let compressed = bytes.len();
        let unreadable =
            |error: &dyn std::error::Error| Problem::invalid_body(format!("the body cannot be decompressed: {error}"));
        let input = Input::Bytes(bytes).decompressed(compression).map_err(|error| unreadable(&error))?;
        let (mut input, mut plain) = (input.into_read(), Vec::new());
        let mut piece = vec![0; 64 << 10];
        loop {
            let length = input.read(&mut piece).map_err(|error| unreadable(&error))?;
            if length == 0 {
                break;
            }
            if plain.len().saturating_add(length) > limits.max_bytes {
                return Err(limits.too_large());
            }
            if is_unwanted() {
                return Err(Problem::internal("the client has gone"));
            }
            share.grow_at_once(due(expected.max(plain.len()), plain.len().saturating_add(length)))?;
            plain.extend_from_slice(piece.get(..length).unwrap_or_default());
        }
        drop(input);
        share.shrink(charged(compressed).saturating_add(due(plain.len(), expected)));
        Ok(HeldBody { bytes: plain.into(), share, limits })
    }
}

/// The part of a body's bytes that takes memory from the others.
fn charged(bytes: usize) -> usize {
    bytes.saturating_sub(FREE_BYTES)
}

/// The memory that a body of `after` bytes takes beyond that of one of `before`.
fn due(before: usize, after: usize) -> usize {
    charged(after).saturating_sub(charged(before))
}

fn too_late(timeout: Duration) -> Problem {
    let seconds = timeout.as_secs_f64();
    Problem::too_late(format!(
        "the body did not go on for {seconds} s, which --body-timeout allows; send the request again"
    ))
}

impl From<NoRoom> for Problem {
    fn from(NoRoom: NoRoom) -> Self {
        Self::busy(
            "the bodies of other requests have the memory that there is for them (--body-memory); send the request again",
        )
    }
}
