//! Exports of message history: past conversations, each with all that happened in it, as pages of JSON.
//!
//! A conversation's record is told to the [segmenter](crate::Segmenter)'s state machine event by event, so that it gives
//! the segments that a stream of its events would have given.

mod conversation;
mod dialogs;
mod limited;
mod ordered_events;
mod record;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::ControlFlow;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::collector::Collector;
use super::json_array::Elements;
use super::{Chunk, Input, ReadOptions, buffered};
use crate::{Error, Segment};
use limited::Limited;
use record::HistoryRecord;

const FORMAT: &str = "message history";

/// The most bytes from one record to the next, so that no input can ask for all memory.
const MAX_RECORD_BYTES: u64 = 64 << 20;

/// Reads the closed segments of conversations from pages of message history, one after the other or in an array, and
/// hands them on in chunks. A record is taken whole or, where it cannot be read, rejected whole; its number counts
/// through all pages of the input.
///
/// # Errors
/// Where nothing can be read at all, and whatever `sink` returns. An input that breaks off after its first records keeps
/// those: the break itself is a rejection with [`Error::BreaksOff`].
pub fn read_history<E: From<Error>>(
    input: Input,
    options: &ReadOptions,
    sink: impl FnMut(Chunk) -> Result<(), E>,
) -> Result<(), E> {
    let mut collector = Collector::new(FORMAT, options, sink);
    // Below the buffer, which is read byte by byte: what it holds does not matter beside a record's limit.
    let (reader, limit) = Limited::new(input.into_read(), MAX_RECORD_BYTES);
    let mut deserializer = serde_json::Deserializer::from_reader(buffered(reader));
    let mut records = Records { collector: &mut collector, options, limit, read: 0, stopped: Ok(()) };
    let broken = loop {
        if deserializer.end().is_ok() {
            break None;
        }
        if let Err(error) = Page(&mut records).deserialize(&mut deserializer) {
            break Some(error);
        }
    };
    let Records { read, stopped, .. } = records;
    stopped?;
    if let Some(error) = broken {
        collector.broken(read + 1, error.to_string())?;
    }
    collector.finish()
}

/// What has been read, and where it goes.
struct Records<'c, 'o, S, E> {
    collector: &'c mut Collector<'o, S>,
    options: &'o ReadOptions,
    limit: limited::Limit,
    read: u64,
    /// The error with which the collector wanted no more.
    stopped: Result<(), E>,
}

impl<S, E: From<Error>> Records<'_, '_, S, E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    /// Takes the next record; tells whether more are wanted.
    fn take(&mut self, json: &str) -> ControlFlow<()> {
        self.read += 1;
        self.limit.reset();
        let parsed = HistoryRecord::parse(json).and_then(|record| {
            let id = record.conversation_id()?.to_owned();
            segments(&record, &id, self.options).map_err(|error| Error::Conversation { id, reason: error.to_string() })
        });
        self.stopped = match parsed {
            Ok(segments) => segments.into_iter().try_for_each(|segment| self.collector.take(self.read, Ok(segment))),
            Err(error) => self.collector.take(self.read, Err(error)),
        };
        if self.stopped.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// The closed segments of a conversation, all of them valid.
fn segments(record: &HistoryRecord, id: &str, options: &ReadOptions) -> crate::Result<Vec<Segment<'static>>> {
    let account = options.account_of(record.brand_id())?;
    let (closed, source) = conversation::replay(record)?;
    let segments = closed.iter().map(|stay| stay.segment(account, id, source.as_deref()).into_owned());
    let segments: Vec<_> = segments.collect();
    segments.iter().try_for_each(Segment::validate)?;
    Ok(segments)
}

/// A page, or an array of them.
struct Page<'p, 'c, 'o, S, E>(&'p mut Records<'c, 'o, S, E>);

impl<'de, S, E: From<Error>> DeserializeSeed<'de> for Page<'_, '_, '_, S, E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S, E: From<Error>> Visitor<'de> for Page<'_, '_, '_, S, E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page with conversationHistoryRecords")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut page: A) -> Result<(), A::Error> {
        let mut has_records = false;
        while let Some(key) = page.next_key::<String>()? {
            if key == "conversationHistoryRecords" {
                has_records = true;
                page.next_value_seed(Elements(|json: &str| self.0.take(json)))?;
            } else {
                page.next_value::<IgnoredAny>()?;
            }
            self.0.limit.reset();
        }
        if has_records { Ok(()) } else { Err(de::Error::custom("a page has no conversationHistoryRecords")) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pages: A) -> Result<(), A::Error> {
        while pages.next_element_seed(Page(&mut *self.0))?.is_some() {}
        Ok(())
    }
}
