//! Operators between types for which DataFusion has none, or another one.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::DFSchema;
use datafusion::error::Result;
use datafusion::logical_expr::expr::{AggregateFunction, ScalarFunction};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Operator, ScalarUDF, cast};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use crate::sql::functions::{date_part, scaled_span};

/// Plans operators with PostgreSQL's meaning.
#[derive(Debug)]
pub(in crate::sql) struct Operators {
    date_part: Arc<ScalarUDF>,
}

impl Operators {
    pub(in crate::sql) fn new() -> Self {
        Self { date_part: Arc::new(date_part()) }
    }
}

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, raw: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let Some(operator) = operator_of(&raw.op) else { return Ok(PlannerResult::Original(raw)) };
        let (Ok(left), Ok(right)) = (raw.left.get_type(schema), raw.right.get_type(schema)) else {
            return Ok(PlannerResult::Original(raw));
        };
        Ok(planned(operator, raw, &left, &right))
    }

    fn plan_extract(&self, arguments: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        let call = ScalarFunction::new_udf(Arc::clone(&self.date_part), arguments);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }
}

/// The arithmetic operators, and `None` for all others.
fn operator_of(operator: &BinaryOperator) -> Option<Operator> {
    Some(match operator {
        BinaryOperator::Plus => Operator::Plus,
        BinaryOperator::Minus => Operator::Minus,
        BinaryOperator::Multiply => Operator::Multiply,
        BinaryOperator::Divide => Operator::Divide,
        BinaryOperator::Modulo => Operator::Modulo,
        // It stands for a power, which has no operator.
        BinaryOperator::PGExp => Operator::BitwiseXor,
        _ => return None,
    })
}

fn planned(operator: Operator, raw: RawBinaryExpr, left: &DataType, right: &DataType) -> PlannerResult<RawBinaryExpr> {
    let binary = |left: Expr, right: Expr| {
        PlannerResult::Planned(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), operator, Box::new(right))))
    };
    match operator {
        Operator::BitwiseXor if is_number(left) && is_number(right) => {
            let arguments = vec![cast(raw.left, DataType::Float64), cast(raw.right, DataType::Float64)];
            let power = ScalarFunction::new_udf(datafusion::functions::math::power(), arguments);
            PlannerResult::Planned(Expr::ScalarFunction(power))
        }
        Operator::Multiply if is_span(left) && is_number(right) => {
            PlannerResult::Planned(scaled_span(raw.left, raw.right, operator))
        }
        Operator::Multiply if is_number(left) && is_span(right) => {
            PlannerResult::Planned(scaled_span(raw.right, raw.left, operator))
        }
        Operator::Divide if is_span(left) && is_number(right) => {
            PlannerResult::Planned(scaled_span(raw.left, raw.right, operator))
        }
        Operator::Plus | Operator::Minus if is_date(left) && is_span(right) => {
            binary(cast(raw.left, instant()), raw.right)
        }
        Operator::Plus if is_span(left) && is_date(right) => binary(cast(raw.right, instant()), raw.left),
        Operator::Divide
            if left.is_integer() && right.is_integer() && (is_field(&raw.left) || is_field(&raw.right)) =>
        {
            binary(cast(raw.left, DataType::Float64), raw.right)
        }
        Operator::Plus | Operator::Minus | Operator::Multiply | Operator::Divide | Operator::Modulo
            if left.is_integer()
                && right.is_integer()
                && (left.is_unsigned_integer() || right.is_unsigned_integer()) =>
        {
            binary(signed(raw.left, left), signed(raw.right, right))
        }
        _ => PlannerResult::Original(raw),
    }
}

/// PostgreSQL has signed numbers alone, so that differences may be less than 0.
fn signed(operand: Expr, data_type: &DataType) -> Expr {
    if data_type.is_unsigned_integer() { cast(operand, DataType::Int64) } else { operand }
}

/// What a date becomes where hours are added to it.
fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

fn is_span(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_) | DataType::Duration(_))
}

fn is_date(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64)
}

/// Whether a number is a field of a time, or made of some. They are whole numbers here, and PostgreSQL's `numeric`, of
/// which a division leaves nothing out.
fn is_field(expression: &Expr) -> bool {
    match expression {
        Expr::ScalarFunction(call) => call.func.name() == "date_part",
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Plus | Operator::Minus | Operator::Multiply, right }) => {
            is_field(left) || is_field(right)
        }
        Expr::Negative(operand) => is_field(operand),
        Expr::AggregateFunction(AggregateFunction { func, params }) => {
            matches!(func.name(), "sum" | "min" | "max") && params.args.iter().any(is_field)
        }
        _ => false,
    }
}
