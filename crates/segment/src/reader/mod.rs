//! Readers: bytes in, validated batches of segments out. Records are checked one by one, so that a bad record is
//! rejected alone.
//!
//! Each format has a reader in a file of its own. `Collector` (or, for events, `events.rs`) checks what a reader finds
//! and groups it in chunks.

mod any_case;
mod arrow_file;
mod arrow_schema;
mod arrow_stream;
mod batches;
mod beginning;
mod collector;
mod events;
mod format;
mod history;
mod json_array;
mod json_object;
mod ndjson;
mod parquet;
#[cfg(test)]
mod seeds;
mod table;
#[cfg(test)]
mod tests;
mod unfolding;
mod utf16;

use std::fs::File;
use std::io::{BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::arrow::array::RecordBatch;
use ::bytes::Bytes;

use crate::error::shortened;
use crate::segment::SegmentRecord;
use crate::{AccountId, Error, Segment, TimeZone, ToldConversation, column};
use any_case::AnyCase;
use collector::Collector;
pub use events::{EventChunk, read_events};
pub use format::{Compression, Format};
pub use history::read_history;
pub use table::{MAX_TABLE_BYTES, SmallTable, TableFormat};
/// Looks at Parquet files that others decode.
pub mod parquet_file {
    pub use super::parquet::{TAIL_BYTES, arrow_schema, check_pages, decode_metadata, metadata_length};
}

/// Where the bytes come from. Parquet needs random access, so a stream of it is first read into memory.
pub enum Input {
    /// An open file.
    File(File),
    /// Bytes in memory.
    Bytes(Bytes),
    /// Any other stream.
    Stream(Box<dyn Read>),
}

impl Input {
    /// The same input, decompressed while it is read.
    ///
    /// # Errors
    /// [`Error::Io`] where the decoder cannot be created.
    pub fn decompressed(self, compression: Compression) -> crate::Result<Self> {
        Ok(match compression {
            Compression::None => self,
            Compression::Gzip => Self::Stream(Box::new(flate2::read::MultiGzDecoder::new(self.into_read()))),
            Compression::Zstd => Self::Stream(Box::new(zstd::stream::read::Decoder::new(self.into_read())?)),
        })
    }

    /// The input as a plain stream.
    pub fn into_read(self) -> Box<dyn Read> {
        use ::bytes::Buf;
        match self {
            Self::File(file) => Box::new(file),
            Self::Bytes(bytes) => Box::new(bytes.reader()),
            Self::Stream(stream) => stream,
        }
    }
}

/// How an input is read.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// The account that every record must be of. Records that name none get it.
    pub account: Option<AccountId>,
    /// The maximum number of rows in a chunk.
    pub chunk_rows: usize,
    /// The number of bytes that the records may unfold to, in a format in which a few bytes can stand for many records;
    /// `None` is any number. A record counts for 128 bytes and its texts.
    pub most_unfolded: Option<u64>,
    /// The time zone of times that name none. Without it, text of such a time is rejected, and timestamps of Arrow and
    /// Parquet without a zone are in UTC.
    pub time_zone: Option<TimeZone>,
    /// Is set when nobody waits for the outcome any more. Reading ends then.
    pub is_abandoned: Option<Arc<AtomicBool>>,
    /// Whether the records of a message history are kept, so that they can be sent on.
    pub keeps_records: bool,
}

impl Default for ReadOptions {
    /// Any account, and chunks of some megabytes, from an input that is the user's own.
    fn default() -> Self {
        Self {
            account: None,
            chunk_rows: 1 << 16,
            most_unfolded: None,
            time_zone: None,
            is_abandoned: None,
            keeps_records: false,
        }
    }
}

impl ReadOptions {
    /// # Errors
    /// [`Error::Abandoned`] where nobody waits for the outcome any more.
    fn check_awaited(&self) -> crate::Result<()> {
        let is_abandoned = self.is_abandoned.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed));
        if is_abandoned { Err(Error::Abandoned) } else { Ok(()) }
    }

    /// The account of a record that names `named` as its account; empty text names none.
    ///
    /// # Errors
    /// Where neither the record nor the options name an account, or where they name different ones.
    fn account_of<'a>(&'a self, named: &'a str) -> crate::Result<&'a str> {
        match &self.account {
            None if named.is_empty() => {
                Err(Error::Value { column: column::ACCOUNT_ID, problem: "missing, and no account was named" })
            }
            None => Ok(named),
            Some(account) if named.is_empty() || named == account.as_str() => Ok(account.as_str()),
            Some(account) => Err(Error::AccountMismatch { found: shortened(named), expected: account.to_string() }),
        }
    }
}

