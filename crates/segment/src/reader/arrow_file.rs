//! Reads Arrow IPC files by their footer, which says where the batches are. What is between them is each writer's own:
//! some leave out the schema or the end mark, and some put no length before the schema.
//!
//! ```text
//! ARROW1 ─ schema ─ dictionaries ─ batches ─ end mark ─ footer ─ its length ─ ARROW1
//! ```

use std::io::BufReader;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::convert::fb_to_schema;
use arrow::ipc::reader::FileDecoder;
use arrow::ipc::{Block, Footer, root_as_footer, root_as_message};
use parquet::file::reader::ChunkReader;

use super::arrow_stream::{Messages, read_stream};
use super::batches::{check_columns, guarded, take_rows};
use super::beginning::ARROW_FILE;
use super::collector::Collector;
use super::{Chunk, arrow_schema};
use crate::{Error, Format};

/// The end of a file: the length of the footer, and the magic word.
const TAIL_BYTES: u64 = 10;

/// After the last batch and before the footer is an end mark, and zeros up to the alignment.
const MAX_GAP_BYTES: u64 = 128;

/// Zeros fill up the magic word at the beginning up to the alignment, which is 64 at most.
const MAX_BEGINNING_BYTES: u64 = 64;

/// A footer has at most so many bytes. A batch takes 24 of them.
const MAX_FOOTER_BYTES: u64 = 64 << 20;

/// A file may be put together of so many files.
const MAX_FILES: usize = 1024;

/// A file within the input.
struct Part {
    /// Where it begins in the input.
    start: u64,
    footer: Vec<u8>,
}

/// Reads a file, or several one after the other. `line` is the number of the record before the first.
pub(super) fn read<E: From<Error>, S>(
    input: &impl ChunkReader,
    mut line: u64,
    collector: &mut Collector<'_, S>,
) -> std::result::Result<(), E>
where
    S: FnMut(Chunk) -> std::result::Result<(), E>,
{
    match parts(input) {
        Ok(parts) => {
            for part in parts {
                match read_part(input, &part, line, collector)? {
                    Some(last) => line = last,
                    None => return Ok(()),
                }
            }
            Ok(())
        }
        Err(reason) => read_without_footer(input, &reason, line, collector),
    }
}

/// The files in the input, in their order.
fn parts(input: &impl ChunkReader) -> std::result::Result<Vec<Part>, String> {
    let (mut end, mut parts) = (input.len(), Vec::new());
    while end > 0 {
        let part = last_part(input, end)?;
        end = part.start;
        parts.push(part);
        if parts.len() > MAX_FILES {
            return Err(format!("it is made of more than {MAX_FILES} files"));
        }
    }
    parts.reverse();
    Ok(parts)
}

/// The file that ends at `end`.
fn last_part(input: &impl ChunkReader, end: u64) -> std::result::Result<Part, String> {
    let tail_at = end.checked_sub(TAIL_BYTES).ok_or("it is too short")?;
    let tail = bytes(input, tail_at, TAIL_BYTES)?;
    let (length, magic) = tail.split_first_chunk().ok_or("it is too short")?;
    if magic != ARROW_FILE {
        return Err("its end is missing".to_owned());
    }
    let length = u64::try_from(i32::from_le_bytes(*length)).map_err(|_| "its footer has no valid length")?;
    if length > MAX_FOOTER_BYTES {
        return Err(format!("its footer has {length} bytes; at most {MAX_FOOTER_BYTES} are taken"));
    }
    let footer_at = tail_at.checked_sub(length).ok_or("its footer is longer than the file")?;
    let footer = bytes(input, footer_at, length)?;
    let last = {
        let footer = parsed(&footer)?;
        let ends = blocks(&footer).map(|block| range(&block).map(|range| range.end));
        ends.collect::<std::result::Result<Vec<_>, _>>()?.into_iter().max()
    };
    let start = start_of(input, footer_at, last, length)?;
    Ok(Part { start, footer })
}

