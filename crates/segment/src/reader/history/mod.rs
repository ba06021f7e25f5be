//! Exports of message history: past conversations, each with all that happened in it, as pages of JSON.
//!
//! A conversation's record is told to the [segmenter](crate::Segmenter)'s state machine event by event, so that it gives
//! the segments that a stream of its events would have given.

mod conversation;
mod dialogs;
mod happenings;
mod limited;
mod record;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::collector::Collector;
use super::{Chunk, Input, ReadOptions, buffered};
use crate::{AccountId, Error, Segment};
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
    let mut records = Records { collector: &mut collector, options, limit, read: 0, stopped: None };
    let broken = loop {
        if deserializer.end().is_ok() {
            break None;
        }
        if let Err(error) = Page(&mut records).deserialize(&mut deserializer) {
            break Some(error);
        }
    };
    let Records { read, stopped, .. } = records;
    match (stopped, broken) {
        (Some(error), _) => return Err(error),
        (None, Some(error)) => collector.broken(read + 1, error.to_string())?,
        (None, None) => {}
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
    stopped: Option<E>,
}

impl<S, E: From<Error>> Records<'_, '_, S, E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    fn take(&mut self, json: &str) -> Result<(), E> {
        self.read += 1;
        self.limit.reset();
        let account = self.options.account.as_ref();
        let parsed = HistoryRecord::parse(json).and_then(|record| {
            let id = record.conversation_id()?.to_owned();
            segments(&record, &id, account).map_err(|error| Error::Conversation { id, reason: error.to_string() })
        });
        match parsed {
            Ok(segments) => segments.into_iter().try_for_each(|segment| self.collector.take(self.read, Ok(segment))),
            Err(error) => self.collector.take(self.read, Err(error)),
        }
    }
}

/// The closed segments of a conversation, all of them valid.
fn segments(record: &HistoryRecord, id: &str, account: Option<&AccountId>) -> crate::Result<Vec<Segment<'static>>> {
    let account = AccountId::of_record(record.brand_id(), account)?;
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
                page.next_value_seed(RecordList(self.0))?;
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

/// The records of a page.
struct RecordList<'p, 'c, 'o, S, E>(&'p mut Records<'c, 'o, S, E>);

impl<'de, S, E: From<Error>> DeserializeSeed<'de> for RecordList<'_, '_, '_, S, E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S, E: From<Error>> Visitor<'de> for RecordList<'_, '_, '_, S, E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records of conversations")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(record) = list.next_element::<Box<RawValue>>()? {
            if let Err(error) = self.0.take(record.get()) {
                self.0.stopped = Some(error);
                return Err(de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}
