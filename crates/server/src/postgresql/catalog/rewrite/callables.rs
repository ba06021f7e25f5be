//! Functions and operators as DataFusion knows them: without schemas, and with parentheses.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, ObjectName, ObjectNamePart, Statement, TableFactor, VisitMut, VisitorMut,
};

use super::expression::{arguments, call, last_name, text};

/// The schemas whose functions are known without them.
const SCHEMAS: [&str; 3] = ["pg_catalog", "information_schema", "public"];

/// Words of the language that the parser takes for columns, and that are functions. It knows the others of their kind,
/// such as `CURRENT_USER`.
const WORDS: [&str; 2] = ["current_role", "current_schema"];

pub(super) fn rewrite(statement: &mut Statement) {
    let _ = VisitMut::visit(statement, &mut Callables);
}

struct Callables;

impl VisitorMut for Callables {
    type Break = ();

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        match table {
            TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => without_schema(name),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        while let Expr::Collate { expr, .. } = expression {
            *expression = expr.as_ref().clone();
        }
        match expression {
            Expr::Function(function) => {
                without_schema(&mut function.name);
                if last_name(&function.name).is_some_and(|name| name == "format")
                    && let Some(parts) = formatted(&arguments(function))
                {
                    *expression = call("concat", parts);
                }
            }
            Expr::Identifier(name) if name.quote_style.is_none() => {
                let word = name.value.to_lowercase();
                if WORDS.contains(&word.as_str()) {
                    *expression = call(&word, Vec::new());
                }
            }
            Expr::BinaryOp { op, .. } => {
                if let Some(known) = without_schema_of_operator(op) {
                    *op = known;
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The parts of which `format` makes a text. `None` where its pattern is not told, or asks for more than values in their
/// order.
fn formatted(arguments: &[&Expr]) -> Option<Vec<Expr>> {
    let (Expr::Value(pattern), values) = arguments.split_first()? else { return None };
    let pattern = pattern.value.clone().into_string()?;
    let (mut parts, mut values, mut plain, mut letters) = (Vec::new(), values.iter(), String::new(), pattern.chars());
    while let Some(letter) = letters.next() {
        if letter != '%' {
            plain.push(letter);
            continue;
        }
        let part = match letters.next()? {
            '%' => {
                plain.push('%');
                continue;
            }
            's' => (*values.next()?).clone(),
            'I' => call("quote_ident", vec![(*values.next()?).clone()]),
            'L' => call("quote_nullable", vec![(*values.next()?).clone()]),
            _ => return None,
        };
        if !plain.is_empty() {
            parts.push(text(&std::mem::take(&mut plain)));
        }
        parts.push(part);
    }
    if !plain.is_empty() || parts.is_empty() {
        parts.push(text(&plain));
    }
    Some(parts)
}

fn without_schema(name: &mut ObjectName) {
    let first = name.0.first().and_then(ObjectNamePart::as_ident).map(|ident| ident.value.to_lowercase());
    if name.0.len() == 2 && first.is_some_and(|first| SCHEMAS.contains(&first.as_str())) {
        name.0.remove(0);
    }
}

/// The operator that `OPERATOR(pg_catalog.…)` names.
fn without_schema_of_operator(operator: &BinaryOperator) -> Option<BinaryOperator> {
    let BinaryOperator::PGCustomBinaryOperator(parts) = operator else { return None };
    Some(match parts.last()?.as_str() {
        "~" => BinaryOperator::PGRegexMatch,
        "~*" => BinaryOperator::PGRegexIMatch,
        "!~" => BinaryOperator::PGRegexNotMatch,
        "!~*" => BinaryOperator::PGRegexNotIMatch,
        "~~" => BinaryOperator::PGLikeMatch,
        "~~*" => BinaryOperator::PGILikeMatch,
        "!~~" => BinaryOperator::PGNotLikeMatch,
        "!~~*" => BinaryOperator::PGNotILikeMatch,
        "=" => BinaryOperator::Eq,
        "<>" => BinaryOperator::NotEq,
        "<" => BinaryOperator::Lt,
        ">" => BinaryOperator::Gt,
        "<=" => BinaryOperator::LtEq,
        ">=" => BinaryOperator::GtEq,
        "+" => BinaryOperator::Plus,
        "-" => BinaryOperator::Minus,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        "||" => BinaryOperator::StringConcat,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn functions_are_called_by_their_names() {
        for (text, expected) in [
            ("SELECT pg_catalog.lower(x) FROM t", "SELECT lower(x) FROM t"),
            (
                "SELECT format('%I.%I is %s%%', a, b, c) FROM t",
                "SELECT concat(quote_ident(a), '.', quote_ident(b), ' is ', c, '%') FROM t",
            ),
            ("SELECT other.f(x) FROM t", "SELECT other.f(x) FROM t"),
            ("SELECT 1 FROM t WHERE a = CURRENT_ROLE", "SELECT 1 FROM t WHERE a = current_role()"),
            ("SELECT 1 FROM t WHERE a OPERATOR(pg_catalog.~) '^x'", "SELECT 1 FROM t WHERE a ~ '^x'"),
            ("SELECT a COLLATE pg_catalog.default FROM t", "SELECT a FROM t"),
            ("SELECT x FROM pg_catalog.generate_series(1, 2) AS x", "SELECT x FROM generate_series(1, 2) AS x"),
        ] {
            assert_eq!(parse(text).unwrap()[0].to_string(), expected, "{text}");
        }
    }
}
