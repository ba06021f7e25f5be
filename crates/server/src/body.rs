//! What the body of a request may be: its type, its encoding, its size.

use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderName, StatusCode};

use crate::Problem;

/// What the header `name` stands for among `choices`; `absent` where the request does not have it.
pub(crate) fn named<T: Copy>(
    headers: &HeaderMap,
    name: HeaderName,
    choices: &[(&str, T)],
    absent: Option<T>,
) -> Result<T, Problem> {
    let value = headers.get(&name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let essence = value.as_deref().map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let chosen = match &essence {
        None => absent,
        Some(essence) => choices.iter().find(|(word, _)| word == essence).map(|(_, choice)| *choice),
    };
    chosen.ok_or_else(|| {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        Problem::unsupported_media_type(format!("{name} is one of {}", words.join(", "))).blaming(name.as_str(), value)
    })
}

/// Why a body could not be taken in.
pub(crate) fn refused(rejection: &BytesRejection, limit: usize) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(limit),
        _ => Problem::invalid_body(rejection.body_text()),
    }
}

/// A body beyond the limit.
pub(crate) fn too_large(limit: usize) -> Problem {
    Problem::too_large(format!(
        "a request body has at most {limit} bytes, also once decompressed; send several requests"
    ))
}
