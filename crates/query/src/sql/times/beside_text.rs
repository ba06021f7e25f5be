//! Functions of which one argument may be a time and another a text that tells one, as in `coalesce(end_time,
//! '2018-01-18')`.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TypeSignature,
};

/// The functions that take values of one type and return one of them.
const FUNCTIONS: [&str; 3] = ["coalesce", "greatest", "least"];

/// The same function for times beside texts, where it is one of those that need it.
pub(in crate::sql) fn beside_text(function: &Arc<ScalarUDF>) -> Option<Arc<ScalarUDF>> {
    let chooses = matches!(function.signature().type_signature, TypeSignature::UserDefined);
    (chooses && FUNCTIONS.contains(&function.name()))
        .then(|| Arc::new(ScalarUDF::new_from_impl(BesideText { inner: Arc::clone(function) })))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct BesideText {
    inner: Arc<ScalarUDF>,
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

impl ScalarUDFImpl for BesideText {
    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let time = types.iter().find(|given| matches!(given, DataType::Timestamp(..) | DataType::Date32));
        match time {
            Some(time) => {
                let read = |given: &DataType| if is_text(given) { time.clone() } else { given.clone() };
                self.inner.inner().coerce_types(&types.iter().map(read).collect::<Vec<_>>())
            }
            None => self.inner.inner().coerce_types(types),
        }
    }

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
        self.inner.inner().return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.inner().return_field_from_args(arguments)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.inner.inner().invoke_with_args(arguments)
    }

    fn simplify(&self, arguments: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.inner.inner().simplify(arguments, info)
    }

    fn short_circuits(&self) -> bool {
        self.inner.inner().short_circuits()
    }

    fn conditional_arguments<'a>(&self, arguments: &'a [Expr]) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.inner.inner().conditional_arguments(arguments)
    }

    fn evaluate_bounds(&self, input: &[&Interval]) -> Result<Interval> {
        self.inner.inner().evaluate_bounds(input)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.inner.inner().output_ordering(inputs)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.inner().documentation()
    }
}