/// Where a file begins whose footer is at `footer_at`, and whose last batch ends `last` bytes after its beginning.
fn start_of(
    input: &impl ChunkReader,
    footer_at: u64,
    last: Option<u64>,
    footer_length: u64,
) -> std::result::Result<u64, String> {
    // Without batches there is a schema, which is about as long as the footer.
    let (batches, gap) = match last {
        Some(last) => (last, MAX_GAP_BYTES),
        None => (0, footer_length.saturating_mul(2).saturating_add(MAX_GAP_BYTES)),
    };
    let latest = footer_at.checked_sub(batches).ok_or("its footer tells of more than there is")?;
    let earliest = latest.saturating_sub(gap);
    let searched = bytes(input, earliest, latest.saturating_add(ARROW_FILE.len() as u64).min(footer_at) - earliest)?;
    let found = searched.windows(ARROW_FILE.len()).rposition(|window| window == ARROW_FILE);
    let found = found.ok_or("its beginning is not where its footer says")?;
    Ok(earliest.saturating_add(found as u64))
}

fn parsed(footer: &[u8]) -> std::result::Result<Footer<'_>, String> {
    root_as_footer(footer).map_err(|error| format!("its footer cannot be read: {error}"))
}

fn blocks<'f>(footer: &Footer<'f>) -> impl Iterator<Item = Block> + 'f {
    footer.dictionaries().into_iter().flatten().chain(footer.recordBatches().into_iter().flatten()).copied()
}

/// The bytes of a message, after the beginning of its file.
fn range(block: &Block) -> std::result::Result<Range<u64>, String> {
    let number = |number: i64| u64::try_from(number).map_err(|_| "its footer has a negative length".to_owned());
    let start = number(block.offset())?;
    let metadata = number(i64::from(block.metaDataLength()))?;
    let end = start.checked_add(metadata).and_then(|end| end.checked_add(number(block.bodyLength()).ok()?));
    Ok(start..end.ok_or("its footer has a length that no file has")?)
}

/// Reads a file. `None` where it was told to be unreadable in part.
fn read_part<E: From<Error>, S>(
    input: &impl ChunkReader,
    part: &Part,
    mut line: u64,
    collector: &mut Collector<'_, S>,
) -> std::result::Result<Option<u64>, E>
where
    S: FnMut(Chunk) -> std::result::Result<(), E>,
{
    let unreadable = |reason| Error::Unreadable { format: Format::Arrow.name(), reason };
    let footer = parsed(&part.footer).map_err(unreadable)?;
    let schema = schema_of(&footer).map_err(unreadable)?;
    check_columns(&schema, Format::Arrow)?;
    let mut decoder = FileDecoder::new(schema, footer.version());
    let mut messages = Messages::within(collector.most_unfolded());
    let mut left = input.len();
    let dictionaries = footer.dictionaries().map_or(0, |blocks| blocks.len());
    for (number, block) in blocks(&footer).enumerate() {
        collector.check_awaited()?;
        let decoded = message(input, part.start, &block, &mut left, &mut messages).and_then(|message| {
            if number < dictionaries {
                guarded(|| decoder.read_dictionary(&block, &message)).map(|()| None)
            } else {
                guarded(|| decoder.read_record_batch(&block, &message))
            }
        });
        match decoded {
            Ok(Some(batch)) => line = take_rows(&batch, line, collector)?,
            Ok(None) => {}
            Err(reason) => {
                collector.broken(line + 1, reason)?;
                return Ok(None);
            }
        }
    }
    Ok(Some(line))
}

