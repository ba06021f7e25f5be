//! `version`: what tools read to find out whom they talk to.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// The version of PostgreSQL whose dialect, catalog and protocol are spoken here. Tools choose by it what they ask.
pub const POSTGRESQL_VERSION: &str = "16.6";

/// `version()`: begins as PostgreSQL's does, since tools refuse to go on otherwise, and tells what it is beside.
pub(super) fn version() -> ScalarUDF {
    let text = format!("PostgreSQL {POSTGRESQL_VERSION} (skillscope {})", env!("CARGO_PKG_VERSION"));
    let version = move |_: &[ColumnarValue]| -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(ScalarValue::Utf8(Some(text.clone()))))
    };
    create_udf("version", Vec::new(), DataType::Utf8, Volatility::Stable, Arc::new(version))
}
