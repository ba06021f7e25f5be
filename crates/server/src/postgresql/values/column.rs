//! A column of a batch, whose values are written one by one.

use std::fmt::Write;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryViewArray, FixedSizeBinaryArray, GenericByteArray,
    StringViewArray,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, take};
use arrow::datatypes::{
    ByteArrayType, DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    Float16Type, Float32Type, Float64Type, GenericBinaryType, GenericStringType, Int8Type, Int16Type, Int32Type,
    Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::{BufMut, BytesMut};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};

use super::super::error::{SqlState, error};
use super::list::List;
use super::record::Record;
use super::{Written, calendar, decimal, float, interval};

/// Writes the value of a row.
pub(super) type Put = Box<dyn Fn(usize, &mut BytesMut) -> PgWireResult<()> + Send>;

/// A column, with the form in which its values are written.
pub(super) struct Column {
    nulls: Option<NullBuffer>,
    form: Form,
}

enum Form {
    Plain(Put),
    List(List),
}

impl Column {
    pub(super) fn new(array: &ArrayRef, written: Written) -> PgWireResult<Self> {
        Ok(Self { nulls: array.logical_nulls(), form: form(array, written)? })
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// The column as lists, if it has any.
    pub(super) fn as_list(&self) -> Option<&List> {
        match &self.form {
            Form::List(list) => Some(list),
            Form::Plain(_) => None,
        }
    }

    /// Writes a value that is not null.
    pub(super) fn put(&self, row: usize, out: &mut BytesMut) -> PgWireResult<()> {
        match &self.form {
            Form::Plain(put) => put(row, out),
            Form::List(list) => list.put(row, out),
        }
    }

    /// Writes the number of a value's bytes, and these; or that it is null.
    pub(super) fn put_counted(&self, row: usize, out: &mut BytesMut) -> PgWireResult<()> {
        if self.is_null(row) {
            out.put_i32(-1);
            return Ok(());
        }
        let start = out.len();
        out.put_i32(0);
        self.put(row, out)?;
        let too_long = |_| error(SqlState::TooMuch, "a value is longer than a message may be");
        let length = i32::try_from(out.len() - start - size_of::<i32>()).map_err(too_long)?;
        if let Some(place) = out.get_mut(start..start + size_of::<i32>()) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }
}

fn form(array: &ArrayRef, written: Written) -> PgWireResult<Form> {
    let is_binary = written.is_binary;
    Ok(Form::Plain(match array.data_type() {
        DataType::Null => Box::new(|_, _| Ok(())),
        DataType::Boolean => boolean(array, is_binary),
        DataType::Int8 => integer::<Int8Type>(array, is_binary.then_some(Width::Two)),
        DataType::UInt8 => integer::<UInt8Type>(array, is_binary.then_some(Width::Two)),
        DataType::Int16 => integer::<Int16Type>(array, is_binary.then_some(Width::Two)),
        DataType::UInt16 => integer::<UInt16Type>(array, is_binary.then_some(Width::Four)),
        DataType::Int32 => integer::<Int32Type>(array, is_binary.then_some(Width::Four)),
        DataType::UInt32 => integer::<UInt32Type>(array, is_binary.then_some(Width::Eight)),
        DataType::Int64 => integer::<Int64Type>(array, is_binary.then_some(Width::Eight)),
        DataType::UInt64 => primitive::<UInt64Type>(array, move |value, out| decimal::put(value, 0, is_binary, out)),
        DataType::Decimal32(_, scale) => decimals::<Decimal32Type>(array, *scale, is_binary),
        DataType::Decimal64(_, scale) => decimals::<Decimal64Type>(array, *scale, is_binary),
        DataType::Decimal128(_, scale) => decimals::<Decimal128Type>(array, *scale, is_binary),
        DataType::Decimal256(_, scale) => decimals::<Decimal256Type>(array, *scale, is_binary),
        DataType::Float16 => {
            primitive::<Float16Type>(array, move |value, out| float::put_single(value.to_f32(), is_binary, out))
        }
        DataType::Float32 => {
            primitive::<Float32Type>(array, move |value, out| float::put_single(value, is_binary, out))
        }
        DataType::Float64 => {
            primitive::<Float64Type>(array, move |value, out| float::put_double(value, is_binary, out))
        }
        DataType::Date32 => {
            primitive::<Date32Type>(array, move |days, out| calendar::put_date(days.into(), is_binary, out))
        }
        DataType::Date64 => primitive::<Date64Type>(array, move |ms, out| {
            calendar::put_date(ms.div_euclid(calendar::DAY_MILLISECONDS), is_binary, out)
        }),
        DataType::Time32(_) | DataType::Time64(_) => calendar::times(array, is_binary)?,
        DataType::Timestamp(unit, zone) => calendar::timestamps(array, *unit, zone.as_deref(), written)?,
        DataType::Duration(unit) => interval::durations(array, *unit, is_binary),
        DataType::Interval(unit) => interval::intervals(array, *unit, is_binary),
        DataType::Utf8 => bytes::<GenericStringType<i32>>(array, |text| text.as_bytes()),
        DataType::LargeUtf8 => bytes::<GenericStringType<i64>>(array, |text| text.as_bytes()),
        DataType::Utf8View => text_view(array.as_string_view().clone()),
        DataType::Binary if is_binary => bytes::<GenericBinaryType<i32>>(array, |bytes| bytes),
        DataType::LargeBinary if is_binary => bytes::<GenericBinaryType<i64>>(array, |bytes| bytes),
        DataType::Binary => hexadecimal::<GenericBinaryType<i32>>(array),
        DataType::LargeBinary => hexadecimal::<GenericBinaryType<i64>>(array),
        DataType::BinaryView => binary_view(array.as_binary_view().clone(), is_binary),
        DataType::FixedSizeBinary(_) => fixed_binary(array.as_fixed_size_binary().clone(), is_binary),
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => return Ok(Form::List(List::new(array, written)?)),
        DataType::Struct(_) => Record::new(array.as_struct(), written)?.into_put(),
        DataType::Dictionary(..) => return dictionary(array, written),
        DataType::RunEndEncoded(_, values) => {
            return form(&cast(array, values.data_type()).map_err(unwritable)?, written);
        }
        DataType::Map(..) | DataType::Union(..) => shown(array),
    }))
}

/// What goes wrong where Arrow converts values.
pub(super) fn unwritable(cause: ArrowError) -> PgWireError {
    error(SqlState::Value, format!("a value cannot be sent: {cause}"))
}

fn boolean(array: &ArrayRef, is_binary: bool) -> Put {
    let values = array.as_boolean().clone();
    Box::new(move |row, out| {
        out.put_u8(match (values.value(row), is_binary) {
            (value, true) => value.into(),
            (true, false) => b't',
            (false, false) => b'f',
        });
        Ok(())
    })
}

/// Writes the values of an array of numbers with `put`.
pub(super) fn primitive<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    put: impl Fn(T::Native, &mut BytesMut) -> PgWireResult<()> + Send + 'static,
) -> Put {
    let values = array.as_primitive::<T>().clone();
    Box::new(move |row, out| put(values.value(row), out))
}

