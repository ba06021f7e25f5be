//! The body of a request, within its limit, and without its compression.

use std::convert::Infallible;
use std::io::Read;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRef, FromRequest, Request};
use axum::http::header::CONTENT_ENCODING;
use axum::http::{HeaderMap, StatusCode};
use skillscope_segment::{Compression, Input};

use super::negotiation::named;
use super::options::HttpOptions;
use super::problem::Problem;

const ENCODINGS: [(&str, Compression); 3] =
    [("identity", Compression::None), ("gzip", Compression::Gzip), ("zstd", Compression::Zstd)];

/// The body of a request, or why it was not received. A handler asks for it after it has checked the headers, so that
/// the client is told of a wrong header first.
pub(super) struct RequestBody {
    received: Result<Bytes, BytesRejection>,
    max_bytes: usize,
}

impl<S: Send + Sync> FromRequest<S> for RequestBody
where
    Arc<HttpOptions>: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let max_bytes = Arc::<HttpOptions>::from_ref(state).max_body_bytes;
        Ok(Self { received: Bytes::from_request(request, state).await, max_bytes })
    }
}

impl RequestBody {
    /// The bytes as they were sent.
    pub(super) fn bytes(self) -> Result<Bytes, Problem> {
        self.received.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(self.max_bytes),
            _ => Problem::invalid_body(rejection.body_text()),
        })
    }

    /// The bytes, which may be compressed: the header `Content-Encoding` tells.
    pub(super) fn encoded(self, headers: &HeaderMap) -> Result<EncodedBody, Problem> {
        let compression = named(headers, CONTENT_ENCODING, &ENCODINGS, Some(Compression::None))?;
        let max_bytes = self.max_bytes;
        Ok(EncodedBody { bytes: self.bytes()?, compression, max_bytes })
    }
}

/// A body that may be compressed.
pub(super) struct EncodedBody {
    bytes: Bytes,
    compression: Compression,
    max_bytes: usize,
}

impl EncodedBody {
    /// The body without its compression. A body that unfolds to more than a body may have is refused. This takes long
    /// enough to be done on a thread that may block.
    pub(super) fn decoded(self) -> Result<Bytes, Problem> {
        let Self { bytes, compression, max_bytes } = self;
        if compression == Compression::None {
            return Ok(bytes);
        }
        let unreadable =
            |error: &dyn std::error::Error| Problem::invalid_body(format!("the body cannot be decompressed: {error}"));
        let input = Input::Bytes(bytes).decompressed(compression).map_err(|error| unreadable(&error))?;
        let mut plain = Vec::new();
        let most = (max_bytes as u64).saturating_add(1);
        input.into_read().take(most).read_to_end(&mut plain).map_err(|error| unreadable(&error))?;
        if plain.len() > max_bytes { Err(too_large(max_bytes)) } else { Ok(Bytes::from(plain)) }
    }
}

fn too_large(max_bytes: usize) -> Problem {
    Problem::too_large(format!(
        "a request body has at most {max_bytes} bytes, also once decompressed; send several requests"
    ))
}
