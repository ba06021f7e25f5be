//! Looks at the pages of a Parquet file before they are decoded. The library believes what pages say of themselves, and
//! a few bytes can say a lot: a text of a gigabyte, or one text for a million rows.

use std::io::{self, Read};
use std::sync::Arc;

use parquet::basic::{Compression, Type};
use parquet::column::page::{Page, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::page_index::offset_index::PageLocation;
use parquet::file::reader::ChunkReader;
use parquet::file::serialized_reader::SerializedPageReader;

use super::page_header::{PageHeader, PageKind};
use super::texts;
use super::thrift::Refused;
use super::unreadable;
use crate::reader::batches::guarded;
use crate::reader::unfolding::{ROW_BYTES, Unfolding};
use crate::{Result, segment::MAX_TEXT_BYTES};

/// A page unfolds to at most so many bytes. Most writers make pages of a megabyte, and some of a hundred where row groups
/// are large.
const MAX_PAGE_BYTES: usize = 256 << 20;

/// A page of each column that is read, and its dictionary, are in memory at the same time. They unfold to at most so
/// many bytes together, or to so many times the bytes of the file where that is more. Small in tests.
const MAX_HELD_BYTES: u64 = if cfg!(test) { 1 << 20 } else { 256 << 20 };
const MAX_HELD_TIMES: u64 = 8;

/// A text that a page can repeat at no cost has at most so many bytes. (A longer one than an identifier may be is an
/// error of its row, if the rows that are decoded at a time can have it.)
const MAX_REPEATED_BYTES: usize = 16 * MAX_TEXT_BYTES;

const DELTA_LENGTH_BYTE_ARRAY: i64 = 6;
const DELTA_BYTE_ARRAY: i64 = 7;

/// Checks the pages of the columns whose names `is_needed` has. `most` is the largest number of bytes that the file may
/// unfold to.
pub(super) fn check<R: ChunkReader + 'static>(
    input: &Arc<R>,
    metadata: &ParquetMetaData,
    is_needed: impl Fn(&str) -> bool,
    unfolding: &mut Unfolding,
) -> Result<()> {
    let most_held = input.len().saturating_mul(MAX_HELD_TIMES).max(MAX_HELD_BYTES);
    let mut rows_before = 0_u64;
    for group in metadata.row_groups() {
        let rows = u64::try_from(group.num_rows()).map_err(|_| unreadable("it has less than no rows".to_owned()))?;
        rows_before = rows_before.saturating_add(rows);
        unfolding.allows(rows_before.saturating_mul(ROW_BYTES))?;
        let mut held = 0_u64;
        for column in group.columns() {
            let name = column.column_path().parts().first().map(String::as_str).unwrap_or_default();
            if is_needed(name) {
                let chunk = Chunk { input, column, rows };
                let found = chunk.check(unfolding).map_err(|problem| match problem {
                    Problem::Refused(Refused(reason)) => unreadable(format!("column {name:?}: {reason}")),
                    Problem::TooMuch(error) => error,
                })?;
                held = held.saturating_add(found as u64);
            }
        }
        if held > most_held {
            let reason = format!("pages of its columns unfold to {held} bytes; at most {most_held} are taken");
            return Err(unreadable(reason));
        }
    }
    Ok(())
}

enum Problem {
    Refused(Refused),
    TooMuch(crate::Error),
}

impl<T: Into<Refused>> From<T> for Problem {
    fn from(reason: T) -> Self {
        Self::Refused(reason.into())
    }
}

/// A column of a row group.
struct Chunk<'f, R> {
    input: &'f Arc<R>,
    column: &'f ColumnChunkMetaData,
    rows: u64,
}

