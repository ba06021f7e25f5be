//! A column of a batch that any program may have written.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray,
    TimestampMillisecondArray, UInt32Array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Int64Type, TimestampMillisecondType, UInt32Type};

use super::schema::timestamp;
use crate::segment::MAX_TEXT_BYTES;
use crate::{Error, Result};

/// A column, converted to the type that we read. It keeps the nulls from before: a new null marks a value that could
/// not be converted.
#[derive(Debug)]
pub(crate) struct Column<A> {
    name: &'static str,
    values: A,
    nulls_before: Option<NullBuffer>,
}

impl<A: Array> Column<A> {
    pub(crate) fn optional<'a, T>(&'a self, row: usize, value: impl FnOnce(&'a A, usize) -> T) -> Result<Option<T>> {
        if self.values.is_valid(row) {
            Ok(Some(value(&self.values, row)))
        } else if self.nulls_before.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            Ok(None)
        } else {
            Err(Error::Value { column: self.name, problem: "outside what its type can hold" })
        }
    }

    pub(crate) fn required<'a, T>(&'a self, row: usize, value: impl FnOnce(&'a A, usize) -> T) -> Result<T> {
        self.optional(row, value)?.ok_or(Error::Value { column: self.name, problem: "missing" })
    }
}

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
    /// Keys of any width into a column of plain, large or view text.
    Dictionary {
        keys: Column<Int64Array>,
        values: Box<Texts>,
    },
}

impl Texts {
    fn of(name: &'static str, array: &dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Utf8 => Self::Plain(array.as_string().clone()),
            DataType::LargeUtf8 => Self::Large(array.as_string().clone()),
            DataType::Utf8View => Self::View(array.as_string_view().clone()),
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                let keys = cast(dictionary.keys(), &DataType::Int64).ok()?;
                let keys = Column { name, nulls_before: keys.logical_nulls(), values: keys.as_primitive().clone() };
                match Self::of(name, dictionary.values().as_ref())? {
                    Self::Dictionary { .. } => return None,
                    values => Self::Dictionary { keys, values: Box::new(values) },
                }
            }
            _ => return None,
        })
    }

    fn get(&self, row: usize) -> Result<Option<&str>> {
        Ok(match self {
            Self::Plain(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
            // Arrow has checked that every key points to a value.
            Self::Dictionary { keys, values } => match keys.optional(row, Int64Array::value)? {
                Some(key) => values.get(key as usize)?,
                None => None,
            },
        })
    }
}

impl TextColumn {
    pub(crate) fn text(&self, row: usize) -> Result<Option<&str>> {
        match self.texts.get(row)? {
            Some(text) if text.len() > MAX_TEXT_BYTES => {
                Err(Error::TextTooLong { column: self.name, limit: MAX_TEXT_BYTES })
            }
            text => Ok(text),
        }
    }

    /// The bytes of the text in a row, also where it is too long for one.
    pub(crate) fn length(&self, row: usize) -> usize {
        self.texts.get(row).ok().flatten().map_or(0, str::len)
    }

    pub(crate) fn required_text(&self, row: usize) -> Result<&str> {
        self.text(row)?.ok_or(Error::Value { column: self.name, problem: "missing" })
    }
}

/// The column `name`. A column of Arrow's null type counts as missing: its length is only a number in the input, and
/// nothing may be allocated for it.
fn present<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a ArrayRef> {
    batch.column_by_name(name).filter(|array| !array.data_type().is_null())
}

pub(crate) fn require<C>(column: Option<C>, name: &'static str, expected: DataType) -> Result<C> {
    column.ok_or_else(|| Error::ColumnMissing { column: name, expected: expected.to_string() })
}

pub(crate) fn text(batch: &RecordBatch, name: &'static str) -> Result<Option<TextColumn>> {
    let Some(array) = present(batch, name) else { return Ok(None) };
    match Texts::of(name, array.as_ref()) {
        Some(texts) => Ok(Some(TextColumn { name, texts })),
        None => Err(Error::ColumnType {
            column: name,
            found: array.data_type().to_string(),
            expected: DataType::Utf8.to_string(),
        }),
    }
}

pub(crate) fn integers(batch: &RecordBatch, name: &'static str) -> Result<Option<Column<Int64Array>>> {
    convert(batch, name, DataType::Int64, DataType::is_integer, |array| array.as_primitive::<Int64Type>().clone())
}

pub(crate) fn counts(batch: &RecordBatch, name: &'static str) -> Result<Column<UInt32Array>> {
    let column = convert(batch, name, DataType::UInt32, DataType::is_integer, |array| {
        array.as_primitive::<UInt32Type>().clone()
    })?;
    require(column, name, DataType::UInt32)
}

pub(crate) fn times(batch: &RecordBatch, name: &'static str) -> Result<Option<Column<TimestampMillisecondArray>>> {
    let is_time = |t: &DataType| matches!(t, DataType::Timestamp(..) | DataType::Int64);
    convert(batch, name, timestamp(), is_time, |array| array.as_primitive::<TimestampMillisecondType>().clone())
}

pub(crate) fn booleans(batch: &RecordBatch, name: &'static str) -> Result<Option<Column<BooleanArray>>> {
    let is_boolean = |t: &DataType| matches!(t, DataType::Boolean);
    convert(batch, name, DataType::Boolean, is_boolean, |array| array.as_boolean().clone())
}

/// The column `name` as type `expected`, if its own type can be converted without guessing.
fn convert<A>(
    batch: &RecordBatch,
    name: &'static str,
    expected: DataType,
    is_readable: impl Fn(&DataType) -> bool,
    downcast: impl FnOnce(&dyn Array) -> A,
) -> Result<Option<Column<A>>> {
    let Some(array) = present(batch, name) else { return Ok(None) };
    let wrong_type =
        || Error::ColumnType { column: name, found: array.data_type().to_string(), expected: expected.to_string() };
    if !is_readable(array.data_type()) {
        return Err(wrong_type());
    }
    // A value that does not fit becomes null here and an error of its row later. An error here would reject the batch.
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let converted = cast_with_options(array, &expected, &options).map_err(|_| wrong_type())?;
    Ok(Some(Column { name, values: downcast(&converted), nulls_before: array.logical_nulls() }))
}
