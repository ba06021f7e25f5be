use std::borrow::Cow;

use arrow::array::RecordBatch;

use super::{Chunk, ReadOptions, Rejection};
use crate::{Error, Result, Segment, SegmentBatchBuilder, SegmentRows, normalize_encoding, schema};

/// Rows that a builder has room for before it grows; most requests have no more.
const FIRST_CAPACITY: usize = 1024;

/// Checks records one by one and hands them on in chunks.
pub(super) struct Collector<'o, S> {
    /// The format's name.
    format: &'static str,
    options: &'o ReadOptions,
    builder: SegmentBatchBuilder,
    lines: Vec<u64>,
    rejected: Vec<Rejection>,
    sink: S,
}

impl<'o, S> Collector<'o, S> {
    pub(super) fn new(format: &'static str, options: &'o ReadOptions, sink: S) -> Self {
        let builder = SegmentBatchBuilder::with_capacity(options.chunk_rows.min(FIRST_CAPACITY));
        Self { format, options, builder, lines: Vec::new(), rejected: Vec::new(), sink }
    }

    /// Takes the record numbered `line`, or the reason why it could not be read.
    pub(super) fn take<E: From<Error>>(&mut self, line: u64, record: Result<Segment<'_>>) -> std::result::Result<(), E>
    where
        S: FnMut(Chunk) -> std::result::Result<(), E>,
    {
        match record.and_then(|segment| self.checked(segment)) {
            Ok(segment) => {
                self.builder.append(&segment);
                self.lines.push(line);
            }
            Err(error) => self.rejected.push(Rejection { line, error }),
        }
        if self.lines.len().max(self.rejected.len()) >= self.options.chunk_rows { self.flush() } else { Ok(()) }
    }

    /// Takes all rows of a batch as they are, of which the first comes after the record numbered `line`; tells whether it
    /// has. It does where the batch is of the schema of segments and nothing is wrong with any row: copying them one
    /// by one would take as long as checking them.
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
            && has_schema(batch)
            && (0..rows.len()).all(|row| rows.segment(row).is_ok_and(|segment| self.is_right(&segment)));
        if !is_whole {
            return Ok(false);
        }
        let Ok(batch) = normalize_encoding(batch) else { return Ok(false) };
        // Rows that came before stay before.
        if !self.lines.is_empty() || !self.rejected.is_empty() {
            self.flush()?;
        }
        let lines = (line..).skip(1).take(rows.len()).collect();
        (self.sink)(Chunk { batch, lines, rejected: Vec::new() })?;
        Ok(true)
    }

    /// Whether a record needs neither a change nor a rejection.
    fn is_right(&self, segment: &Segment<'_>) -> bool {
        let is_of_account = match &self.options.account {
            Some(account) => segment.account_id == account.as_str(),
            None => !segment.account_id.is_empty(),
        };
        is_of_account && segment.validate().is_ok()
    }

    /// The input became unreadable at the record numbered `line`: fatal at its beginning, a rejection later.
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

    /// Hands on what is left.
    pub(super) fn finish<E: From<Error>>(mut self) -> std::result::Result<(), E>
    where
        S: FnMut(Chunk) -> std::result::Result<(), E>,
    {
        if self.lines.is_empty() && self.rejected.is_empty() { Ok(()) } else { self.flush() }
    }

    fn flush<E: From<Error>>(&mut self) -> std::result::Result<(), E>
    where
        S: FnMut(Chunk) -> std::result::Result<(), E>,
    {
        let batch = self.builder.finish()?;
        (self.sink)(Chunk {
            batch,
            lines: std::mem::take(&mut self.lines),
            rejected: std::mem::take(&mut self.rejected),
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

/// Whether a batch has every column of a segment, in the type that it has in the schema.
fn has_schema(batch: &RecordBatch) -> bool {
    let has = |field: &arrow::datatypes::FieldRef| {
        batch.column_by_name(field.name()).is_some_and(|column| column.data_type() == field.data_type())
    };
    schema().fields().iter().all(has)
}
