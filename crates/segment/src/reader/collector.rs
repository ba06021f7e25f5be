//! Validates the records of all readers of segments, and groups them in chunks.

use std::borrow::Cow;

use arrow::array::RecordBatch;

use super::unfolding::{ROW_BYTES, Unfolding};
use super::{Chunk, ReadOptions, Rejections, ToldRecord};
use crate::batch::{record_columns, record_schema};
use crate::instant::InSeconds;
use crate::{Error, Result, Segment, SegmentBatchBuilder, SegmentRows, TimeZone, normalize_encoding};

/// The initial capacity of a builder, in rows. Most requests have no more.
const FIRST_CAPACITY: usize = 1024;

/// A chunk with so many bytes of text is passed on, however few its rows are.
const MAX_CHUNK_TEXT_BYTES: u64 = 256 << 20;

/// After so many records, it is asked whether somebody still waits for the outcome.
const RECORDS_BETWEEN_QUESTIONS: u64 = 1024;

/// Checks records one by one, and passes them to a sink in chunks.
pub(super) struct Collector<'o, S> {
    /// The name of the format, for errors.
    format: &'static str,
    options: &'o ReadOptions,
    builder: SegmentBatchBuilder,
    lines: Vec<u64>,
    rejected: Rejections,
    told: Vec<ToldRecord>,
    /// The bytes of text in `builder`, and in records that are told.
    text_bytes: u64,
    unfolding: Unfolding,
    taken: u64,
    in_seconds: InSeconds,
    sink: S,
}

impl<'o, S> Collector<'o, S> {
    pub(super) fn new(format: &'static str, options: &'o ReadOptions, sink: S) -> Self {
        let builder = SegmentBatchBuilder::with_capacity(options.chunk_rows.min(FIRST_CAPACITY));
        let unfolding = Unfolding::within(options.most_unfolded);
        let rejected = Rejections::default();
        Self {
            format,
            options,
            builder,
            lines: Vec::new(),
            rejected,
            told: Vec::new(),
            text_bytes: 0,
            unfolding,
            taken: 0,
            in_seconds: InSeconds::default(),
            sink,
        }
    }

    /// The number of bytes that the input may unfold to.
    pub(super) fn most_unfolded(&self) -> Option<u64> {
        self.options.most_unfolded
    }

