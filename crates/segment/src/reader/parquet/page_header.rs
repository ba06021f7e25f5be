//! The header of a page: how much lies behind it, and what that unfolds to.

use parquet::file::reader::ChunkReader;

use super::shapes::{PAGE, field};
use super::thrift::{Name, Refused, Seen, TOO_SHORT, Visitor, Walk};

/// So much is read of a page to find its header, and then more, up to the last, where it is longer. Only statistics
/// make it long.
const READ_BYTES: [usize; 3] = [256, 16 << 10, 4 << 20];

/// What a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    Data,
    DataV2,
    Dictionary,
    /// Readers pass over it.
    Index,
}

/// The header of a page.
#[derive(Debug)]
pub(super) struct PageHeader {
    pub(super) kind: PageKind,
    /// The bytes of the header.
    pub(super) bytes: usize,
    /// The bytes behind it, as they are stored.
    pub(super) stored: usize,
    /// The bytes that they unfold to, as the header claims.
    pub(super) unfolded: usize,
    pub(super) values: usize,
    pub(super) encoding: i64,
    /// The bytes of the levels, which are not compressed and come first.
    pub(super) levels: usize,
    pub(super) is_compressed: bool,
}

impl PageHeader {
    /// Reads the header at `offset` of a column that has `left` more bytes.
    pub(super) fn read(input: &impl ChunkReader, offset: u64, left: u64) -> Result<Self, Refused> {
        let mut outcome = Err(TOO_SHORT.into());
        for length in READ_BYTES {
            let length = u64::try_from(length).unwrap_or(u64::MAX).min(left);
            let bytes = input.get_bytes(offset, usize::try_from(length).unwrap_or(usize::MAX));
            let bytes = bytes.map_err(|error| Refused(error.to_string()))?;
            outcome = Self::parse(&bytes);
            let is_too_short = matches!(&outcome, Err(Refused(reason)) if reason == TOO_SHORT);
            if !is_too_short || length == left {
                break;
            }
        }
        let header = outcome?;
        if ((header.bytes + header.stored) as u64) > left {
            return Err("a page is longer than its column".into());
        }
        Ok(header)
    }

    fn parse(bytes: &[u8]) -> Result<Self, Refused> {
        let mut found = Found::default();
        let mut walk = Walk::over(bytes);
        walk.pass(&PAGE, &mut found)?;
        let kind = match found.kind {
            Some(0) => PageKind::Data,
            Some(1) => PageKind::Index,
            Some(2) => PageKind::Dictionary,
            Some(3) => PageKind::DataV2,
            _ => return Err("a page is of a kind that is not known".into()),
        };
        let (values, encoding) = match kind {
            PageKind::Data => (found.data_values, found.data_encoding),
            PageKind::Dictionary => (found.dictionary_values, 0),
            PageKind::DataV2 => (found.v2_values, found.v2_encoding),
            PageKind::Index => (0, 0),
        };
        let levels = if kind == PageKind::DataV2 { size(found.definitions)? + size(found.repetitions)? } else { 0 };
        Ok(Self {
            kind,
            bytes: bytes.len() - walk.left(),
            stored: size(found.stored.ok_or(NO_LENGTH)?)?,
            unfolded: size(found.unfolded.ok_or(NO_LENGTH)?)?,
            values: size(values)?,
            encoding,
            levels,
            is_compressed: kind != PageKind::DataV2 || found.is_compressed != Some(false),
        })
    }
}

const NO_LENGTH: &str = "a page does not say how long it is";

/// A number of bytes or values. In the file, these have 32 bits.
fn size(claimed: i64) -> Result<usize, Refused> {
    let size = i32::try_from(claimed).ok().and_then(|size| usize::try_from(size).ok());
    size.ok_or_else(|| "a page has a length that no page has".into())
}

#[derive(Default)]
struct Found {
    kind: Option<i64>,
    unfolded: Option<i64>,
    stored: Option<i64>,
    data_values: i64,
    data_encoding: i64,
    dictionary_values: i64,
    v2_values: i64,
    v2_encoding: i64,
    definitions: i64,
    repetitions: i64,
    is_compressed: Option<bool>,
}

impl<'b> Visitor<'b> for Found {
    fn see(&mut self, name: Name, seen: Seen<'b>) -> Result<(), Refused> {
        match (name, seen) {
            (Name::Page, Seen::Int(field::page::KIND, kind)) => self.kind = Some(kind),
            (Name::Page, Seen::Int(field::page::UNFOLDED, bytes)) => self.unfolded = Some(bytes),
            (Name::Page, Seen::Int(field::page::LENGTH, bytes)) => self.stored = Some(bytes),
            (Name::DataPage, Seen::Int(field::data_page::VALUES, values)) => self.data_values = values,
            (Name::DataPage, Seen::Int(field::data_page::ENCODING, encoding)) => self.data_encoding = encoding,
            (Name::DictionaryPage, Seen::Int(field::data_page::VALUES, values)) => self.dictionary_values = values,
            (Name::DataPageV2, Seen::Int(field::data_page_v2::VALUES, values)) => self.v2_values = values,
            (Name::DataPageV2, Seen::Int(field::data_page_v2::ENCODING, encoding)) => self.v2_encoding = encoding,
            (Name::DataPageV2, Seen::Int(field::data_page_v2::DEFINITIONS, bytes)) => self.definitions = bytes,
            (Name::DataPageV2, Seen::Int(field::data_page_v2::REPETITIONS, bytes)) => self.repetitions = bytes,
            (Name::DataPageV2, Seen::Bool(field::data_page_v2::IS_COMPRESSED, is)) => self.is_compressed = Some(is),
            _ => {}
        }
        Ok(())
    }
}