impl<R: ChunkReader + 'static> Chunk<'_, R> {
    /// Checks the pages, and gives how many bytes may be in memory at a time.
    fn check(&self, unfolding: &mut Unfolding) -> std::result::Result<usize, Problem> {
        let start = self.column.dictionary_page_offset().unwrap_or(self.column.data_page_offset());
        let place = u64::try_from(start).ok().zip(u64::try_from(self.column.compressed_size()).ok());
        let (mut offset, mut left) = place.ok_or("it begins before the file does")?;
        if offset.checked_add(left).is_none_or(|end| end > self.input.len()) {
            return Err("it ends after the file does".into());
        }
        let (mut values, mut largest, mut dictionary) = (0_u64, 0, 0);
        while left > 0 {
            let header = PageHeader::read(self.input.as_ref(), offset, left)?;
            let unfolded = header.unfolded.max(header.stored);
            if unfolded > MAX_PAGE_BYTES {
                return Err(format!("a page unfolds to {unfolded} bytes; at most {MAX_PAGE_BYTES} are taken").into());
            }
            unfolding.add(unfolded as u64).map_err(Problem::TooMuch)?;
            self.check_unfolded(&header, offset)?;
            match header.kind {
                PageKind::Data | PageKind::DataV2 => {
                    values = values.saturating_add(header.values as u64);
                    largest = largest.max(unfolded);
                }
                PageKind::Dictionary => dictionary = unfolded,
                PageKind::Index => {}
            }
            // A list of texts would be refused for its type.
            if self.column.column_descr().max_rep_level() == 0 && values > self.rows {
                return Err("it has more values than there are rows".into());
            }
            if self.column.column_type() == Type::BYTE_ARRAY {
                self.check_texts(&header, offset)?;
            } else if header.kind == PageKind::Dictionary && header.values > unfolded {
                return Err("a dictionary has more values than bytes".into());
            }
            let whole = (header.bytes + header.stored) as u64;
            (offset, left) = (offset.saturating_add(whole), left.saturating_sub(whole));
        }
        Ok(largest.saturating_add(dictionary))
    }

    /// Checks that a page unfolds to no more than it says. Some of the decoders do not look at what was said.
    fn check_unfolded(&self, header: &PageHeader, offset: u64) -> std::result::Result<(), Problem> {
        if !header.is_compressed || header.stored <= header.levels {
            return Ok(());
        }
        let stored = || {
            let from = offset.saturating_add((header.bytes + header.levels) as u64);
            self.input.get_bytes(from, header.stored - header.levels).map_err(|error| error.to_string())
        };
        let most = (header.unfolded.saturating_sub(header.levels) as u64).saturating_add(1);
        let counted = |decoder: &mut dyn Read| io::copy(&mut decoder.take(most), &mut io::sink());
        let counted = match self.column.compression() {
            Compression::GZIP(_) => counted(&mut flate2::read::MultiGzDecoder::new(stored()?.as_ref())),
            Compression::BROTLI(_) => counted(&mut brotli::Decompressor::new(stored()?.as_ref(), 1 << 16)),
            Compression::LZ4 => counted(&mut lz4_flex::frame::FrameDecoder::new(stored()?.as_ref())),
            _ => return Ok(()),
        };
        // What cannot be decompressed is left to the library, which says why.
        if counted.is_ok_and(|bytes| bytes == most) {
            return Err("a page unfolds to more bytes than it says".into());
        }
        Ok(())
    }

    /// Checks the texts of a page that could stand for many times as many bytes: those of a dictionary, which rows
    /// refer to, and those that share their beginnings.
    fn check_texts(&self, header: &PageHeader, offset: u64) -> std::result::Result<(), Problem> {
        let is_dictionary = header.kind == PageKind::Dictionary;
        if is_dictionary && header.values > header.unfolded / 4 {
            return Err("a dictionary has more texts than bytes".into());
        }
        let is_short = header.unfolded <= MAX_REPEATED_BYTES;
        if !matches!(header.encoding, DELTA_LENGTH_BYTE_ARRAY | DELTA_BYTE_ARRAY) && (!is_dictionary || is_short) {
            return Ok(());
        }
        let page = guarded(|| self.page(header, offset))?;
        let longest = texts::longest(&page, self.column.column_descr().max_def_level())?;
        if longest > MAX_REPEATED_BYTES {
            let reason = format!("it has a text of {longest} bytes; at most {MAX_REPEATED_BYTES} are taken");
            return Err(reason.into());
        }
        Ok(())
    }

    /// Decompresses a single page.
    fn page(&self, header: &PageHeader, offset: u64) -> std::result::Result<Page, ParquetError> {
        let whole = i32::try_from(header.bytes + header.stored)?;
        let place = i64::try_from(offset)?;
        let column = self.column.clone().into_builder().set_dictionary_page_offset(None).set_data_page_offset(place);
        let location = PageLocation { offset: place, compressed_page_size: whole, first_row_index: 0 };
        let rows = usize::try_from(self.rows)?;
        let input = Arc::clone(self.input);
        let mut pages = SerializedPageReader::new(input, &column.build()?, rows, Some(vec![location]))?;
        pages.get_next_page()?.ok_or_else(|| ParquetError::EOF("a page is not there".to_owned()))
    }
}