    /// The time zone of times that name none.
    pub(super) fn time_zone(&self) -> Option<&'o TimeZone> {
        self.options.time_zone.as_ref()
    }

    /// # Errors
    /// [`Error::Abandoned`] where nobody waits for the outcome any more.
    pub(super) fn check_awaited(&self) -> Result<()> {
        self.options.check_awaited()
    }

    /// Whether it matters why the next record is rejected.
    pub(super) fn tells(&self) -> bool {
        self.rejected.keeps_more()
    }

    /// Makes sure that the rows of a batch may still be taken.
    ///
    /// # Errors
    /// [`Error::UnfoldsTooFar`] and [`Error::Abandoned`].
    pub(super) fn begin_batch(&mut self, rows: &SegmentRows) -> Result<()> {
        self.options.check_awaited()?;
        self.unfolding.add((rows.len() as u64).saturating_mul(ROW_BYTES).saturating_add(rows.text_bytes()))
    }

    /// Takes the record numbered `line`, or the reason why it could not be read.
    pub(super) fn take<E: From<Error>>(&mut self, line: u64, record: Result<Segment<'_>>) -> std::result::Result<(), E>
    where
        S: FnMut(Chunk) -> std::result::Result<(), E>,
    {
        if let Ok(segment) = &record {
            self.in_seconds.see(segment.end_time);
        }
        match record.and_then(|segment| self.checked(segment)) {
            Ok(segment) => {
                self.builder.append(&segment);
                self.lines.push(line);
                self.text_bytes = self.text_bytes.saturating_add(text_bytes(&segment));
            }
            Err(error) => self.rejected.push(line, error),
        }
        self.taken = self.taken.wrapping_add(1);
        if self.taken.is_multiple_of(RECORDS_BETWEEN_QUESTIONS) {
            self.options.check_awaited()?;
        }
        self.flush_if_full()
    }

    /// Takes what a record tells of a conversation beside its closed segments.
    pub(super) fn tell<E: From<Error>>(&mut self, told: ToldRecord) -> std::result::Result<(), E>
    where
        S: FnMut(Chunk) -> std::result::Result<(), E>,
    {
        let bytes = told.told.conversation.len().saturating_add(told.json.as_ref().map_or(0, String::len));
        self.text_bytes = self.text_bytes.saturating_add(bytes as u64);
        self.told.push(told);
        self.flush_if_full()
    }

    /// Makes sure that one record may unfold to so many bytes.
    ///
    /// # Errors
    /// [`Error::UnfoldsTooFar`] where it may not.
    pub(super) fn check_unfolding(&self, bytes: u64) -> Result<()> {
        self.unfolding.allows(bytes)
    }

    fn flush_if_full<E: From<Error>>(&mut self) -> std::result::Result<(), E>
    where
        S: FnMut(Chunk) -> std::result::Result<(), E>,
    {
        let is_full = self.lines.len().max(self.rejected.count).max(self.told.len()) >= self.options.chunk_rows
            || self.text_bytes >= MAX_CHUNK_TEXT_BYTES;
        if is_full { self.flush() } else { Ok(()) }
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.rejected.is_empty() && self.told.is_empty()
    }

    /// Takes a whole batch without copying its rows one by one, which would take as long as checking them. Returns
    /// false, and takes nothing, if the batch has another schema or any row is invalid. `line` is the number of the
    /// record before the first row.
    pub(super) fn take_whole<E: From<Error>>(
        &mut self,
        batch: &RecordBatch,
        rows: &SegmentRows,
        line: u64,
    ) -> std::result::Result<bool, E>
    where
        S: FnMut(Chunk) -> std::result::Result<(), E>,
    {
        let is_whole = rows.len() <= self.options.chunk_rows
            && rows.text_bytes() <= MAX_CHUNK_TEXT_BYTES
            && has_schema(batch)
            && (0..rows.len()).all(|row| rows.segment(row).is_ok_and(|segment| self.is_right(&segment)));
        if !is_whole {
            return Ok(false);
        }
        let Ok(batch) = record_columns(batch).and_then(|batch| normalize_encoding(&batch)) else { return Ok(false) };
        if self.in_seconds.is_open() {
            (0..rows.len()).filter_map(|row| rows.segment(row).ok()).for_each(|row| self.in_seconds.see(row.end_time));
            self.in_seconds.check()?;
        }
        // Earlier rows keep their place before the batch.
        if !self.is_empty() {
            self.flush()?;
        }
        let lines = (line..).skip(1).take(rows.len()).collect();
        (self.sink)(Chunk { batch, lines, rejected: Rejections::default(), told: Vec::new() })?;
        Ok(true)
    }

    /// Whether a record can be taken as it is.
    fn is_right(&self, segment: &Segment<'_>) -> bool {
        let is_of_account = match &self.options.account {
            Some(account) => segment.account_id == account.as_str(),
            None => !segment.account_id.is_empty(),
        };
        is_of_account && segment.validate().is_ok()
    }

    /// Ends an input that became unreadable at the record numbered `line`. This is an error at the first record, and a
    /// rejection later.
    pub(super) fn broken<E: From<Error>>(&mut self, line: u64, reason: String) -> std::result::Result<(), E>
    where
        S: FnMut(Chunk) -> std::result::Result<(), E>,
    {
        let format = self.format;
        if line <= 1 {
            return Err(Error::Unreadable { format, reason }.into());
        }
        self.take(line, Err(Error::BreaksOff { format, reason }))
    }

    /// Passes on the last chunk.
    pub(super) fn finish<E: From<Error>>(mut self) -> std::result::Result<(), E>
    where
        S: FnMut(Chunk) -> std::result::Result<(), E>,
    {
        if self.is_empty() { Ok(()) } else { self.flush() }
    }

    fn flush<E: From<Error>>(&mut self) -> std::result::Result<(), E>
    where
        S: FnMut(Chunk) -> std::result::Result<(), E>,
    {
        self.in_seconds.check()?;
        let batch = self.builder.finish()?;
        self.text_bytes = 0;
        (self.sink)(Chunk {
            batch,
            lines: std::mem::take(&mut self.lines),
            rejected: std::mem::take(&mut self.rejected),
            told: std::mem::take(&mut self.told),
        })
    }

    fn checked<'a>(&self, mut segment: Segment<'a>) -> Result<Segment<'a>>
    where
        'o: 'a,
    {
        let account = self.options.account_of(&segment.account_id)?;
        if segment.account_id.is_empty() {
            segment.account_id = Cow::Owned(account.to_owned());
        }
        segment.validate()?;
        Ok(segment)
    }
}

/// The bytes of the texts of a segment that differ from segment to segment.
fn text_bytes(segment: &Segment<'_>) -> u64 {
    let agent = segment.last_agent_id.as_ref().map_or(0, |agent| agent.len());
    (segment.conversation_id.len() + agent) as u64
}

/// Whether a batch has every column of a segment, each with its type in the schema.
fn has_schema(batch: &RecordBatch) -> bool {
    let has = |field: &arrow::datatypes::FieldRef| {
        batch.column_by_name(field.name()).is_some_and(|column| column.data_type() == field.data_type())
    };
    record_schema().fields().iter().all(has)
}
