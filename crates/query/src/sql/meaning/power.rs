//! How firmly `^` binds: more than all other operators, as a power does. The parser has taken it for `xor`, which binds
//! less than sums.

use std::iter::Peekable;
use std::vec::IntoIter;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr};

/// An operand and what follows it: the next operator with its operand, and so on.
struct Chain {
    operands: Vec<Expr>,
    operators: Vec<BinaryOperator>,
}

/// Where this is `^`, the same operands and operators, bound as powers bind.
pub(super) fn bind_powers(expression: &mut Expr) {
    if !matches!(expression, Expr::BinaryOp { op: BinaryOperator::BitwiseXor, .. }) {
        return;
    }
    let whole = std::mem::replace(expression, Expr::value(datafusion::sql::sqlparser::ast::Value::Null));
    let mut chain = Chain { operands: Vec::new(), operators: Vec::new() };
    chain.take_apart(whole);
    let mut operands = chain.operands.into_iter();
    let Some(first) = operands.next() else { return };
    *expression =
        bound(first, &mut chain.operators.into_iter().zip(operands).collect::<Vec<_>>().into_iter().peekable(), 0);
}

impl Chain {
    /// What stands in parentheses stays together.
    fn take_apart(&mut self, expression: Expr) {
        match expression {
            Expr::BinaryOp { left, op, right } if strength(&op).is_some() => {
                self.take_apart(*left);
                self.operators.push(if op == BinaryOperator::BitwiseXor { BinaryOperator::PGExp } else { op });
                self.take_apart(*right);
            }
            operand => self.operands.push(operand),
        }
    }
}

/// The operators that the parser may have bound more firmly than `^`, or as firmly, from the weakest to the strongest.
fn strength(operator: &BinaryOperator) -> Option<u8> {
    Some(match operator {
        BinaryOperator::PGBitwiseShiftLeft | BinaryOperator::PGBitwiseShiftRight => 1,
        BinaryOperator::BitwiseAnd => 2,
        BinaryOperator::Plus | BinaryOperator::Minus => 3,
        BinaryOperator::Multiply
        | BinaryOperator::Divide
        | BinaryOperator::Modulo
        | BinaryOperator::DuckIntegerDivide
        | BinaryOperator::StringConcat => 4,
        BinaryOperator::BitwiseXor | BinaryOperator::PGExp => 5,
        _ => return None,
    })
}

/// `left` with all that follows and binds at least so firmly. Operators of one strength are taken from left to right.
fn bound(mut left: Expr, rest: &mut Peekable<IntoIter<(BinaryOperator, Expr)>>, least: u8) -> Expr {
    while let Some((operator, mut right)) = rest.next_if(|(operator, _)| strength(operator).unwrap_or(0) >= least) {
        let own = strength(&operator).unwrap_or(0);
        right = bound(right, rest, own.saturating_add(1));
        left = Expr::BinaryOp { left: Box::new(left), op: operator, right: Box::new(right) };
    }
    left
}