/// Passes on the batches of a file whose columns may be any, and tells which they are.
///
/// # Errors
/// Where it cannot be read to its end, and the errors of `take`.
pub(super) fn each_batch(
    input: &impl ChunkReader,
    most_unfolded: Option<u64>,
    mut take: impl FnMut(RecordBatch) -> crate::Result<()>,
) -> crate::Result<SchemaRef> {
    let unreadable = |reason| Error::Unreadable { format: Format::Arrow.name(), reason };
    let part = last_part(input, input.len()).map_err(unreadable)?;
    if part.start != 0 {
        return Err(unreadable("it is several files put together: import each by itself".to_owned()));
    }
    let footer = parsed(&part.footer).map_err(unreadable)?;
    let schema = schema_of(&footer).map_err(unreadable)?;
    let mut decoder = FileDecoder::new(Arc::clone(&schema), footer.version());
    let (mut messages, mut left) = (Messages::within(most_unfolded), input.len());
    let dictionaries = footer.dictionaries().map_or(0, |blocks| blocks.len());
    for (number, block) in blocks(&footer).enumerate() {
        let message = message(input, 0, &block, &mut left, &mut messages).map_err(unreadable)?;
        if number < dictionaries {
            guarded(|| decoder.read_dictionary(&block, &message)).map_err(unreadable)?;
        } else if let Some(batch) = guarded(|| decoder.read_record_batch(&block, &message)).map_err(unreadable)? {
            take(batch)?;
        }
    }
    Ok(schema)
}

fn schema_of(footer: &Footer<'_>) -> std::result::Result<SchemaRef, String> {
    let schema = footer.schema().ok_or("its footer has no schema")?;
    arrow_schema::check(schema)?;
    guarded(|| Ok::<Schema, String>(fb_to_schema(schema))).map(Arc::new)
}

/// The bytes of a message, once it is known that they may be decoded. All messages together have no more than there
/// are: none is read twice.
fn message(
    input: &impl ChunkReader,
    start: u64,
    block: &Block,
    left: &mut u64,
    messages: &mut Messages,
) -> std::result::Result<Buffer, String> {
    let range = range(block)?;
    let length = range.end - range.start;
    *left = left.checked_sub(length).ok_or("its batches overlap")?;
    let bytes = bytes(input, start.saturating_add(range.start), length)?;
    let metadata_length = usize::try_from(block.metaDataLength()).unwrap_or_default();
    let (metadata, body) = bytes.split_at_checked(metadata_length).ok_or("it ends within a message")?;
    // Old writers put the length alone before a message.
    let prefix = if metadata.starts_with(&[0xFF; 4]) { 8 } else { 4 };
    let parsed = root_as_message(metadata.get(prefix..).ok_or("a message is too short")?);
    messages.check(&parsed.map_err(|error| error.to_string())?, body)?;
    Ok(Buffer::from_vec(bytes))
}

/// Reads a file whose footer cannot be read, because it was cut off, say: its batches from the beginning on. That is
/// told after them.
fn read_without_footer<E: From<Error>, S>(
    input: &impl ChunkReader,
    reason: &str,
    line: u64,
    collector: &mut Collector<'_, S>,
) -> std::result::Result<(), E>
where
    S: FnMut(Chunk) -> std::result::Result<(), E>,
{
    let unreadable = |reason| Error::Unreadable { format: super::Format::Arrow.name(), reason };
    let first = bytes(input, 0, MAX_BEGINNING_BYTES.min(input.len())).map_err(unreadable)?;
    let zeros = first.iter().skip(ARROW_FILE.len()).take_while(|byte| **byte == 0).count();
    let rest = input.get_read(ARROW_FILE.len() as u64 + zeros as u64);
    let rest = rest.map_err(|error| unreadable(error.to_string()))?;
    match read_stream(&mut BufReader::new(rest), line, collector)? {
        Some(line) => collector.broken(line + 1, reason.to_owned()),
        None => Ok(()),
    }
}

fn bytes(input: &impl ChunkReader, from: u64, length: u64) -> std::result::Result<Vec<u8>, String> {
    if from.checked_add(length).is_none_or(|end| end > input.len()) {
        return Err("it ends within a message".to_owned());
    }
    let length = usize::try_from(length).map_err(|_| "a message is too long")?;
    input.get_bytes(from, length).map(Into::into).map_err(|error| error.to_string())
}
