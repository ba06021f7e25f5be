//! Calls that are computed over arrays.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

/// The result of `compute` for all rows; for one alone where all arguments are constants.
pub(super) fn computed(
    arguments: &ScalarFunctionArgs,
    compute: impl FnOnce(&[ArrayRef]) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    let is_constant = arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
    let rows = if is_constant { 1 } else { arguments.number_rows };
    let columns = arguments.args.iter().map(|argument| argument.to_array(rows)).collect::<Result<Vec<_>>>()?;
    let values = compute(&columns)?;
    if is_constant {
        ScalarValue::try_from_array(&values, 0).map(ColumnarValue::Scalar)
    } else {
        Ok(ColumnarValue::Array(values))
    }
}

/// Texts of any kind, row by row.
pub(super) struct Texts(ArrayRef);

impl Texts {
    pub(super) fn of(values: &ArrayRef) -> Result<Self> {
        Ok(Self(if *values.data_type() == DataType::Utf8 { values.clone() } else { cast(values, &DataType::Utf8)? }))
    }

    pub(super) fn get(&self, row: usize) -> Option<&str> {
        let texts = self.0.as_string::<i32>();
        (row < texts.len() && texts.is_valid(row)).then(|| texts.value(row))
    }
}
