//! A column of a batch that any program may have written.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, UInt32Array};
use arrow::buffer::NullBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Int64Type, SchemaRef, UInt32Type};

use super::numbers::{NOT_WHOLE, has_numbers, whole_numbers};
use crate::{Error, Result};

const OUTSIDE: &str = "outside what its type can hold";

/// A column, converted to the type that we read. It keeps the nulls from before: a new null marks a value that could
/// not be converted.
#[derive(Debug)]
pub(crate) struct Column<A> {
    pub(super) name: &'static str,
    pub(super) values: A,
    pub(super) nulls_before: Option<NullBuffer>,
    /// Why a value could not be converted.
    pub(super) problem: &'static str,
}

impl<A: Array> Column<A> {
    pub(crate) fn optional<'a, T>(&'a self, row: usize, value: impl FnOnce(&'a A, usize) -> T) -> Result<Option<T>> {
        if self.values.is_valid(row) {
            Ok(Some(value(&self.values, row)))
        } else if self.is_null(row) {
            Ok(None)
        } else {
            Err(Error::Value { column: self.name, problem: self.problem })
        }
    }

    pub(crate) fn required<'a, T>(&'a self, row: usize, value: impl FnOnce(&'a A, usize) -> T) -> Result<T> {
        self.optional(row, value)?.ok_or(Error::Value { column: self.name, problem: "missing" })
    }

    /// Whether there was no value in a row from the beginning.
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.nulls_before.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }
}

/// The places of the columns whose name is `name`, in letters of any case: the one that has it exactly, or else all.
pub(crate) fn places(schema: &SchemaRef, name: &str) -> Vec<usize> {
    let fields = schema.fields();
    if let Some((place, _)) = fields.find(name) {
        return vec![place];
    }
    let is_same = |place: &usize| fields.get(*place).is_some_and(|field| field.name().eq_ignore_ascii_case(name));
    (0..fields.len()).filter(is_same).collect()
}

/// The column `name`, and its field. A column of Arrow's null type counts as missing: its length is only a number in
/// the input, and nothing may be allocated for it.
pub(super) fn present(batch: &RecordBatch, name: &'static str) -> Result<Option<ArrayRef>> {
    let places = places(batch.schema_ref(), name);
    let mut found = places.iter().filter_map(|place| batch.columns().get(*place));
    let first = found.find(|array| !array.data_type().is_null());
    if found.any(|array| !array.data_type().is_null()) {
        return Err(Error::ColumnTwice { column: name });
    }
    Ok(first.cloned())
}

pub(crate) fn require<C>(column: Option<C>, name: &'static str, expected: DataType) -> Result<C> {
    column.ok_or_else(|| Error::ColumnMissing { column: name, expected: expected.to_string() })
}

pub(super) fn wrong_type(name: &'static str, array: &dyn Array, expected: &DataType) -> Error {
    Error::ColumnType { column: name, found: array.data_type().to_string(), expected: expected.to_string() }
}

pub(crate) fn integers(batch: &RecordBatch, name: &'static str) -> Result<Option<Column<Int64Array>>> {
    let Some(array) = present(batch, name)? else { return Ok(None) };
    numbers(name, &array).map(Some)
}

/// A column of whole numbers, in whatever type.
pub(super) fn numbers(name: &'static str, array: &ArrayRef) -> Result<Column<Int64Array>> {
    if array.data_type().is_integer() {
        return converted(name, array, &DataType::Int64, |array| array.as_primitive::<Int64Type>().clone());
    }
    let whole = has_numbers(array.data_type()).then(|| whole_numbers(array)).flatten();
    let (values, nulls_before) = whole.ok_or_else(|| wrong_type(name, array, &DataType::Int64))?;
    Ok(Column { name, values, nulls_before, problem: NOT_WHOLE })
}

pub(crate) fn counts(batch: &RecordBatch, name: &'static str) -> Result<Column<UInt32Array>> {
    let array = require(present(batch, name)?, name, DataType::UInt32)?;
    let to_count = |array: &dyn Array| array.as_primitive::<UInt32Type>().clone();
    if array.data_type().is_integer() {
        return converted(name, &array, &DataType::UInt32, to_count);
    }
    let Column { values, nulls_before, .. } = numbers(name, &array)?;
    let whole: ArrayRef = Arc::new(values);
    let Column { values, .. } = converted(name, &whole, &DataType::UInt32, to_count)?;
    Ok(Column { name, values, nulls_before, problem: "no whole number, or outside what its type can hold" })
}

pub(crate) fn booleans(batch: &RecordBatch, name: &'static str) -> Result<Option<Column<BooleanArray>>> {
    let Some(array) = present(batch, name)? else { return Ok(None) };
    let nulls_before = array.logical_nulls();
    if let Some(values) = array.as_boolean_opt() {
        return Ok(Some(Column { name, values: values.clone(), nulls_before, problem: OUTSIDE }));
    }
    let numbers = numbers(name, &array).map_err(|_| wrong_type(name, &array, &DataType::Boolean))?;
    let flag = |number: Option<i64>| match number {
        Some(0) => Some(false),
        Some(1) => Some(true),
        _ => None,
    };
    let values: BooleanArray = numbers.values.iter().map(flag).collect();
    Ok(Some(Column {
        name,
        values,
        nulls_before: numbers.nulls_before,
        problem: "neither true nor false, nor 1 nor 0",
    }))
}

/// A column as type `expected`. A value that does not fit becomes null here and an error of its row later. An error
/// here would reject the batch.
pub(super) fn converted<A>(
    name: &'static str,
    array: &ArrayRef,
    expected: &DataType,
    downcast: impl FnOnce(&dyn Array) -> A,
) -> Result<Column<A>> {
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let converted = cast_with_options(array, expected, &options).map_err(|_| wrong_type(name, array, expected))?;
    Ok(Column { name, values: downcast(&converted), nulls_before: array.logical_nulls(), problem: OUTSIDE })
}
