//! Operators that do not go wrong silently: `+ - *` of whole numbers, and `||`.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::kernels::numeric::{add, mul, neg, sub};
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use arrow::error::ArrowError;
use datafusion::common::utils::take_function_args;
use datafusion::common::{ScalarValue, exec_datafusion_err, internal_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr as PhysicalBinaryExpr, Column};
use datafusion::physical_expr_common::datum::apply;

/// An operator as a function. DataFusion's own operators give another number where the right one is out of range.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Operation {
    operator: Operator,
    is_negation: bool,
    signature: Signature,
}

/// `left operator right`, as a function.
pub(super) fn operation(operator: Operator, left: Expr, right: Expr) -> Expr {
    call(
        Operation { operator, is_negation: false, signature: Signature::any(2, Volatility::Immutable) },
        vec![left, right],
    )
}

/// `- operand`, as a function.
pub(super) fn negation(operand: Expr) -> Expr {
    let signature = Signature::any(1, Volatility::Immutable);
    call(Operation { operator: Operator::Minus, is_negation: true, signature }, vec![operand])
}

fn call(operation: Operation, arguments: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::new_from_impl(operation)), arguments))
}

impl Operation {
    fn compute(&self, arguments: &[ColumnarValue]) -> Result<ColumnarValue> {
        if self.is_negation {
            let [operand] = take_function_args(self.name(), arguments)?;
            return match operand {
                ColumnarValue::Array(values) => Ok(ColumnarValue::Array(neg(values)?)),
                ColumnarValue::Scalar(value) => {
                    Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&neg(&value.to_array()?)?, 0)?))
                }
            };
        }
        let [left, right] = take_function_args(self.name(), arguments)?;
        match self.operator {
            Operator::Plus => apply(left, right, add),
            Operator::Minus => apply(left, right, sub),
            Operator::Multiply => apply(left, right, mul),
            other => internal_err!("{other} is not an operation of numbers"),
        }
    }

    fn concatenate(&self, arguments: &ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_constant = arguments.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { arguments.number_rows };
        let columns =
            arguments.args.iter().map(|argument| argument.to_array(rows)).collect::<Result<Vec<ArrayRef>>>()?;
        let schema = Arc::new(Schema::new(arguments.arg_fields.clone()));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(schema, columns, &options)?;
        let texts = concatenation().evaluate(&batch)?.into_array(rows)?;
        if is_constant {
            ScalarValue::try_from_array(&texts, 0).map(ColumnarValue::Scalar)
        } else {
            Ok(ColumnarValue::Array(texts))
        }
    }
}

/// The first column and the second, one after the other.
fn concatenation() -> PhysicalBinaryExpr {
    PhysicalBinaryExpr::new(Arc::new(Column::new("left", 0)), Operator::StringConcat, Arc::new(Column::new("right", 1)))
}

impl ScalarUDFImpl for Operation {
    fn name(&self) -> &str {
        match self.operator {
            Operator::Plus => "+",
            Operator::Minus => "-",
            Operator::Multiply => "*",
            _ => "||",
        }
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        let name = match arguments {
            [left, right] => {
                let (left, right) = (Box::new(left.clone()), Box::new(right.clone()));
                Expr::BinaryExpr(BinaryExpr::new(left, self.operator, right)).schema_name().to_string()
            }
            [operand] => Expr::Negative(Box::new(operand.clone())).schema_name().to_string(),
            _ => return internal_err!("{} has one or two arguments", self.name()),
        };
        Ok(name)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let fields: Vec<Field> =
            types.iter().map(|data_type| Field::new("argument", data_type.clone(), true)).collect();
        match (self.operator, types) {
            (Operator::StringConcat, _) => concatenation().data_type(&Schema::new(fields)),
            (_, [first, ..]) => Ok(first.clone()),
            _ => internal_err!("{} has one or two arguments", self.name()),
        }
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> = arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, nullable)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if self.operator == Operator::StringConcat {
            return self.concatenate(&arguments);
        }
        self.compute(&arguments.args).map_err(|error| match error.find_root() {
            DataFusionError::ArrowError(cause, _) if matches!(cause.as_ref(), ArrowError::ArithmeticOverflow(_)) => {
                exec_datafusion_err!("{} out of range: {cause}", name_of(arguments.return_field.data_type()))
            }
            _ => error,
        })
    }
}

/// A type by the name that it has in statements.
fn name_of(data_type: &DataType) -> String {
    match data_type {
        DataType::Int64 => "bigint".to_owned(),
        DataType::Int32 => "integer".to_owned(),
        DataType::Int16 => "smallint".to_owned(),
        other => other.to_string(),
    }
}
