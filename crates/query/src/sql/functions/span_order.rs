//! Comparing intervals.

use std::sync::Arc;

use arrow::array::Decimal128Array;
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::computed::computed;
use super::span::{Span, spans};

/// The length of an interval, with 30 days to a month and 24 hours to a day: by it PostgreSQL compares them. Arrow has
/// any number of days before any number of hours.
pub(in crate::sql) fn span_order(span: Expr) -> Expr {
    let function = SpanOrder { signature: Signature::any(1, Volatility::Immutable) };
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::new_from_impl(function)), vec![span]))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SpanOrder {
    signature: Signature,
}

impl ScalarUDFImpl for SpanOrder {
    fn name(&self) -> &str {
        "span_order"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Decimal128(38, 0))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        computed(&arguments, |columns| {
            let [values] = columns else { return Err(super::wrong_number(self.name())) };
            let lengths = spans(values)?.into_iter().map(|span| span.map(Span::length));
            Ok(Arc::new(lengths.collect::<Decimal128Array>().with_precision_and_scale(38, 0)?))
        })
    }
}
