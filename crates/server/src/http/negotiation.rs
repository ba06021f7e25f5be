//! Headers that choose: the type and the encoding of a body, and the type of the answer.

use axum::http::header::{ACCEPT, ACCEPT_ENCODING};
use axum::http::{HeaderMap, HeaderName};

use super::problem::Problem;

/// The choice whose word stands in the header `name`. A request without the header gets `absent`.
pub(super) fn named<T: Copy>(
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

/// The choice whose media type the header `Accept` prefers. Of several that it likes alike, or where there is no such
/// header, it is the first.
pub(super) fn accepted<T: Copy>(headers: &HeaderMap, choices: &[(&str, T)]) -> Result<T, Problem> {
    let values = headers.get_all(ACCEPT).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let value = values.collect::<Vec<_>>().join(",");
    let ranges: Vec<(&str, f32)> = value.split(',').map(with_quality).filter(|(range, _)| !range.is_empty()).collect();
    let Some((_, first)) = choices.first() else { return Err(Problem::internal("nothing can be written")) };
    if ranges.is_empty() {
        return Ok(*first);
    }
    let quality = |media_type: &str| {
        let family = media_type.split('/').next().unwrap_or_default();
        let how_close = |range: &str| match range.strip_suffix("/*") {
            _ if range.eq_ignore_ascii_case(media_type) => 3,
            Some(of) if of.eq_ignore_ascii_case(family) => 2,
            Some("*") => 1,
            _ => 0,
        };
        let matching = ranges.iter().filter(|(range, _)| how_close(range) > 0);
        matching.max_by_key(|(range, _)| how_close(range)).map_or(0.0, |(_, quality)| *quality)
    };
    let mut best: Option<(f32, T)> = None;
    for (media_type, choice) in choices {
        let quality = quality(media_type);
        if quality > best.map_or(0.0, |(best, _)| best) {
            best = Some((quality, *choice));
        }
    }
    best.map(|(_, choice)| choice).ok_or_else(|| {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        Problem::not_acceptable(format!("an answer is one of {}", words.join(", ")))
            .blaming("accept", Some(value.clone()))
    })
}

/// Whether a client can read an answer that is compressed with gzip.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let accepted: Vec<(&str, f32)> = values.flat_map(|value| value.split(',')).map(with_quality).collect();
    let quality = |coding: &str| {
        let named = accepted.iter().find(|(name, _)| name.eq_ignore_ascii_case(coding));
        named.map(|(_, quality)| *quality)
    };
    quality("gzip").or_else(|| quality("*")).is_some_and(|quality| quality > 0.0)
}

/// A word and its quality. The quality is 1 where none is given.
fn with_quality(text: &str) -> (&str, f32) {
    let mut parts = text.split(';').map(str::trim);
    let word = parts.next().unwrap_or_default();
    let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
    (word, quality.map_or(1.0, |quality| quality.trim().parse().unwrap_or(0.0)))
}
