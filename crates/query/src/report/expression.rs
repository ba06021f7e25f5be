//! Expressions over the table of segments, in the types that its columns have.

use arrow::datatypes::DataType;
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::{Expr, lit};
use skillscope_segment::TIME_ZONE;

/// The name under which plans scan the table.
pub(super) const SEGMENTS: &str = "segments";

/// A column of the table. (Its name needs no parsing.)
pub(super) fn segment(name: &str) -> Expr {
    Expr::Column(Column::new(Some(SEGMENTS), name))
}

/// A word in the type of a dictionary column with keys of this type.
pub(super) fn word(key: DataType, word: &str) -> Expr {
    lit(ScalarValue::Dictionary(Box::new(key), Box::new(ScalarValue::from(word))))
}

/// An instant in milliseconds since the epoch.
pub(super) fn instant(ms: i64) -> Expr {
    lit(ScalarValue::TimestampMillisecond(Some(ms), Some(TIME_ZONE.into())))
}
