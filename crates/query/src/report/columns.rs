//! The columns of the rows that plans for reports give, beside those of the metrics.

use arrow::array::{Array, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use datafusion::error::{DataFusionError, Result};

/// The account, where segments of all accounts are counted.
pub(super) const ACCOUNT: &str = "account_id";
pub(super) const SKILL: &str = "skill_id";
/// The start of the interval or slice of time.
pub(super) const INTERVAL: &str = "interval_start";

/// The first of some instants at which late segments had arrived; null for those that came in time.
pub(super) const KNOWN_FROM: &str = "known_from";

/// The number of rows that reports cannot count, where nobody has checked them.
pub(super) const UNUSABLE: &str = "unusable_rows";

/// A column by its name.
pub(super) fn column_of<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b dyn Array> {
    match batch.column_by_name(name) {
        Some(array) => Ok(array.as_ref()),
        None => Err(DataFusionError::Internal(format!("a report's rows have no column {name}"))),
    }
}

/// A column of integers of 64 bits by its name.
pub(super) fn integers<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b Int64Array> {
    let column = column_of(batch, name)?.as_primitive_opt::<Int64Type>();
    column.ok_or_else(|| DataFusionError::Internal(format!("the column {name} of a report's rows has no integers")))
}
