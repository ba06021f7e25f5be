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
use super::{Chunk, Input, ReadOptions, ToldRecord, beginning, buffered};
use crate::{AccountId, Error, Segment, ToldConversation};
use conversation::Replayed;
use limited::Limited;
use record::HistoryRecord;

const FORMAT: &str = "message history";

/// The maximum number of bytes from one record to the next, so that no input can use up all memory.
const MAX_RECORD_BYTES: u64 = 64 << 20;

/// Reads the closed segments of conversations from pages of message history, and passes them to `sink` in chunks. Pages
/// may follow one another or be in an array, and so may records without a page around them. All segments of a
/// conversation are taken, or its record is rejected. Records are numbered through all pages. Each chunk tells, too, in
/// which state the records leave their conversations.
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
        let parsed = self.parse(json);
        self.stopped = match parsed {
            Ok((segments, told)) => segments
                .into_iter()
                .try_for_each(|segment| self.collector.take(self.read, Ok(segment)))
                .and_then(|()| self.collector.tell(told)),
            Err(error) => self.collector.take(self.read, Err(error)),
        };
        if self.stopped.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn parse(&self, json: &str) -> crate::Result<(Vec<Segment<'static>>, ToldRecord)> {
        self.collector.check_unfolding(unfolding_of(json))?;
        let record = HistoryRecord::parse(json)?;
        let id = record.conversation_id()?.to_owned();
        let taken = take_record(&record, &id, self.options);
        let (segments, told) = taken.map_err(|error| Error::Conversation { id, reason: error.to_string() })?;
        let json = if self.options.keeps_records { Some(record.to_line()?) } else { None };
        Ok((segments, ToldRecord { line: self.read, told, json }))
    }
}

/// About the most bytes that a record can take once it is parsed: each part of it is an object.
fn unfolding_of(json: &str) -> u64 {
    const PART_BYTES: u64 = 160;
    let parts = json.bytes().filter(|byte| *byte == b'{').count() as u64;
    parts.saturating_mul(PART_BYTES).saturating_add(json.len() as u64)
}

/// The closed segments of a conversation, and the state in which its record leaves it. All segments are valid.
fn take_record(
    record: &HistoryRecord,
    id: &str,
    options: &ReadOptions,
) -> crate::Result<(Vec<Segment<'static>>, ToldConversation)> {
    let account = options.account_of(record.brand_id())?;
    record.check_complete()?;
    let replayed = conversation::replay(record)?;
    let segments_of = |replayed: &Replayed| replayed.segments(account, id, record.info.source.as_deref());
    let segments = segments_of(&replayed);
    segments.iter().try_for_each(Segment::validate)?;
    replayed.check_open(account, id)?;
    // Words that nobody knows cost nothing where every meaning gives the same segments.
    for (meaning, unknown) in unknown::meanings(record)? {
        let is_same = |other: &Replayed| segments_of(other) == segments && replayed.goes_on_like(other);
        if !conversation::replay(&meaning).as_ref().is_ok_and(is_same) {
            return Err(unknown);
        }
    }
    let told = ToldConversation {
        account: AccountId::parse(account)?,
        conversation: id.into(),
        until: record.last_time(),
        state: replayed.state,
    };
    Ok((segments, told))
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
