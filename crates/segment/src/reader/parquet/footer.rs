//! The footer of a Parquet file. It is looked at before it is decoded: the library goes as deep into a schema as it is
//! nested, and allocates what lists claim to hold.

use parquet::errors::ParquetError;
use parquet::file::metadata::{FooterTail, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::ChunkReader;

use super::shapes::{FILE, field};
use super::thrift::{Name, Refused, Seen, Visitor, Walk};
use super::unreadable;
use crate::reader::arrow_schema;
use crate::reader::batches::guarded;

/// The end of a file: the length of the footer's metadata, and a magic word.
pub const TAIL_BYTES: usize = 8;

/// A footer has at most so many bytes. 18 columns of a row group take two kilobytes.
const MAX_BYTES: usize = 64 << 20;

/// Schemas are nested at most so deep.
const MAX_DEPTH: usize = 32;

/// A schema has at most so many columns and groups, and a file so many pairs of key and value.
const MAX_ELEMENTS: usize = 10_000;

/// The names of all columns, each with the groups around it, have at most so many bytes.
const MAX_NAME_BYTES: usize = 4 << 20;

/// A file has at most so many row groups. Tools that join small files leave theirs as they are, so that there can be
/// thousands.
const MAX_ROW_GROUPS: usize = 32_768;

/// All row groups together have at most so many columns. Decoded, each takes half a kilobyte.
const MAX_COLUMN_CHUNKS: usize = 600_000;

/// The number of bytes of metadata before the last [`TAIL_BYTES`] of a file of `length` bytes, which are `tail`.
///
/// # Errors
/// Where it is no Parquet file, or its metadata are too large.
pub fn metadata_length(tail: &[u8], length: u64) -> crate::Result<usize> {
    let tail = FooterTail::try_from(tail).map_err(|error| unreadable(error.to_string()))?;
    if tail.is_encrypted_footer() {
        return Err(unreadable("it is encrypted".to_owned()));
    }
    let claimed = tail.metadata_length();
    if (claimed as u64).saturating_add(TAIL_BYTES as u64) > length {
        return Err(unreadable("its footer is longer than the file".to_owned()));
    }
    if claimed > MAX_BYTES {
        return Err(unreadable(format!("its footer has {claimed} bytes; at most {MAX_BYTES} are taken")));
    }
    Ok(claimed)
}

/// Decodes the metadata of a file, once it is known that this goes neither deep nor far.
///
/// # Errors
/// Where they cannot be decoded, or their schema is too deep or too wide.
pub fn decode_metadata(bytes: &[u8]) -> crate::Result<ParquetMetaData> {
    Walk::over(bytes).pass(&FILE, &mut Footer::default()).map_err(|Refused(reason)| unreadable(reason))?;
    guarded(|| ParquetMetaDataReader::decode_metadata(bytes)).map_err(unreadable)
}

/// Reads the metadata of a file.
pub(super) fn read(input: &impl ChunkReader) -> crate::Result<ParquetMetaData> {
    let length = input.len();
    let from = length.checked_sub(TAIL_BYTES as u64).ok_or_else(|| unreadable("it is too short".to_owned()))?;
    let read = |from: u64, length: usize| input.get_bytes(from, length).map_err(failed);
    let claimed = metadata_length(&read(from, TAIL_BYTES)?, length)?;
    let footer_at = from.saturating_sub(claimed as u64);
    let metadata = decode_metadata(&read(footer_at, claimed)?)?;
    check_single(input, &metadata, footer_at)?;
    Ok(metadata)
}

/// Makes sure that no other file was put before this one, whose pages would be taken for its own. Between the last page
/// and the footer are indexes alone.
fn check_single(input: &impl ChunkReader, metadata: &ParquetMetaData, footer_at: u64) -> crate::Result<()> {
    const BETWEEN: &[u8] = b"PAR1PAR1";
    const PIECE_BYTES: u64 = 1 << 20;
    let columns = metadata.row_groups().iter().flat_map(|group| group.columns());
    let ends = columns.map(|column| {
        let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        u64::try_from(start.saturating_add(column.compressed_size())).unwrap_or(u64::MAX)
    });
    let mut from = ends.max().unwrap_or(0);
    while from < footer_at {
        // The words may stand across two pieces.
        let length = PIECE_BYTES.saturating_add(BETWEEN.len() as u64).min(footer_at - from);
        let bytes = input.get_bytes(from, usize::try_from(length).unwrap_or(usize::MAX)).map_err(failed)?;
        if bytes.windows(BETWEEN.len()).any(|window| window == BETWEEN) {
            return Err(unreadable("it is several files put together: import each by itself".to_owned()));
        }
        from = from.saturating_add(PIECE_BYTES);
    }
    Ok(())
}

fn failed(error: ParquetError) -> crate::Error {
    unreadable(error.to_string())
}

/// What is known of a footer so far.
#[derive(Default)]
struct Footer<'b> {
    /// The groups around the next element of the schema: how many of its elements are to come, and the bytes of the
    /// names down to it.
    groups: Vec<(usize, usize)>,
    name: usize,
    children: i64,
    elements: usize,
    name_bytes: usize,
    column_chunks: usize,
    pairs: usize,
    key: &'b [u8],
    value: &'b [u8],
}

