//! Arrays that come as text: `relkind = any('{r,v}')`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Statement, Value, visit_expressions_mut};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::expression::{cast, texts};

/// Makes arrays of texts that are compared with any or all of their elements.
pub(super) fn rewrite(statement: &mut Statement) {
    each_array(statement, |_, array| {
        let is_text = matches!(&*array, Expr::Value(value) if matches!(&value.value, Value::SingleQuotedString(_)));
        if is_text {
            *array = cast(array.clone(), texts());
        }
    });
}

/// `relkind = ANY($2)`, which ADBC asks when it lists tables. The planner does not find out that the parameter is an
/// array, so that its value comes as text: `{"r","v"}`.
pub(super) fn take_kinds_from_text(statement: &mut Statement) {
    each_array(statement, |element, array| {
        // ADBC's is the second. Another client may well say that its parameter is an array.
        let is_parameter = matches!(&*array, Expr::Value(value) if value.value == Value::Placeholder("$2".to_owned()));
        if is_parameter && column(element) == Some("relkind") {
            let text = format!(r#"string_to_array(translate({array}, '{{}}" ', ''), ',')"#);
            let parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(&text);
            if let Ok(elements) = parser.and_then(|mut parser| parser.parse_expr()) {
                *array = elements;
            }
        }
    });
}

/// Hands over what is compared, and the array with whose elements.
fn each_array(statement: &mut Statement, mut visit: impl FnMut(&Expr, &mut Expr)) {
    let _ = visit_expressions_mut(statement, |expression| {
        if let Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } = expression {
            visit(left, right);
        }
        ControlFlow::<()>::Continue(())
    });
}

/// The name of the column that an expression is, without its table's.
fn column(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Identifier(name) => Some(&name.value),
        Expr::CompoundIdentifier(names) => names.last().map(|name| name.value.as_str()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn an_array_that_comes_as_text_is_taken_apart() {
        for (text, expected) in [
            (
                "SELECT relname FROM pg_catalog.pg_class AS c WHERE c.relkind = ANY($2)",
                "SELECT relname FROM pg_catalog.pg_class AS c \
                 WHERE c.relkind = ANY(string_to_array(translate($2, '{}\" ', ''), ','))",
            ),
            (
                "SELECT 1 FROM t WHERE x <> ALL('{a,\"b,c\"}')",
                "SELECT 1 FROM t WHERE x <> ALL(CAST('{a,\"b,c\"}' AS TEXT[]))",
            ),
            ("SELECT 1 FROM t WHERE x = ANY($2)", "SELECT 1 FROM t WHERE x = ANY($2)"),
        ] {
            assert_eq!(parse(text).unwrap()[0].to_string(), expected, "{text}");
        }
    }
}
