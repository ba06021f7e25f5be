//! Reads Arrow IPC streams, one or several.

use std::io::{BufRead, Read};

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::{self, CompressionType, MessageHeader, root_as_message};
use bytes::{Buf, Bytes};

use super::batches::{check_columns, guarded, take_rows};
use super::beginning::ARROW_FILE;
use super::collector::Collector;
use super::{Chunk, Input, arrow_file, arrow_schema, buffered};
use crate::{Error, Format};

/// Precedes the length of a message. Streams of old writers lack it.
const CONTINUATION_MARKER: [u8; 4] = [0xFF; 4];

const END_OF_STREAM: [u8; 8] = [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];

/// The maximum decompressed size of one message, and of all dictionaries of a stream together, which the decoder keeps.
const MAX_UNCOMPRESSED_BYTES: i64 = 1 << 30;

/// Dictionaries that are added to are copied, all copies together so many times the bytes that they may have.
const MOST_COPIES: i64 = 16;

/// Reads an Arrow file, or streams and files one after the other.
pub(super) fn read<E: From<Error>, S>(input: Input, collector: &mut Collector<'_, S>) -> Result<(), E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    let (first, input) = input.peeked()?;
    if first.starts_with(ARROW_FILE) {
        return match input {
            Input::File(file) => arrow_file::read(&file, 0, collector),
            other => read_file_in(other.into_read(), 0, collector),
        };
    }
    let mut input = buffered(input.into_read());
    let mut next = read_stream(&mut input, 0, collector)?;
    while let Some(line) = next {
        match input.fill_buf().map(<[u8]>::first) {
            // Zeros fill up what comes after the end.
            Ok(Some(0)) => input.consume(1),
            Ok(None) => return Ok(()),
            Ok(Some(b'A')) => return read_file_in(input, line, collector),
            Ok(Some(_)) => next = read_stream(&mut input, line, collector)?,
            Err(error) => return collector.broken(line + 1, error.to_string()),
        }
    }
    Ok(())
}

/// Reads a file that cannot be read out of order, and so is read into memory first.
fn read_file_in<E: From<Error>, S>(mut input: impl Read, line: u64, collector: &mut Collector<'_, S>) -> Result<(), E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    let mut bytes = Vec::new();
    if let Err(error) = input.read_to_end(&mut bytes) {
        // What has come is read before that is told.
        arrow_file::read(&Bytes::from(bytes), line, collector)?;
        return Err(Error::Io(error).into());
    }
    arrow_file::read(&Bytes::from(bytes), line, collector)
}

/// Reads a stream up to its end mark, or up to the end of the input. `line` is the number of the record before its
/// first, and that of its last is returned; `None` where it was told to be unreadable from somewhere on.
pub(super) fn read_stream<E: From<Error>, S>(
    input: &mut impl BufRead,
    mut line: u64,
    collector: &mut Collector<'_, S>,
) -> Result<Option<u64>, E>
where
    S: FnMut(Chunk) -> Result<(), E>,
{
    let mut decoder = StreamDecoder::new();
    let mut messages = Messages::within(collector.most_unfolded());
    loop {
        collector.check_awaited()?;
        let message = match messages.next(input) {
            Ok(message) => message,
            Err(reason) => return collector.broken(line + 1, reason).map(|()| None),
        };
        let is_end = message.is_none();
        let batches = match decode(&mut decoder, message.unwrap_or_else(|| END_OF_STREAM.to_vec())) {
            Ok(batches) => batches,
            Err(reason) => return collector.broken(line + 1, reason).map(|()| None),
        };
        for batch in batches {
            line = take_rows(&batch, line, collector)?;
        }
        if is_end {
            break;
        }
    }
    match decoder.schema() {
        Some(schema) => check_columns(&schema, Format::Arrow).map(|()| Some(line)).map_err(E::from),
        None => collector.broken(line + 1, "it is empty".to_owned()).map(|()| None),
    }
}