impl<'b> Visitor<'b> for Footer<'b> {
    fn see(&mut self, name: Name, seen: Seen<'b>) -> Result<(), Refused> {
        match (name, seen) {
            (Name::File, Seen::List(field::file::SCHEMA, length)) => self.begin_schema(length),
            (Name::File, Seen::List(field::file::ROW_GROUPS, length)) => {
                within(length, MAX_ROW_GROUPS, "it has too many row groups")
            }
            (Name::SchemaElement, Seen::Begins) => {
                (self.name, self.children) = (0, 0);
                Ok(())
            }
            (Name::SchemaElement, Seen::Binary(field::element::NAME, name)) => {
                self.name = name.len();
                Ok(())
            }
            (Name::SchemaElement, Seen::Int(field::element::CHILDREN, children)) => {
                self.children = children;
                Ok(())
            }
            (Name::SchemaElement, Seen::Ends) => self.add_element(),
            (Name::ColumnChunk, Seen::Ends) => {
                self.column_chunks += 1;
                within(self.column_chunks, MAX_COLUMN_CHUNKS, "its row groups together have too many columns")
            }
            (Name::KeyValue, Seen::Begins) => {
                self.pairs += 1;
                (self.key, self.value) = (&[], &[]);
                within(self.pairs, MAX_ELEMENTS, "it has too many pairs of key and value")
            }
            (Name::KeyValue, Seen::Binary(field::key_value::KEY, key)) => {
                self.key = key;
                Ok(())
            }
            (Name::KeyValue, Seen::Binary(field::key_value::VALUE, value)) => {
                self.value = value;
                Ok(())
            }
            (Name::KeyValue, Seen::Ends) if self.key == parquet::arrow::ARROW_SCHEMA_META_KEY.as_bytes() => {
                arrow_schema::check_encoded(self.value).map_err(Refused)
            }
            _ => Ok(()),
        }
    }
}

fn within(count: usize, most: usize, problem: &str) -> Result<(), Refused> {
    if count > most { Err(format!("{problem}: at most {most} are taken").into()) } else { Ok(()) }
}

impl Footer<'_> {
    fn begin_schema(&mut self, length: usize) -> Result<(), Refused> {
        self.groups.clear();
        self.elements = self.elements.saturating_add(length);
        within(self.elements, MAX_ELEMENTS, "its schema has too many columns")
    }

    /// Adds an element to the innermost group that has elements to come. They are listed depth first.
    fn add_element(&mut self) -> Result<(), Refused> {
        let around = self.groups.last().map_or(0, |(_, around)| *around);
        if let Some((to_come, _)) = self.groups.last_mut() {
            *to_come = to_come.saturating_sub(1);
        }
        let path = around.saturating_add(self.name);
        let children = usize::try_from(self.children).map_err(|_| "its schema has a group of less than no columns")?;
        if children > 0 {
            within(children, MAX_ELEMENTS, "a group of its schema has too many columns")?;
            self.groups.push((children, path));
            within(self.groups.len(), MAX_DEPTH, "its schema is nested too deep")?;
        } else {
            self.name_bytes = self.name_bytes.saturating_add(path);
            within(self.name_bytes, MAX_NAME_BYTES, "the bytes of the names in its schema are too many")?;
        }
        while self.groups.last().is_some_and(|(to_come, _)| *to_come == 0) {
            self.groups.pop();
        }
        Ok(())
    }
}
