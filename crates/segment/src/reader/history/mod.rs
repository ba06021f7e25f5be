//! Exports of message history: past conversations as pages of JSON, or as their records alone, each conversation with
//! everything that happened in it.
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
mod unknown;

use std::fmt;
use std::ops::ControlFlow;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::collector::Collector;
use super::json_array::Elements;
use super::{Chunk, Input, ReadOptions, beginning, buffered};
use crate::segmenter::ClosedStay;
use crate::{Error, Segment};
use limited::Limited;
use record::HistoryRecord;

const FORMAT: &str = "message history";

/// The maximum number of bytes from one record to the next, so that no input can use up all memory.
const MAX_RECORD_BYTES: u64 = 64 << 20;

/// Reads the closed segments of conversations from pages of message history, and passes them to `sink` in chunks. Pages
/// may follow one another or be in an array, and so may records without a page around them. All segments of a
/// conversation are taken, or its record is rejected. Records are numbered through all pages.
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
    let (reader, limit) = Limited::new(beginning::text(input, FORMAT)?, MAX_RECORD_BYTES);
    let mut deserializer = serde_json::Deserializer::from_reader(buffered(reader));
    let mut records = Records { collector: &mut collector, options, limit, read: 0, has_bare: false, stopped: Ok(()) };
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
    /// Whether there was a record without a page around it.
    has_bare: bool,
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
    record.check_complete()?;
    let source = record.info.source.as_deref();
    let segments = |closed: Vec<ClosedStay>| {
        closed.iter().map(|stay| stay.segment(account, id, source).into_owned()).collect::<Vec<_>>()
    };
    let taken = segments(conversation::replay(record)?);
    taken.iter().try_for_each(Segment::validate)?;
    // Words that nobody knows cost nothing where every meaning gives the same segments.
    for (meaning, unknown) in unknown::meanings(record)? {
        if !conversation::replay(&meaning).is_ok_and(|closed| segments(closed) == taken) {
            return Err(unknown);
        }
    }
    Ok(taken)
}

/// A page, a record without one, or an array of them.
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
        f.write_str("a page with conversationHistoryRecords, or a record with info")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut page: A) -> Result<(), A::Error> {
        let records = self.0;
        let mut has_records = false;
        // What may turn out to be a record.
        let mut fields: Vec<(&str, Box<RawValue>)> = Vec::new();
        while let Some(key) = page.next_key::<String>()? {
            if key == "conversationHistoryRecords" {
                has_records = true;
                records.limit.reset();
                page.next_value_seed(Elements(|json: &str| records.take(json)))?;
            } else if has_records {
                page.next_value::<IgnoredAny>()?;
                records.limit.reset();
            } else if let Some(name) = record::FIELDS.iter().find(|name| **name == key) {
                fields.push((name, page.next_value()?));
            } else {
                page.next_value::<IgnoredAny>()?;
            }
        }
        if has_records {
            return Ok(());
        }
        if !records.has_bare && !fields.iter().any(|(name, _)| *name == record::INFO) {
            return Err(de::Error::custom("a page has no conversationHistoryRecords, and a record has no info"));
        }
        records.has_bare = true;
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        match records.take(&format!("{{{}}}", fields.join(","))) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(de::Error::custom("stopped")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pages: A) -> Result<(), A::Error> {
        while pages.next_element_seed(Page(&mut *self.0))?.is_some() {}
        Ok(())
    }
}
