//! A function whose results are bounded.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{ScalarValue, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ExpressionPlacement, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, StructFieldMapping,
};

use super::charge::{Charge, most_of_batch};
use super::growth::Growth;
use super::rule::bound_calls;
use super::types::{check_type, check_type_name};

/// The most bytes of a result.
const MAX_VALUE: u64 = 16 << 20;

/// The most bytes of a result that is made of constants. There may be thousands of them in a plan.
const MAX_CONSTANT: u64 = 64 << 10;

/// Functions of numbers and times, and some that DataFusion knows by what they are. Their results are never larger than
/// their arguments.
const HARMLESS: [&str; 50] = [
    "abs",
    "acos",
    "acosh",
    "age",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "coalesce",
    "cos",
    "cosh",
    "cot",
    "date_bin",
    "zoned_date_bin",
    "date_part",
    "date_trunc",
    "zoned_date_trunc",
    "degrees",
    "exp",
    "file_row_index",
    "floor",
    "get_field",
    "greatest",
    "input_file_name",
    "isnan",
    "iszero",
    "least",
    "ln",
    "log",
    "log10",
    "log2",
    "nanvl",
    "now",
    "nullif",
    "nvl",
    "nvl2",
    "pi",
    "pow",
    "power",
    "radians",
    "random",
    "round",
    "signum",
    "span_order",
    "sqrt",
    "timezone",
    "trunc",
];

/// The same function with bounded results; `None` where they are bounded already.
pub(in crate::sql) fn bounded(function: &Arc<ScalarUDF>) -> Option<Arc<ScalarUDF>> {
    let name = function.name();
    if HARMLESS.contains(&name) || function.inner().is::<Bounded>() || function.as_async().is_some() {
        return None;
    }
    let bounded = Bounded { inner: Arc::clone(function), growth: Growth::of(name) };
    Some(Arc::new(ScalarUDF::new_from_impl(bounded)))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    growth: Growth,
}

impl Bounded {
    /// Refuses results that are too large; otherwise tells how large they are.
    fn check(&self, arguments: &ScalarFunctionArgs) -> Result<usize> {
        let (name, values) = (self.inner.name(), &arguments.args);
        let sizes = self.growth.sizes(values, arguments.number_rows);
        let is_constant = values.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let most = if is_constant && self.growth.multiplies() { MAX_CONSTANT } else { MAX_VALUE };
        let most_of_all = most_of_batch(&arguments.config_options);
        if self.growth == Growth::Pairs {
            if sizes.all > most_of_all as u64 {
                return exec_err!("{name} of such long texts takes too long; compare shorter ones");
            }
            return Ok(0);
        }
        // What only leaves something out of its arguments cannot be larger than what is there already.
        if sizes.largest > most && self.growth.multiplies() {
            let what = if is_constant { "of constants " } else { "" };
            return exec_err!(
                "{name} {what}would have a result of up to {} bytes; at most {most} are allowed",
                sizes.largest
            );
        }
        if is_constant {
            return Ok(0);
        }
        match usize::try_from(sizes.all) {
            Ok(all) if all <= most_of_all => Ok(all),
            _ => exec_err!(
                "{name} would have results of up to {} bytes for {} rows; at most {most_of_all} are allowed, and more \
                 with more --sql-memory",
                sizes.all,
                arguments.number_rows
            ),
        }
    }
}

/// Whether a type says how large its values are.
fn is_fixed(data_type: &DataType) -> bool {
    data_type.is_primitive() || matches!(data_type, DataType::Boolean | DataType::Null)
}

impl ScalarUDFImpl for Bounded {
    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if is_fixed(arguments.return_field.data_type()) && self.growth != Growth::Pairs {
            return self.inner.inner().invoke_with_args(arguments);
        }
        let bytes = self.check(&arguments)?;
        let options = Arc::clone(&arguments.config_options);
        let charge = Charge::take(&options, self.inner.name(), bytes)?;
        match self.inner.inner().invoke_with_args(arguments)? {
            ColumnarValue::Array(values) => Ok(ColumnarValue::Array(charge.keep(values)?)),
            constant => Ok(constant),
        }
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        if matches!(self.inner.name(), "arrow_cast" | "arrow_try_cast") {
            for value in arguments.scalar_arguments.iter().flatten() {
                value.try_as_str().flatten().map_or(Ok(()), check_type_name)?;
            }
        }
        let field = self.inner.inner().return_field_from_args(arguments)?;
        check_type(field.data_type())?;
        Ok(field)
    }

    fn simplify(&self, arguments: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        match self.inner.inner().simplify(arguments, info)? {
            // It may have become a call of another function.
            ExprSimplifyResult::Simplified(simpler) => Ok(ExprSimplifyResult::Simplified(
                simpler.transform_up(bound_calls).map(|bounded: Transformed<Expr>| bounded.data)?,
            )),
            as_before => Ok(as_before),
        }
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let inner = Arc::new(self.inner.inner().with_updated_config(config)?);
        Some(ScalarUDF::new_from_impl(Self { inner, growth: self.growth }))
    }

    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        self.inner.inner().schema_name(arguments)
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.inner().return_type(types)
    }

    fn is_strict(&self) -> bool {
        self.inner.inner().is_strict()
    }

    fn preimage(&self, arguments: &[Expr], literal: &Expr, info: &SimplifyContext) -> Result<PreimageResult> {
        self.inner.inner().preimage(arguments, literal, info)
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

    fn propagate_constraints(&self, interval: &Interval, inputs: &[&Interval]) -> Result<Option<Vec<Interval>>> {
        self.inner.inner().propagate_constraints(interval, inputs)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.inner.inner().output_ordering(inputs)
    }

    fn preserves_lex_ordering(&self, inputs: &[ExprProperties]) -> Result<bool> {
        self.inner.inner().preserves_lex_ordering(inputs)
    }

    fn strictly_order_preserving(&self, inputs: &[ExprProperties]) -> Result<bool> {
        self.inner.inner().strictly_order_preserving(inputs)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.inner().coerce_types(types)
    }

    fn struct_field_mapping(&self, literals: &[Option<ScalarValue>]) -> Option<StructFieldMapping> {
        self.inner.inner().struct_field_mapping(literals)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.inner().documentation()
    }

    fn placement(&self, arguments: &[ExpressionPlacement]) -> ExpressionPlacement {
        self.inner.inner().placement(arguments)
    }
}
