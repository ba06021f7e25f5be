//! Answers that go on, as server-sent events: at once, and then every few seconds.
//!
//! ```text
//! question ─▶ the feed of all who ask the same ─▶ its latest event ─▶ subscriber ─▶ a connection
//!  followed.rs   feeds.rs, feed.rs: computes once      latest.rs       subscriber.rs  takes it when it can send
//! ```
//!
//! A subscriber has no timer and no queue. A feed wakes all of its subscribers, each of which sends the same bytes; one
//! that was still sending finds the next event in place of those that it missed.

mod event;
mod every;
mod feed;
mod feeds;
mod followed;
mod latest;
mod subscriber;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures::future::ready;
use futures::{FutureExt, StreamExt, stream};

use super::answer_body::Live;
use super::negotiation::accepted;
use super::problem::Problem;
use crate::caller::Caller;
use crate::ending::until;
pub(super) use event::event;
pub(super) use every::StreamQuery;
use every::every;
pub(super) use feeds::Feeds;
pub(super) use followed::Followed;

const MEDIA_TYPE: &str = "text/event-stream";

/// Tells proxies that keep answers together not to.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Whether a client would rather follow an answer than have it once, as JSON. Whoever takes neither has it once.
pub(super) fn are_wanted(headers: &HeaderMap) -> bool {
    accepted(headers, &[("application/json", false), (MEDIA_TYPE, true)]).unwrap_or(false)
}

/// The answer to a question, now and then again as the parameters say. It ends with its caller's token.
pub(super) fn follow<Q: Followed>(
    feeds: &Feeds<Q>,
    question: Q,
    parameters: &[(Cow<'_, str>, Cow<'_, str>)],
    caller: Caller,
) -> Result<Response, Problem> {
    let every = every(parameters)?;
    let beginning = stream::once(ready(Bytes::from_static(event::BEGINNING)));
    let events = beginning.chain(feeds.subscribe(question, every).into_stream());
    let ended = caller.ended().map(|refused| event::end(&refused.into()));
    let body = Body::from_stream(until(events, ended).map(Ok::<_, Infallible>));
    let headers = [(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)), (BUFFERING, HeaderValue::from_static("no"))];
    let mut response = (headers, body).into_response();
    response.extensions_mut().insert(Live);
    Ok(response)
}
