//! Streams over HTTP.

use super::{Definition, Exposition, word};
use crate::statistics::StreamStatistics;

const OPEN: Definition = Definition::gauge("skillscope_streams", &[], "Streams of server-sent events that are open.");

const EVENTS: Definition = Definition::counter(
    "skillscope_stream_events",
    &["outcome"],
    "Events for each stream, heartbeats aside: sent, or skipped since its client was still taking those before.",
);

pub(super) fn add(all: &mut Exposition, streams: &StreamStatistics) {
    all.single(&OPEN, streams.number());
    let events = [("sent", streams.sent()), ("skipped", streams.skipped())];
    all.family(&EVENTS, events.map(|(outcome, number)| ([word(outcome)], number.into())));
}