/// Passes on the batches of a stream or a file, in memory, whose columns may be any, and tells which they are.
///
/// # Errors
/// Where it cannot be read to its end, and the errors of `take`.
pub(super) fn each_batch(
    bytes: Bytes,
    most_unfolded: Option<u64>,
    mut take: impl FnMut(RecordBatch) -> Result<(), Error>,
) -> Result<SchemaRef, Error> {
    if bytes.starts_with(ARROW_FILE) {
        return arrow_file::each_batch(&bytes, most_unfolded, take);
    }
    let unreadable = |reason| Error::Unreadable { format: Format::Arrow.name(), reason };
    let mut input = bytes.reader();
    let (mut decoder, mut messages) = (StreamDecoder::new(), Messages::within(most_unfolded));
    while let Some(message) = messages.next(&mut input).map_err(unreadable)? {
        decode(&mut decoder, message).map_err(unreadable)?.into_iter().try_for_each(&mut take)?;
    }
    decode(&mut decoder, END_OF_STREAM.to_vec()).map_err(unreadable)?.into_iter().try_for_each(&mut take)?;
    decoder.schema().ok_or_else(|| unreadable("it is empty".to_owned()))
}

/// The batches that are complete after `message`. The decoder returns a batch without a body only when more bytes
/// follow.
fn decode(decoder: &mut StreamDecoder, message: Vec<u8>) -> Result<Vec<RecordBatch>, String> {
    let mut bytes = Buffer::from_vec(message);
    let mut batches = Vec::new();
    while !bytes.is_empty() {
        batches.extend(guarded(|| decoder.decode(&mut bytes))?);
    }
    Ok(batches)
}

/// The most that one message may unfold to.
fn most_unfolded(of_input: Option<u64>) -> i64 {
    of_input.and_then(|most| i64::try_from(most).ok()).unwrap_or(i64::MAX).min(MAX_UNCOMPRESSED_BYTES)
}

/// The messages of a stream, framed.
#[derive(Default)]
pub(super) struct Messages {
    has_schema: bool,
    /// What the dictionaries so far unfold to.
    dictionary_bytes: i64,
    /// What all dictionaries have, and what was copied where some were added to.
    added_bytes: i64,
    copied_bytes: i64,
    most: i64,
}

impl Messages {
    /// The messages of an input that may unfold to `most` bytes; `None` is any number.
    pub(super) fn within(most: Option<u64>) -> Self {
        Self { most: most_unfolded(most), ..Self::default() }
    }

    /// The next message as its bytes in the stream: marker, length, metadata and body; `None` at the end of the stream.
    ///
    /// Memory grows with the bytes that arrive, whatever length the message claims. The stream reader of the Arrow
    /// crate would allocate the claimed length first.
    fn next(&mut self, input: &mut impl BufRead) -> Result<Option<Vec<u8>>, String> {
        if input.fill_buf().map_err(|error| error.to_string())?.is_empty() {
            return Ok(None);
        }
        let mut message = exactly(input, 4)?;
        let mut length = word(&message)?;
        if message == CONTINUATION_MARKER {
            message.extend(exactly(input, 4)?);
            length = word(message.get(4..).unwrap_or_default())?;
        }
        if length == 0 {
            return Ok(None);
        }
        let metadata = exactly(input, u64::from(length))?;
        let parsed = root_as_message(&metadata).map_err(|error| error.to_string())?;
        let body_length =
            u64::try_from(parsed.bodyLength()).map_err(|_| "a message has a negative length".to_owned())?;
        let body = exactly(input, body_length)?;
        self.check(&parsed, &body)?;
        message.extend(&metadata);
        message.extend(body);
        Ok(Some(message))
    }