/// A part of an input: its valid segments, and the records that were rejected.
#[derive(Debug)]
pub struct Chunk {
    /// The valid segments in the input's order, as a batch of [`schema`](crate::schema()).
    pub batch: RecordBatch,
    /// For each row of `batch`, the 1-based number of its record in the input; in NDJSON, of its line.
    pub lines: Vec<u64>,
    /// The rejected records.
    pub rejected: Rejections,
    /// The conversations that the chunk's records tell of, where it is of a message history.
    pub told: Vec<ToldRecord>,
}

/// What a record of a message history tells beside closed segments.
#[derive(Debug)]
pub struct ToldRecord {
    /// The 1-based number of the record in the input.
    pub line: u64,
    /// The conversation, as the record leaves it.
    pub told: ToldConversation,
    /// The record in one line, with everything that its segments depend on; `None` unless
    /// [records are kept](ReadOptions::keeps_records).
    pub json: Option<String>,
}

/// The rejected records of a chunk.
#[derive(Debug, Default)]
pub struct Rejections {
    /// The first of them. No more are kept, since a short input can have very many.
    pub first: Vec<Rejection>,
    /// The number of all.
    pub count: usize,
}

impl Rejections {
    const MOST_KEPT: usize = 1000;

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether one more would be kept.
    fn keeps_more(&self) -> bool {
        self.first.len() < Self::MOST_KEPT
    }

    fn push(&mut self, line: u64, error: Error) {
        self.count = self.count.saturating_add(1);
        if self.keeps_more() {
            self.first.push(Rejection { line, error });
        }
    }
}

/// A rejected record.
#[derive(Debug)]
pub struct Rejection {
    /// The 1-based number of the record in the input; in NDJSON, of its line.
    pub line: u64,
    /// Why it was rejected.
    pub error: Error,
}

/// Reads segments of `format` from `input` and passes them to `sink` in chunks.
///
/// # Errors
/// Where nothing can be read at all (another format, a missing column), and the errors of `sink`. If an input breaks
/// off after its first records, those count, and the break is a [`Rejection`] with [`Error::BreaksOff`].
pub fn read_segments<E: From<Error>>(
    format: Format,
    input: Input,
    options: &ReadOptions,
    sink: impl FnMut(Chunk) -> Result<(), E>,
) -> Result<(), E> {
    let mut collector = Collector::new(format.name(), options, sink);
    match format {
        Format::Ndjson => ndjson::read(beginning::text(input, format.name())?, |line, json| match json {
            Err(Error::Io(error)) => collector.broken(line, error.to_string()),
            json => {
                let record = json.and_then(|json| segment(json, options, collector.tells()));
                collector.take(line, record)
            }
        }),
        Format::Json => json_array::read(beginning::text(input, format.name())?, options, &mut collector),
        Format::Arrow => arrow_stream::read(columns(format, input)?, &mut collector),
        Format::Parquet => parquet::read(columns(format, input)?, &mut collector),
    }?;
    collector.finish()
}

/// The input of a format of columns, unless its first bytes show something else.
fn columns(format: Format, input: Input) -> crate::Result<Input> {
    let (first, input) = input.peeked()?;
    match beginning::other_than(format, &first) {
        Some(reason) => Err(Error::Unreadable { format: format.name(), reason }),
        None => Ok(input),
    }
}

/// The segment in a JSON object. Why there is none is only found out if it `is_told`.
fn segment<'j>(json: &'j [u8], options: &ReadOptions, is_told: bool) -> crate::Result<Segment<'j>> {
    let AnyCase::<SegmentRecord<'_>>(record) = json_object::parse_told(json, is_told)?;
    record.segment(options.time_zone.as_ref())
}

fn buffered<R: Read>(input: R) -> BufReader<R> {
    const CAPACITY: usize = 1 << 17;
    BufReader::with_capacity(CAPACITY, input)
}
