//! Lists of numbers of objects, which PostgreSQL calls `oid[]`. An aggregate forgets that its numbers are those of objects.

use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use skillscope_query::object_list;

/// The name of the function that makes a list of numbers one of objects.
pub(in crate::postgresql::catalog) const OBJECT_LIST: &str = "pg_object_list";

/// The function. Its type says so of each element, so that it is not forgotten again.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ObjectList {
    signature: Signature,
}

impl ObjectList {
    pub(super) fn new() -> Self {
        Self { signature: Signature::any(1, Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for ObjectList {
    fn name(&self) -> &str {
        OBJECT_LIST
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(object_list())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let numbers = ColumnarValue::values_to_arrays(&arguments.args)?;
        let cast = numbers.first().map(|numbers| arrow::compute::cast(numbers, &object_list())).transpose()?;
        let none = || arrow::array::new_null_array(&object_list(), arguments.number_rows);
        Ok(ColumnarValue::Array(cast.unwrap_or_else(none)))
    }
}
