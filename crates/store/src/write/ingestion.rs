//! From an input to appends, chunk by chunk.

use arrow::array::RecordBatch;
use skillscope_segment::{
    Chunk, EventBatch, EventChunk, Format, Input, ReadOptions, Rejections, ToldRecord, read_events, read_history,
    read_segments,
};

use super::appended::Appended;

/// The kinds of records that an input can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// Closed segments, in one of the formats for them.
    Segments(Format),
    /// Conversation events in NDJSON.
    Events,
    /// The conversations in an export of message history, of which the segments are stored, and which are followed from
    /// there on.
    History,
}

/// Takes the records of an input: a [`Store`](crate::Store), or a client that sends them to one.
pub trait RecordSink {
    /// Why records could not be taken.
    type Error: From<skillscope_segment::Error>;

    /// Takes a batch of [`skillscope_segment::schema`], whose rows have been validated.
    ///
    /// # Errors
    /// Nothing of the batch counts then.
    fn append(&mut self, batch: &RecordBatch) -> Result<Appended, Self::Error>;

    /// Takes a part of a message history: a batch of segments, the number of the record of each row, and what the
    /// records tell of their conversations. The refused records are told by their rows.
    ///
    /// # Errors
    /// Nothing of it counts then.
    fn append_history(
        &mut self,
        batch: &RecordBatch,
        lines: &[u64],
        told: Vec<ToldRecord>,
    ) -> Result<Appended, Self::Error>;

    /// Takes conversation events.
    ///
    /// # Errors
    /// No event has had an effect then.
    fn append_events(&mut self, events: EventBatch) -> Result<Appended, Self::Error>;

    /// Is told after each chunk the outcome for all records so far.
    fn progress(&mut self, _so_far: &Ingested) {}
}

/// The outcome for the records of an input.
#[derive(Debug, Default, Clone)]
pub struct Ingested {
    /// Segments that are stored now, or events that are taken in, and were not before.
    pub accepted: u64,
    /// Segments or events that had been delivered before.
    pub duplicates: u64,
    /// Records that were not taken.
    pub rejected_count: u64,
    /// Conversations that a message history has as open, and that are followed from there on.
    pub followed: u64,
    /// The first of them, in the input's order.
    pub rejected: Vec<RejectedRecord>,
}

/// A record that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRecord {
    /// 1-based number of the record in the input; in NDJSON, of its line.
    pub line: u64,
    /// Why, in plain words.
    pub error: String,
}

impl Ingested {
    /// As many rejected records are listed; all are counted.
    pub const MOST_LISTED: usize = Appended::MOST_LISTED;

    fn add(&mut self, lines: &[u64], unreadable: Rejections, appended: Appended) {
        self.accepted += appended.accepted as u64;
        self.duplicates += appended.duplicates as u64;
        self.followed += appended.followed as u64;
        self.rejected_count += unreadable.count.saturating_add(appended.refused_count) as u64;
        let room = Self::MOST_LISTED.saturating_sub(self.rejected.len());
        let unreadable =
            unreadable.first.into_iter().take(room).map(|rejection| (rejection.line, rejection.error.to_string()));
        let refused = appended.refused.into_iter().take(room).map(|row| {
            let line = lines.get(row.row).copied().unwrap_or_default();
            (line, row.reason)
        });
        let mut listed: Vec<_> =
            unreadable.chain(refused).map(|(line, error)| RejectedRecord { line, error }).collect();
        listed.sort_by_key(|record| record.line);
        self.rejected.extend(listed.into_iter().take(room));
    }
}

/// Reads `records` from `input` and gives them to `sink`, chunk by chunk. Of history, segments are counted.
///
/// # Errors
/// Where nothing can be read at all, and where `sink` fails; chunks before it stay stored.
pub fn ingest<S: RecordSink>(
    records: Records,
    input: Input,
    options: &ReadOptions,
    mut sink: S,
) -> Result<Ingested, S::Error> {
    let mut ingested = Ingested::default();
    match records {
        Records::Segments(format) => {
            read_segments(format, input, options, |chunk| add_segments(&mut ingested, &mut sink, chunk))?;
        }
        Records::History => read_history(input, options, |Chunk { batch, lines, rejected, told }| {
            let appended = sink.append_history(&batch, &lines, told)?;
            ingested.add(&lines, rejected, appended);
            sink.progress(&ingested);
            Ok::<_, S::Error>(())
        })?,
        Records::Events => read_events(input, options, |EventChunk { events, lines, rejected }| {
            let appended = sink.append_events(events)?;
            ingested.add(&lines, rejected, appended);
            sink.progress(&ingested);
            Ok::<_, S::Error>(())
        })?,
    }
    Ok(ingested)
}

fn add_segments<S: RecordSink>(ingested: &mut Ingested, sink: &mut S, chunk: Chunk) -> Result<(), S::Error> {
    let Chunk { batch, lines, rejected, .. } = chunk;
    let appended = sink.append(&batch)?;
    ingested.add(&lines, rejected, appended);
    sink.progress(ingested);
    Ok(())
}