/// The bytes of a whole number.
#[derive(Debug, Clone, Copy)]
enum Width {
    Two,
    Four,
    Eight,
}

/// Whole numbers, as text where they have no width. Every one has room in its width.
fn integer<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &ArrayRef, width: Option<Width>) -> Put {
    primitive::<T>(array, move |value, out| {
        let value: i64 = value.into();
        match width {
            None => write!(out, "{value}").map_err(|_| full())?,
            Some(Width::Two) => out.put_int(value, 2),
            Some(Width::Four) => out.put_int(value, 4),
            Some(Width::Eight) => out.put_i64(value),
        }
        Ok(())
    })
}

/// Text that has no room, which cannot be.
pub(super) fn full() -> PgWireError {
    error(SqlState::OutOfMemory, "there is no room for a value")
}

fn decimals<T: ArrowPrimitiveType<Native: std::fmt::Display>>(array: &ArrayRef, scale: i8, is_binary: bool) -> Put {
    primitive::<T>(array, move |value, out| decimal::put(value, scale, is_binary, out))
}

fn bytes<T: ByteArrayType>(array: &ArrayRef, of: fn(&T::Native) -> &[u8]) -> Put {
    let values: GenericByteArray<T> = array.as_bytes::<T>().clone();
    Box::new(move |row, out| {
        out.extend_from_slice(of(values.value(row)));
        Ok(())
    })
}

fn text_view(values: StringViewArray) -> Put {
    Box::new(move |row, out| {
        out.extend_from_slice(values.value(row).as_bytes());
        Ok(())
    })
}

fn hexadecimal<T: ByteArrayType<Native = [u8]>>(array: &ArrayRef) -> Put {
    let values: GenericByteArray<T> = array.as_bytes::<T>().clone();
    Box::new(move |row, out| put_bytes(values.value(row), false, out))
}

fn binary_view(values: BinaryViewArray, is_binary: bool) -> Put {
    Box::new(move |row, out| put_bytes(values.value(row), is_binary, out))
}

fn fixed_binary(values: FixedSizeBinaryArray, is_binary: bool) -> Put {
    Box::new(move |row, out| put_bytes(values.value(row), is_binary, out))
}

fn put_bytes(bytes: &[u8], is_binary: bool, out: &mut BytesMut) -> PgWireResult<()> {
    if is_binary {
        out.extend_from_slice(bytes);
        return Ok(());
    }
    out.extend_from_slice(b"\\x");
    bytes.iter().try_for_each(|byte| write!(out, "{byte:02x}")).map_err(|_| full())
}

/// Each row's value is among those that the dictionary has.
fn dictionary(array: &ArrayRef, written: Written) -> PgWireResult<Form> {
    let dictionary = array.as_any_dictionary();
    let values = dictionary.values();
    if values.is_empty() {
        return Ok(Form::Plain(Box::new(|_, _| Ok(()))));
    }
    match form(values, written)? {
        Form::Plain(put) => {
            let keys = dictionary.normalized_keys();
            Ok(Form::Plain(Box::new(move |row, out| match keys.get(row) {
                Some(key) => put(*key, out),
                None => Ok(()),
            })))
        }
        Form::List(_) => form(&take(values, dictionary.keys(), None).map_err(unwritable)?, written),
    }
}

/// Values that PostgreSQL has no type for, as Arrow shows them.
fn shown(array: &ArrayRef) -> Put {
    let array = array.clone();
    Box::new(move |row, out| {
        let formatter = ArrayFormatter::try_new(&array, &FormatOptions::default()).map_err(unwritable)?;
        write!(out, "{}", formatter.value(row).try_to_string().map_err(unwritable)?).map_err(|_| full())
    })
}
