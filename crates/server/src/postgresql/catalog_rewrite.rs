//! What drivers ask of PostgreSQL's catalog, in words that DataFusion understands. The parser of `datafusion-postgres`
//! rewrites most of it; here is the rest, which ADBC asks when it connects and when it lists tables.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, ObjectName, Statement, Value,
    visit_expressions_mut, visit_relations,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

/// Rewrites a statement that reads the catalog; other statements stay as they are.
pub(super) fn rewrite_catalog_question(mut statement: Statement) -> Statement {
    if reads_catalog(&statement) {
        let _ = visit_expressions_mut(&mut statement, |expression| {
            compare_functions_by_name(expression);
            take_array_from_text(expression);
            ControlFlow::<()>::Continue(())
        });
    }
    statement
}

fn reads_catalog(statement: &Statement) -> bool {
    let is_of_catalog = |table: &ObjectName| {
        let schema = table.0.first().and_then(|part| part.as_ident());
        schema.is_some_and(|schema| table.0.len() > 1 && schema.value == "pg_catalog")
    };
    let found = visit_relations(statement, |table| match is_of_catalog(table) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// `typreceive != 0` asks whether a type has a function to receive it. PostgreSQL's column holds the function's number,
/// the catalog's its name, which is `-` where there is no function.
fn compare_functions_by_name(expression: &mut Expr) {
    let Expr::BinaryOp { left, op: BinaryOperator::NotEq, right } = expression else { return };
    if matches!(column(left), Some("typreceive" | "typsend")) && right.to_string() == "0" {
        **right = Expr::Value(Value::SingleQuotedString("-".to_owned()).with_empty_span());
    }
}

/// `relkind = ANY($2)`, which the parser has made `array_contains($2, relkind)`. The planner does not find out that the
/// parameter is an array, so that its value comes as text: `{"r","v"}`.
fn take_array_from_text(expression: &mut Expr) {
    let Expr::Function(function) = expression else { return };
    let FunctionArguments::List(arguments) = &mut function.args else { return };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(array)), FunctionArg::Unnamed(FunctionArgExpr::Expr(element))] =
        arguments.args.as_mut_slice()
    else {
        return;
    };
    // ADBC's is the second. Another client may well say that its parameter is an array.
    let is_parameter = matches!(&*array, Expr::Value(value) if value.value == Value::Placeholder("$2".to_owned()));
    if is_parameter && column(element) == Some("relkind") && function.name.to_string() == "array_contains" {
        let text = format!(r#"string_to_array(translate({array}, '{{}}" ', ''), ',')"#);
        let parsed = Parser::new(&PostgreSqlDialect {}).try_with_sql(&text).and_then(|mut parser| parser.parse_expr());
        if let Ok(elements) = parsed {
            *array = elements;
        }
    }
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
    use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;

    use super::*;

    fn rewritten(text: &str) -> String {
        let mut statements = PostgresCompatibilityParser::new().parse(text).unwrap();
        rewrite_catalog_question(statements.remove(0)).to_string()
    }

    #[test]
    fn a_type_has_a_function_where_its_name_is_not_a_hyphen() {
        let text = "SELECT oid FROM pg_catalog.pg_type WHERE (typreceive != 0 OR typsend != 0) AND typtype != 'r'";
        let expected =
            "SELECT oid FROM pg_catalog.pg_type WHERE (typreceive <> '-' OR typsend <> '-') AND typtype <> 'r'";
        assert_eq!(rewritten(text), expected);
    }

    #[test]
    fn an_array_of_kinds_that_comes_as_text_is_taken_apart() {
        let text = "SELECT relname FROM pg_catalog.pg_class AS c WHERE c.relkind = ANY($2)";
        let expected = "SELECT relname FROM pg_catalog.pg_class AS c \
                        WHERE array_contains(string_to_array(translate($2, '{}\" ', ''), ','), c.relkind)";
        assert_eq!(rewritten(text), expected);
    }

    #[test]
    fn text_and_other_tables_are_left_alone() {
        for text in [
            "SELECT '(typreceive != 0 OR typsend != 0)' FROM pg_catalog.pg_type",
            "SELECT typreceive <> 0, array_contains($2, relkind) FROM segments",
            "SELECT oid <> 0, array_contains($2, relname) FROM pg_catalog.pg_class",
        ] {
            assert_eq!(rewritten(text), text);
        }
    }
}
