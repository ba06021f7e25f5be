//! Parameters that are added up, and so are numbers.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as SqlStatement;
use datafusion::sql::sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, FunctionArguments, visit_expressions};

use super::declared::{inner, number};

/// The numbers of the parameters whose values a statement adds up.
pub(super) fn numbers(statement: &SqlStatement) -> Vec<usize> {
    let mut numbers = Vec::new();
    let Some(statement) = inner(statement) else { return numbers };
    let _ = visit_expressions(statement, |expression| {
        if let Expr::Function(call) = expression
            && matches!(call.name.to_string().to_lowercase().as_str(), "sum" | "avg")
            && let FunctionArguments::List(arguments) = &call.args
        {
            for argument in &arguments.args {
                if let FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) = argument {
                    values(argument, &mut numbers);
                }
            }
        }
        ControlFlow::<()>::Continue(())
    });
    numbers
}

/// The parameters whose values may be that of an expression, or a part of its sum.
fn values(expression: &Expr, numbers: &mut Vec<usize>) {
    match expression {
        Expr::Nested(within) => values(within, numbers),
        Expr::UnaryOp { expr, .. } => values(expr, numbers),
        Expr::BinaryOp { left, right, .. } => {
            values(left, numbers);
            values(right, numbers);
        }
        Expr::Case { conditions, else_result, .. } => {
            conditions.iter().for_each(|case| values(&case.result, numbers));
            else_result.iter().for_each(|result| values(result, numbers));
        }
        other => numbers.extend(number(other)),
    }
}
