//! The reason that a server gives for a refusal.

use serde::Deserialize;

/// The part of a problem document (RFC 9457) that people read: why a server refused a request.
#[derive(Debug, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub(super) struct Problem {
    detail: String,
}

impl Problem {
    /// Parses a document; `None` if `text` is something else.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }
}
