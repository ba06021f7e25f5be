//! Chains of one operator, such as `a or b or c`, which are a level for each operand as they are parsed.

use std::mem;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, SetExpr, SetOperator, SetQuantifier, Value};

/// Longer chains of `+` and `||` are computed in pairs: planning them one after the other takes too long.
const LONG: usize = 100;

/// Whether the order in which a chain of an operator is computed makes no difference to a condition, or to sums and
/// texts as long as they are.
pub(in crate::sql) fn is_associative(op: &BinaryOperator) -> bool {
    matches!(op, BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Plus | BinaryOperator::StringConcat)
}

/// Makes a chain of `OR` or `AND`, or a long one of `+` or `||`, a tree of few levels. Its operands keep their order.
pub(super) fn balance_operators(expression: &mut Expr) {
    let Expr::BinaryOp { op, .. } = expression else { return };
    let op = op.clone();
    let is_condition = matches!(op, BinaryOperator::And | BinaryOperator::Or);
    if !is_associative(&op) || !(is_condition || links(expression, &op) > LONG) {
        return;
    }
    let whole = mem::replace(expression, nothing());
    let mut operands = Vec::new();
    // The next operand is on top.
    let mut open = vec![whole];
    while let Some(next) = open.pop() {
        match next {
            Expr::BinaryOp { left, op: inner, right } if inner == op => open.extend([*right, *left]),
            Expr::Nested(inner) if is_operation(&inner, &op) => open.push(*inner),
            operand => operands.push(operand),
        }
    }
    let join = |left, right| Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) };
    if op == BinaryOperator::StringConcat {
        // Each half is a text, whatever is in it.
        let half = |operand| join(Expr::Value(Value::SingleQuotedString(String::new()).with_empty_span()), operand);
        operands = operands.into_iter().map(half).collect();
    }
    *expression = tree(operands, &join).unwrap_or_else(nothing);
}

/// The operators of a chain, from its end to its first operand.
fn links(mut expression: &Expr, op: &BinaryOperator) -> usize {
    let mut links = 0;
    loop {
        match expression {
            Expr::Nested(inner) => expression = inner,
            Expr::BinaryOp { left, op: inner, .. } if inner == op => {
                links += 1;
                expression = left;
            }
            _ => return links,
        }
    }
}

/// The same for `UNION` and `UNION ALL`.
pub(super) fn balance_unions(body: &mut SetExpr) {
    let SetExpr::SetOperation { op: SetOperator::Union, set_quantifier, .. } = body else { return };
    let quantifier = *set_quantifier;
    if !matches!(quantifier, SetQuantifier::All | SetQuantifier::Distinct | SetQuantifier::None) {
        return;
    }
    let whole = mem::replace(body, no_rows());
    let mut branches = Vec::new();
    let mut open = vec![whole];
    while let Some(next) = open.pop() {
        match next {
            SetExpr::SetOperation { op: SetOperator::Union, set_quantifier, left, right }
                if set_quantifier == quantifier =>
            {
                open.extend([*right, *left]);
            }
            branch => branches.push(branch),
        }
    }
    let join = |left, right| SetExpr::SetOperation {
        op: SetOperator::Union,
        set_quantifier: quantifier,
        left: Box::new(left),
        right: Box::new(right),
    };
    *body = tree(branches, &join).unwrap_or_else(no_rows);
}

/// Whether an expression is such an operation, in parentheses or not.
fn is_operation(expression: &Expr, op: &BinaryOperator) -> bool {
    match expression {
        Expr::BinaryOp { op: inner, .. } => inner == op,
        Expr::Nested(inner) => is_operation(inner, op),
        _ => false,
    }
}

/// `None` of no operands.
fn tree<T>(mut operands: Vec<T>, join: &impl Fn(T, T) -> T) -> Option<T> {
    if operands.len() < 2 {
        return operands.pop();
    }
    let right = operands.split_off(operands.len() / 2);
    Some(join(tree(operands, join)?, tree(right, join)?))
}

fn nothing() -> Expr {
    Expr::Value(Value::Null.with_empty_span())
}

fn no_rows() -> SetExpr {
    SetExpr::Values(datafusion::sql::sqlparser::ast::Values { explicit_row: false, value_keyword: false, rows: vec![] })
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;

    fn levels(expression: &Expr) -> usize {
        match expression {
            Expr::BinaryOp { left, right, .. } => 1 + levels(left).max(levels(right)),
            Expr::Nested(inner) => levels(inner),
            _ => 0,
        }
    }

    #[test]
    fn a_chain_has_few_levels_and_its_operands_in_order() {
        let text: Vec<_> = (0..256).map(|number| format!("a = {number}")).collect();
        let mut parsed =
            Parser::new(&GenericDialect {}).try_with_sql(&text.join(" OR ")).unwrap().parse_expr().unwrap();
        assert_eq!(levels(&parsed), 256);
        balance_operators(&mut parsed);
        assert_eq!(levels(&parsed), 9);
        assert_eq!(parsed.to_string(), text.join(" OR "));
    }

    #[test]
    fn a_long_sum_is_computed_in_pairs() {
        for operator in [" + ", " || "] {
            let text = vec!["a"; 250].join(operator);
            let mut parsed = Parser::new(&GenericDialect {}).try_with_sql(&text).unwrap().parse_expr().unwrap();
            balance_operators(&mut parsed);
            assert!(levels(&parsed) <= 10);
        }
    }

    #[test]
    fn other_operators_stay_as_they_are() {
        for text in ["a AND b OR c AND d", "a - b - c - d", "NOT a AND b", "a + b + c + d", "a || b || c || d"] {
            let mut parsed = Parser::new(&GenericDialect {}).try_with_sql(text).unwrap().parse_expr().unwrap();
            balance_operators(&mut parsed);
            assert_eq!(parsed.to_string(), text);
        }
    }
}