    /// Checks a message before it is decoded.
    pub(super) fn check(&mut self, message: &ipc::Message<'_>, body: &[u8]) -> Result<(), String> {
        if let Some(schema) = message.header_as_schema() {
            if self.has_schema {
                return Err("it has a second schema".to_owned());
            }
            self.has_schema = true;
            return arrow_schema::check(schema);
        }
        let unfolded = unfolded_bytes(message, body, self.most)?;
        let sum = match message.header_type() {
            MessageHeader::DictionaryBatch => {
                self.dictionary_bytes = self.dictionary_bytes.saturating_add(unfolded);
                let stored = i64::try_from(body.len()).unwrap_or(i64::MAX);
                self.added_bytes = self.added_bytes.saturating_add(unfolded).saturating_add(stored);
                if message.header_as_dictionary_batch().is_some_and(|dictionary| dictionary.isDelta()) {
                    // The whole dictionary is copied for each of very many additions.
                    self.copied_bytes = self.copied_bytes.saturating_add(self.added_bytes);
                    within(self.copied_bytes, self.most.saturating_mul(MOST_COPIES))?;
                }
                self.dictionary_bytes
            }
            _ => unfolded,
        };
        within(sum, self.most)
    }
}

fn within(bytes: i64, most: i64) -> Result<(), String> {
    if bytes > most { Err(format!("it unfolds to {bytes} bytes or more; at most {most} are taken")) } else { Ok(()) }
}

/// Exactly `length` bytes.
fn exactly(input: &mut impl BufRead, length: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    input.by_ref().take(length).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err("it ends within a message".to_owned()) }
}

fn word(bytes: &[u8]) -> Result<u32, String> {
    bytes.try_into().map(u32::from_le_bytes).map_err(|_| "it ends within a message".to_owned())
}

/// What a message unfolds to. Each compressed buffer begins with its decompressed length, which the decoder allocates,
/// and which not every decoder keeps to. Buffers that are not compressed may be copied, and so may not lie in the same
/// bytes many times.
fn unfolded_bytes(message: &ipc::Message<'_>, body: &[u8], most: i64) -> Result<i64, String> {
    let batch = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data()),
        _ => None,
    };
    let Some(batch) = batch else { return Ok(0) };
    let mut stored = 0_i64;
    let mut unfolded = 0_i64;
    for buffer in batch.buffers().iter().flatten().filter(|buffer| buffer.length() > 0) {
        stored = stored.saturating_add(buffer.length());
        let Some(compression) = batch.compression() else { continue };
        let place = usize::try_from(buffer.offset()).ok().zip(usize::try_from(buffer.length()).ok());
        let bytes = place.and_then(|(from, length)| body.get(from..from.checked_add(length)?));
        let (prefix, compressed) =
            bytes.and_then(|bytes| bytes.split_first_chunk()).ok_or("a compressed buffer has no length")?;
        match i64::from_le_bytes(*prefix) {
            // It is not compressed.
            -1 => {}
            length if length < 0 => return Err("a compressed buffer has no valid length".to_owned()),
            length => {
                unfolded = unfolded.saturating_add(length);
                within(unfolded, most)?;
                if compression.codec() == CompressionType::LZ4_FRAME {
                    check_lz4(compressed, length.unsigned_abs())?;
                }
            }
        }
    }
    if u64::try_from(stored).is_ok_and(|stored| stored > body.len() as u64) {
        return Err("its buffers overlap".to_owned());
    }
    Ok(unfolded)
}

/// Checks that a buffer unfolds to no more than it says. What cannot be decompressed is left to the decoder, which says
/// why.
fn check_lz4(compressed: &[u8], length: u64) -> Result<(), String> {
    let mut decoder = lz4_flex::frame::FrameDecoder::new(compressed).take(length.saturating_add(1));
    match std::io::copy(&mut decoder, &mut std::io::sink()) {
        Ok(unfolded) if unfolded > length => Err("a buffer unfolds to more bytes than it says".to_owned()),
        _ => Ok(()),
    }
}
