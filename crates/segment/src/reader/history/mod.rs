//! Exports of message history: past conversations as pages of JSON, each conversation with everything that happened in
//! it.
//!
//! ```text
//! record.rs ─▶ ordered_events.rs, dialogs.rs ─▶ conversation.rs
//! the JSON     what happened, in order           the state machine of the segmenter, fed with it
//! ```
//!
//! The [segmenter](crate::Segmenter)'s own state machine makes the segments, so that an export gives the same segments
//! as a stream of the same events.

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

/// The maximum number of bytes from one record to the next, so that no input can use up all memory.
const MAX_RECORD_BYTES: u64 = 64 << 20;

/// Reads the closed segments of conversations from pages of message history, and passes them to `sink` in chunks. The
/// pages may follow one another or be in an array. All segments of a conversation are taken, or its record is rejected.
/// Records are numbered through all pages.
///
/// # Errors
/// Where nothing can be read at all, and the errors of `sink`. If an input breaks off after its first records, those
/// count, and the break is a rejection with [`Error::BreaksOff`].
pub fn read_history<E: From<Error>>(
    input: Input,
    options: &ReadOptions,
    sink: impl FnMut(Chunk) -> Result<(), E>,
) -> Result<(), E> {
    let mut collector = Collector::new(FORMAT, options, sink);
    // The limit is below the buffer, since the parser reads byte by byte. The buffer is small beside the limit.
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

/// The records read so far, and where their segments go.
struct Records<'c, 'o, S, E> {
    collector: &'c mut Collector<'o, S>,
    options: &'o ReadOptions,
    limit: limited::Limit,
    read: u64,
    /// The error with which the collector ended the reading.
    stopped: Result<(), E>,
}

impl<S, E: From<Error>> Records<'_, '_, S, E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    /// Takes the next record.
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

/// The closed segments of a conversation. All of them are valid.
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
