//! Small tables of any columns, such as the names of skills. They are read whole: their columns keep the types that a
//! file tells, and those of CSV get the types that all of their values have.
//!
//! ```text
//! CSV ──▶ csv.rs  fields ─▶ inference.rs  types ─▶ values.rs  columns ─┐
//! Parquet, Arrow ─────────────────────▶ plain.rs  columns ─────────────┴─▶ SmallTable
//! ```

mod csv;
mod inference;
mod plain;
#[cfg(test)]
mod tests;
mod values;

use std::collections::HashSet;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;

use super::{Compression, Format, Input, arrow_stream, beginning, parquet};
use crate::error::shortened;
use crate::{Error, Result};
use plain::Plain;

/// The most bytes of a small table: of its file once it is decompressed, and of its columns in memory.
pub const MAX_TABLE_BYTES: usize = 64 << 20;

/// The most columns of a small table.
const MAX_COLUMNS: usize = 1_000;

/// The most values of a small table: its rows times its columns.
const MAX_VALUES: usize = 8 << 20;

/// The most bytes of a column's name.
const MAX_NAME_BYTES: usize = 255;

/// A format in which a small table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// Text with a line of names at its beginning, separated by commas, or else by semicolons or tabs.
    Csv,
    /// A Parquet file.
    Parquet,
    /// An Arrow IPC stream or file.
    Arrow,
}

impl TableFormat {
    /// The format that the name of a file shows: `.csv` or `.tsv`, `.parquet`, `.arrow`, `.arrows`, `.feather` or
    /// `.ipc`, each with or without `.gz` or `.zst` after it.
    pub fn from_path(path: &Path) -> Option<Self> {
        let extension = |path: &Path| path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let stem = if ["gz", "zst"].contains(&extension(path).as_str()) { path.file_stem()?.as_ref() } else { path };
        match extension(stem).as_str() {
            "csv" | "tsv" => Some(Self::Csv),
            "parquet" => Some(Self::Parquet),
            "arrow" | "arrows" | "feather" | "ipc" => Some(Self::Arrow),
            _ => None,
        }
    }

    /// The format that the first bytes of a file show, if they show one: text may be anything.
    fn of(first: &[u8]) -> Option<Self> {
        match Format::of(first) {
            Some(Format::Parquet) => Some(Self::Parquet),
            Some(Format::Arrow) => Some(Self::Arrow),
            _ => None,
        }
    }
}

/// A table that is kept whole in memory: at most [`MAX_TABLE_BYTES`] of texts, numbers, booleans, dates and times.
#[derive(Debug, Clone, PartialEq)]
pub struct SmallTable {
    rows: RecordBatch,
}

impl SmallTable {
    /// Reads a table from a file of a format, whatever it is compressed with. Its first bytes may show another of the
    /// formats.
    ///
    /// # Errors
    /// Where it cannot be read, has columns of no name or of one name, values of other types, or is too large.
    pub fn read(format: TableFormat, input: Input) -> Result<Self> {
        let bytes = unpacked(input)?;
        match TableFormat::of(&bytes).unwrap_or(format) {
            TableFormat::Csv => Self::of_csv(&csv_text(bytes)?),
            TableFormat::Parquet => {
                let mut plain = Plain::default();
                let schema = parquet::each_batch(bytes, MAX_TABLE_BYTES as u64, |batch| plain.add(&batch))?;
                plain.finish(&schema)
            }
            TableFormat::Arrow => {
                let mut plain = Plain::default();
                let most = Some(MAX_TABLE_BYTES as u64);
                let schema = arrow_stream::each_batch(bytes, most, |batch| plain.add(&batch))?;
                plain.finish(&schema)
            }
        }
    }

