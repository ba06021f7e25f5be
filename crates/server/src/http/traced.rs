//! What the log tells of a request: the trace that it belongs to, and that it was slow.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;
use tracing::{Instrument, Span};

use super::options::HttpOptions;

/// So many characters of a path are logged.
const SHOWN: usize = 300;

/// The header by which W3C's *Trace Context* tells the trace of a request.
const TRACE_PARENT: &str = "traceparent";

/// Passes a request on. Lines that are logged meanwhile tell its trace; one that took too long has a line of its own.
pub(super) async fn traced(State(options): State<Arc<HttpOptions>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let (method, path) = (request.method().clone(), shown(request.uri().path()));
    let span = span(parent(request.headers()), &method, &path);
    let response = next.run(request).instrument(span.clone()).await;
    let taken = begun.elapsed();
    if options.slow_request.is_some_and(|limit| taken >= limit) {
        let milliseconds = u64::try_from(taken.as_millis()).unwrap_or(u64::MAX);
        let status = response.status().as_u16();
        span.in_scope(|| tracing::warn!(%method, path, status, milliseconds, "a slow request"));
    }
    response
}

/// The trace that a request belongs to.
fn parent(headers: &HeaderMap) -> Option<TraceParent<'_>> {
    let mut all = headers.get_all(TRACE_PARENT).iter();
    // Of two, nobody knows which is meant.
    match (all.next(), all.next()) {
        (Some(parent), None) => parent.to_str().ok().and_then(TraceParent::parse),
        _ => None,
    }
}

/// The span of a request; none where nobody follows it. It has the level of errors, so that it is there with any line.
#[cfg(not(feature = "otlp"))]
fn span(parent: Option<TraceParent<'_>>, _method: &Method, _path: &str) -> Span {
    match parent {
        Some(TraceParent { trace, span, .. }) => tracing::error_span!("request", trace_id = trace, parent_id = span),
        None => Span::none(),
    }
}

/// The span of a request, which goes on with its caller's trace, or begins one.
#[cfg(feature = "otlp")]
fn span(parent: Option<TraceParent<'_>>, method: &Method, path: &str) -> Span {
    use opentelemetry::Context;
    use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
    use tracing::field::Empty;
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    let request =
        tracing::error_span!("request", otel.kind = "server", trace_id = Empty, parent_id = Empty, %method, path);
    let Some(TraceParent { trace, span, flags }) = parent else { return request };
    request.record("trace_id", trace);
    request.record("parent_id", span);
    if let (Ok(trace), Ok(span), Ok(flags)) =
        (TraceId::from_hex(trace), SpanId::from_hex(span), u8::from_str_radix(flags, 16))
    {
        let parent = SpanContext::new(trace, span, TraceFlags::new(flags), true, TraceState::default());
        // Without a collector, nothing is sent.
        let _ = request.set_parent(Context::new().with_remote_span_context(parent));
    }
    request
}

/// What `traceparent` tells.
#[derive(Debug, Clone, Copy)]
struct TraceParent<'h> {
    trace: &'h str,
    span: &'h str,
    #[cfg_attr(not(feature = "otlp"), expect(dead_code, reason = "it says whether spans are sent"))]
    flags: &'h str,
}

impl<'h> TraceParent<'h> {
    /// Reads `00-TRACE-SPAN-FLAGS`, and the beginning of what later versions may tell. `None` for anything else: the
    /// request is followed no further then.
    fn parse(text: &'h str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_hex = |part: &str, length| {
            part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let is_sound = is_hex(version, 2)
            && version != "ff"
            && (version != "00" || parts.next().is_none())
            && is_hex(trace, 32)
            && is_hex(span, 16)
            && is_hex(flags, 2);
        let means_none = |part: &str| part.bytes().all(|byte| byte == b'0');
        (is_sound && !means_none(trace) && !means_none(span)).then_some(Self { trace, span, flags })
    }
}

/// The beginning of a path, which may be of any length.
fn shown(path: &str) -> String {
    path.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn the_parent_of_a_trace_is_read_as_w3c_says() {
        fn of(text: &str) -> Option<(&str, &str)> {
            TraceParent::parse(text).map(|parent| (parent.trace, parent.span))
        }
        for text in
            [format!("00-{TRACE}-{SPAN}-01"), format!("00-{TRACE}-{SPAN}-00"), format!("cc-{TRACE}-{SPAN}-01-x")]
        {
            assert_eq!(of(&text), Some((TRACE, SPAN)), "{text}");
        }
        let zeros = "0".repeat(32);
        for text in [
            String::new(),
            TRACE.to_owned(),
            format!("00-{TRACE}-{SPAN}"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-01-x"),
            format!("00-{zeros}-{SPAN}-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}\n-{SPAN}-01"),
            format!("0-{TRACE}-{SPAN}-01"),
        ] {
            assert_eq!(of(&text), None, "{text}");
        }
    }
}
