//! Columns of text.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, FixedSizeBinaryArray, Int64Array, LargeBinaryArray,
    LargeStringArray, RecordBatch, StringArray, StringViewArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use uuid::Uuid;

use super::column::{Column, numbers, places, present, wrong_type};
use super::numbers::has_numbers;
use crate::segment::MAX_TEXT_BYTES;
use crate::{Error, Result};

/// How Arrow says of a column what its values mean.
pub(crate) const EXTENSION: &str = "ARROW:extension:name";
/// The extension of UUIDs in 16 bytes.
pub(crate) const UUID: &str = "arrow.uuid";
const UUID_BYTES: i32 = 16;

/// A column of text, read in place. Converting a view or a dictionary to plain text could take any amount of memory.
#[derive(Debug)]
pub(crate) struct TextColumn {
    pub(crate) name: &'static str,
    texts: Texts,
}

#[derive(Debug)]
enum Texts {
    Plain(StringArray),
    Large(LargeStringArray),
    View(StringViewArray),
    Binary(BinaryArray),
    LargeBinary(LargeBinaryArray),
    BinaryView(BinaryViewArray),
    FixedBinary(FixedSizeBinaryArray),
    /// Identifiers that have digits alone, which some programs take for numbers; and their text.
    Numbers(Column<Int64Array>, StringArray),
    /// Keys of any width into a column of one of the others.
    Dictionary {
        keys: Column<Int64Array>,
        values: Box<Texts>,
    },
}

impl Texts {
    fn of(name: &'static str, array: &ArrayRef, is_uuid: bool) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Utf8 => Self::Plain(array.as_string().clone()),
            DataType::LargeUtf8 => Self::Large(array.as_string().clone()),
            DataType::Utf8View => Self::View(array.as_string_view().clone()),
            DataType::Binary => Self::Binary(array.as_binary().clone()),
            DataType::LargeBinary => Self::LargeBinary(array.as_binary().clone()),
            DataType::BinaryView => Self::BinaryView(array.as_binary_view().clone()),
            DataType::FixedSizeBinary(UUID_BYTES) if is_uuid => Self::Plain(uuids(array.as_fixed_size_binary())),
            DataType::FixedSizeBinary(_) => Self::FixedBinary(array.as_fixed_size_binary().clone()),
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                let keys = cast(dictionary.keys(), &DataType::Int64).ok()?;
                match Self::of(name, dictionary.values(), is_uuid)? {
                    Self::Dictionary { .. } => return None,
                    values => Self::Dictionary { keys: numbers(name, &keys).ok()?, values: Box::new(values) },
                }
            }
            other if has_numbers(other) => {
                let numbers = numbers(name, array).ok()?;
                let texts = numbers.values.iter().map(|number| number.map(|number| number.to_string())).collect();
                Self::Numbers(numbers, texts)
            }
            _ => return None,
        })
    }

    fn get(&self, name: &'static str, row: usize) -> Result<Option<&str>> {
        let utf8 = |bytes| std::str::from_utf8(bytes).map_err(|_| Error::Value { column: name, problem: "not UTF-8" });
        Ok(match self {
            Self::Plain(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Binary(array) => array.is_valid(row).then(|| utf8(array.value(row))).transpose()?,
            Self::LargeBinary(array) => array.is_valid(row).then(|| utf8(array.value(row))).transpose()?,
            Self::BinaryView(array) => array.is_valid(row).then(|| utf8(array.value(row))).transpose()?,
            Self::FixedBinary(array) => array.is_valid(row).then(|| utf8(array.value(row))).transpose()?,
            Self::Numbers(numbers, texts) => numbers.optional(row, |_, row| texts.value(row))?,
            // Arrow has checked that every key points to a value.
            Self::Dictionary { keys, values } => match keys.optional(row, Int64Array::value)? {
                Some(key) => values.get(name, key as usize)?,
                None => None,
            },
        })
    }
}

/// UUIDs as text: each takes little more than twice its bytes.
fn uuids(array: &FixedSizeBinaryArray) -> StringArray {
    let text = |bytes| Uuid::from_slice(bytes).map(|uuid| uuid.to_string()).ok();
    (0..array.len()).map(|row| array.is_valid(row).then(|| text(array.value(row))).flatten()).collect()
}

/// Whether the values of a column are UUIDs.
fn is_uuid(field: &Field) -> bool {
    field.metadata().get(EXTENSION).is_some_and(|extension| extension == UUID)
}

impl TextColumn {
    pub(crate) fn text(&self, row: usize) -> Result<Option<&str>> {
        match self.texts.get(self.name, row)? {
            Some(text) if text.len() > MAX_TEXT_BYTES => {
                Err(Error::TextTooLong { column: self.name, limit: MAX_TEXT_BYTES })
            }
            text => Ok(text),
        }
    }

    /// The bytes of the text in a row, also where it is too long for one.
    pub(crate) fn length(&self, row: usize) -> usize {
        self.texts.get(self.name, row).ok().flatten().map_or(0, str::len)
    }

    pub(crate) fn required_text(&self, row: usize) -> Result<&str> {
        self.text(row)?.ok_or(Error::Value { column: self.name, problem: "missing" })
    }
}

pub(crate) fn text(batch: &RecordBatch, name: &'static str) -> Result<Option<TextColumn>> {
    let Some(array) = present(batch, name)? else { return Ok(None) };
    let fields =
        places(batch.schema_ref(), name).into_iter().filter_map(|place| batch.schema_ref().fields().get(place));
    let is_uuid = fields.into_iter().any(|field| is_uuid(field));
    match text_of(name, &array, is_uuid) {
        Some(column) => Ok(Some(column)),
        None => Err(wrong_type(name, &array, &DataType::Utf8)),
    }
}

/// A column of text; `None` where it has another type.
pub(super) fn text_of(name: &'static str, array: &ArrayRef, is_uuid: bool) -> Option<TextColumn> {
    Texts::of(name, array, is_uuid).map(|texts| TextColumn { name, texts })
}