    fn of_csv(text: &str) -> Result<Self> {
        let sheet = csv::Sheet::read(text)?;
        let columns = sheet.names().iter().enumerate().map(|(column, name)| {
            let kind = inference::kind_of(name, sheet.column(column));
            Ok((name.as_ref(), values::array(kind, sheet.column(column))?, true))
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Self::of_rows(RecordBatch::try_from_iter_with_nullable(columns)?)
    }

    /// The table of these rows, whose columns have types of tables.
    fn of_rows(rows: RecordBatch) -> Result<Self> {
        check_names(rows.schema_ref().fields().iter().map(|field| field.name().as_str()))?;
        check_values(rows.num_columns(), rows.num_rows())?;
        let table = Self { rows };
        let bytes = table.bytes();
        if bytes > MAX_TABLE_BYTES {
            return Err(refused(format!("it takes {bytes} bytes in memory; a table has at most {MAX_TABLE_BYTES}")));
        }
        Ok(table)
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    /// All rows.
    pub fn rows(&self) -> &RecordBatch {
        &self.rows
    }

    /// What its columns take in memory.
    pub fn bytes(&self) -> usize {
        let of = |column: &Arc<dyn Array>| column.to_data().get_slice_memory_size().unwrap_or(usize::MAX);
        self.rows.columns().iter().map(of).fold(0, usize::saturating_add)
    }

    /// The table as an Arrow stream, from which [`SmallTable::from_arrow`] reads it again.
    ///
    /// # Errors
    /// Where the Arrow library fails.
    pub fn to_arrow(&self) -> Result<Vec<u8>> {
        let mut writer = StreamWriter::try_new(Vec::new(), self.rows.schema_ref())?;
        writer.write(&self.rows)?;
        Ok(writer.into_inner()?)
    }

    /// The table that [`SmallTable::to_arrow`] wrote. What was not too large then is not too large now, though a stream is
    /// somewhat larger than what is in it.
    ///
    /// # Errors
    /// Where it is no such stream.
    pub fn from_arrow(stream: Bytes) -> Result<Self> {
        let mut batches = Vec::new();
        let schema = arrow_stream::each_batch(stream, None, |batch| {
            batches.push(batch);
            Ok(())
        })?;
        Ok(Self { rows: concat_batches(&schema, &batches)? })
    }
}

fn refused(reason: impl Into<String>) -> Error {
    Error::Table { reason: reason.into() }
}

/// The bytes of an input without its compression, if they are not too many.
fn unpacked(input: Input) -> Result<Bytes> {
    let input = match input.peeked()? {
        (first, Input::Bytes(bytes)) if Compression::of(&first) == Compression::None => Input::Bytes(bytes),
        (_, input) => input.unpacked()?,
    };
    let bytes = match input {
        Input::Bytes(bytes) => bytes,
        other => {
            let mut bytes = Vec::new();
            other.into_read().take(MAX_TABLE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
            Bytes::from(bytes)
        }
    };
    if bytes.len() > MAX_TABLE_BYTES {
        return Err(refused(format!("it has more than {MAX_TABLE_BYTES} bytes, which is the most of a table")));
    }
    Ok(bytes)
}

/// The text of a CSV file, in UTF-8.
fn csv_text(bytes: Bytes) -> Result<String> {
    let mut text = Vec::new();
    // Text in UTF-16 becomes longer.
    beginning::text(Input::Bytes(bytes), "CSV")?.take(2 * MAX_TABLE_BYTES as u64).read_to_end(&mut text)?;
    String::from_utf8(text).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        refused(format!("line {line} is not text in UTF-8; save the file with that encoding"))
    })
}

/// Checks that every column has a name of its own.
fn check_names<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> Result<()> {
    let count = names.len();
    if count == 0 || count > MAX_COLUMNS {
        return Err(refused(format!("it has {count} columns; a table has from 1 to {MAX_COLUMNS}")));
    }
    let mut known = HashSet::new();
    for (number, name) in (1..).zip(names) {
        if name.trim().is_empty() {
            return Err(refused(format!("column {number} has no name; the first line of CSV has a name for each")));
        }
        if name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
            let name = shortened(name);
            return Err(refused(format!(
                "the name of column {number}, {name:?}, is too long or has a character that cannot be seen: it has at \
                 most {MAX_NAME_BYTES} bytes"
            )));
        }
        if !known.insert(name) {
            return Err(refused(format!("two columns have the name {name:?}")));
        }
    }
    Ok(())
}

/// Checks that a table has no more values than tables have.
fn check_values(columns: usize, rows: usize) -> Result<()> {
    if columns.saturating_mul(rows) > MAX_VALUES {
        return Err(refused(format!(
            "it has more than {MAX_VALUES} values (rows times columns), which are the most of a table"
        )));
    }
    Ok(())
}

/// One batch of all rows, which shares no memory with the file.
fn joined(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch> {
    Ok(concat_batches(schema, batches)?)
}
