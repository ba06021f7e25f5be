//! Parameters beside spans of time. The planner wants to know their types before it finds out what they stand beside.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as SqlStatement;
use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, visit_expressions};

use super::declared::{inner, number};

/// The numbers of the parameters that an interval is multiplied with or divided by.
pub(super) fn factors(statement: &SqlStatement) -> Vec<usize> {
    operands(statement, |operator, other| {
        matches!(operator, BinaryOperator::Multiply | BinaryOperator::Divide) && matches!(other, Expr::Interval(_))
    })
}

/// The numbers of the parameters that are added to something, or subtracted from it.
pub(super) fn added(statement: &SqlStatement) -> Vec<usize> {
    operands(statement, |operator, _| matches!(operator, BinaryOperator::Plus | BinaryOperator::Minus))
}

/// The numbers of the parameters on one side of such an operator, with what stands on its other side.
fn operands(statement: &SqlStatement, is_meant: impl Fn(&BinaryOperator, &Expr) -> bool) -> Vec<usize> {
    let mut numbers = Vec::new();
    let Some(statement) = inner(statement) else { return numbers };
    let _ = visit_expressions(statement, |expression| {
        if let Expr::BinaryOp { left, op, right } = expression {
            for (one, other) in [(left, right), (right, left)] {
                numbers.extend(number(one).filter(|_| is_meant(op, other)));
            }
        }
        ControlFlow::<()>::Continue(())
    });
    numbers
}
