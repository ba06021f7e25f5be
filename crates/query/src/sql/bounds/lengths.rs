//! How many bytes the arguments of a call have, row by row.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, OffsetSizeTrait, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::ColumnarValue;

/// A number for each row.
pub(super) enum Numbers {
    Same(u64),
    Each(Vec<u64>),
}

impl Numbers {
    pub(super) fn of(&self, row: usize) -> u64 {
        match self {
            Self::Same(number) => *number,
            Self::Each(numbers) => numbers.get(row).copied().unwrap_or(0),
        }
    }

    pub(super) fn is_same(&self) -> bool {
        matches!(self, Self::Same(_))
    }
}

/// The bytes of a text, a list and so on; of a value whose type says how many it has, some.
pub(super) fn bytes(value: &ColumnarValue) -> Numbers {
    match value {
        ColumnarValue::Scalar(value) => Numbers::Same(bytes_of_scalar(value)),
        ColumnarValue::Array(values) => bytes_of_array(values),
    }
}

pub(super) fn bytes_of_scalar(value: &ScalarValue) -> u64 {
    match value {
        ScalarValue::Utf8(text) | ScalarValue::LargeUtf8(text) | ScalarValue::Utf8View(text) => {
            text.as_ref().map_or(0, |text| text.len() as u64)
        }
        ScalarValue::Binary(bytes)
        | ScalarValue::LargeBinary(bytes)
        | ScalarValue::BinaryView(bytes)
        | ScalarValue::FixedSizeBinary(_, bytes) => bytes.as_ref().map_or(0, |bytes| bytes.len() as u64),
        ScalarValue::Dictionary(_, value) => bytes_of_scalar(value),
        other => other.size() as u64,
    }
}

/// The bytes of these rows alone. Rows of the table share memory with it, and with many other batches.
pub(in crate::sql) fn bytes_of_batch(batch: &RecordBatch) -> usize {
    let of_column = |column: &ArrayRef| {
        let bytes = column.to_data().get_slice_memory_size();
        bytes.unwrap_or_else(|_| column.get_array_memory_size())
    };
    batch.columns().iter().map(of_column).fold(0, usize::saturating_add)
}

fn bytes_of_array(values: &ArrayRef) -> Numbers {
    match values.data_type() {
        DataType::Utf8 => differences(values.as_string::<i32>().offsets()),
        DataType::LargeUtf8 => differences(values.as_string::<i64>().offsets()),
        DataType::Binary => differences(values.as_binary::<i32>().offsets()),
        DataType::LargeBinary => differences(values.as_binary::<i64>().offsets()),
        // The length is the lowest part of a view.
        DataType::Utf8View => Numbers::Each(values.as_string_view().lengths().map(u64::from).collect()),
        DataType::BinaryView => Numbers::Each(values.as_binary_view().lengths().map(u64::from).collect()),
        DataType::Dictionary(..) => {
            let dictionary = values.as_any_dictionary();
            if dictionary.values().is_empty() {
                return Numbers::Same(0);
            }
            let of_values = bytes_of_array(dictionary.values());
            let keys = dictionary.normalized_keys();
            let of_key = |(row, key): (usize, &usize)| if values.is_null(row) { 0 } else { of_values.of(*key) };
            Numbers::Each(keys.iter().enumerate().map(of_key).collect())
        }
        DataType::List(_) => shares(values.as_list::<i32>().offsets(), values.as_list::<i32>().values()),
        DataType::LargeList(_) => shares(values.as_list::<i64>().offsets(), values.as_list::<i64>().values()),
        other => Numbers::Same(match other.primitive_width() {
            Some(bytes) => bytes as u64,
            None => average(values),
        }),
    }
}

/// The number of elements of a list; 1 for all else.
pub(super) fn elements(value: &ColumnarValue) -> Numbers {
    let array = match value {
        ColumnarValue::Scalar(value) => match value.to_array() {
            Ok(array) => array,
            Err(_) => return Numbers::Same(1),
        },
        ColumnarValue::Array(values) => values.clone(),
    };
    let numbers = match array.data_type() {
        // A list of lists is taken apart altogether. An element of one byte may be as little as a bit.
        DataType::List(inner) | DataType::LargeList(inner) if inner.data_type().is_nested() => {
            let bytes = bytes_of_array(&array);
            Numbers::Each((0..array.len()).map(|row| bytes.of(row).saturating_mul(8)).collect())
        }
        DataType::List(_) => differences(array.as_list::<i32>().offsets()),
        DataType::LargeList(_) => differences(array.as_list::<i64>().offsets()),
        DataType::FixedSizeList(..) => Numbers::Same(average(&array).saturating_mul(8)),
        _ => Numbers::Same(1),
    };
    match (value, numbers) {
        (ColumnarValue::Scalar(_), numbers) => Numbers::Same(numbers.of(0)),
        (ColumnarValue::Array(_), numbers) => numbers,
    }
}

fn differences<O: OffsetSizeTrait>(offsets: &[O]) -> Numbers {
    Numbers::Each(offsets.windows(2).map(|pair| difference(pair)).collect())
}

fn difference<O: OffsetSizeTrait>(pair: &[O]) -> u64 {
    match pair {
        [start, end] => end.as_usize().saturating_sub(start.as_usize()) as u64,
        _ => 0,
    }
}

/// The bytes of lists, by the number of their elements.
fn shares<O: OffsetSizeTrait>(offsets: &[O], values: &ArrayRef) -> Numbers {
    let of_element = average(values);
    let of_pair = |pair: &[O]| difference(pair).saturating_mul(of_element).saturating_add(size_of::<O>() as u64);
    Numbers::Each(offsets.windows(2).map(of_pair).collect())
}

fn average(values: &ArrayRef) -> u64 {
    let bytes = values.to_data().get_slice_memory_size().unwrap_or_else(|_| values.get_array_memory_size());
    (bytes as u64).div_ceil((values.len() as u64).max(1))
}

/// Whole numbers, such as how often to repeat; days and times as nanoseconds. Null is 0.
pub(super) fn signed(value: &ColumnarValue) -> Vec<i128> {
    let array = match value {
        ColumnarValue::Scalar(value) => value.to_array().ok(),
        ColumnarValue::Array(values) => Some(values.clone()),
    };
    let Some(array) = array else { return Vec::new() };
    let unit = match array.data_type() {
        DataType::Date32 => 86_400_000_000_000,
        DataType::Date64 | DataType::Timestamp(TimeUnit::Millisecond, _) => 1_000_000,
        DataType::Timestamp(TimeUnit::Second, _) => 1_000_000_000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000,
        _ => 1,
    };
    let whole = match array.data_type() {
        DataType::Date32 => cast(&array, &DataType::Int32).and_then(|days| cast(&days, &DataType::Int64)),
        _ => cast(&array, &DataType::Int64),
    };
    let Ok(whole) = whole else { return Vec::new() };
    let Some(whole) = whole.as_any().downcast_ref::<Int64Array>() else { return Vec::new() };
    whole.iter().map(|number| i128::from(number.unwrap_or(0)).saturating_mul(unit)).collect()
}
