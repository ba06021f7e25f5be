//! `date_trunc`, fast for times in UTC.

use std::sync::Arc;

use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

/// `date_trunc` that does not look times in UTC up in the tables of time zones. DataFusion's does so for each value.
pub(super) fn date_trunc() -> ScalarUDF {
    ScalarUDF::new_from_impl(UtcTrunc { inner: datafusion::functions::datetime::date_trunc() })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct UtcTrunc {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for UtcTrunc {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.inner().return_field_from_args(arguments)
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let in_zone = arguments.return_field.data_type().clone();
        let (DataType::Timestamp(unit, Some(zone)), Some(ColumnarValue::Array(times))) =
            (&in_zone, arguments.args.get(1))
        else {
            return self.inner.inner().invoke_with_args(arguments);
        };
        if zone.as_ref() != "UTC" || *times.data_type() != in_zone {
            return self.inner.inner().invoke_with_args(arguments);
        }
        let plain = DataType::Timestamp(*unit, None);
        let times = ColumnarValue::Array(cast(times, &plain)?);
        if let Some(argument) = arguments.args.get_mut(1) {
            *argument = times;
        }
        let plain_field = |field: &FieldRef| Arc::new(field.as_ref().clone().with_data_type(plain.clone()));
        if let Some(field) = arguments.arg_fields.get_mut(1) {
            *field = plain_field(field);
        }
        arguments.return_field = plain_field(&arguments.return_field);
        let rows = arguments.number_rows;
        let truncated = self.inner.inner().invoke_with_args(arguments)?.into_array(rows)?;
        // The same numbers, in UTC again.
        Ok(ColumnarValue::Array(cast(&truncated, &in_zone)?))
    }

    fn output_ordering(
        &self,
        input: &[datafusion::logical_expr::sort_properties::ExprProperties],
    ) -> Result<datafusion::logical_expr::sort_properties::SortProperties> {
        self.inner.inner().output_ordering(input)
    }
}
