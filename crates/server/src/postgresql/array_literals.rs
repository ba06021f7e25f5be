//! Arrays that stand in a statement as text: `'{"a,b",NULL}'::text[]`. The parser of `datafusion-postgres` takes them
//! apart at each comma, quoted or not, so that those with quotes or nulls are kept from it.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, CastKind, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Statement, Value,
    visit_expressions_mut,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

/// What stands for an array until the statement has been parsed, before its number.
const STAND_IN: &str = "an array of the statement ";

/// The arrays that were taken out of a statement.
pub(super) struct ArrayLiterals(Vec<String>);

impl ArrayLiterals {
    /// Takes the arrays out of a text that are more than words and commas.
    pub(super) fn take(text: &str) -> (String, Self) {
        let mut taken = Self(Vec::new());
        if !text.contains("'{") || text.contains(STAND_IN) {
            return (text.to_owned(), taken);
        }
        // What is not taken is written as it stands.
        let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, text).with_unescape(false).tokenize() else {
            return (text.to_owned(), taken);
        };
        let tokens = tokens.into_iter().map(|token| match token {
            Token::SingleQuotedString(array) if is_intricate(&array) => {
                taken.0.push(array.replace("''", "'"));
                Token::SingleQuotedString(format!("{STAND_IN}{}", taken.0.len() - 1))
            }
            other => other,
        });
        let text = tokens.map(written).collect();
        (text, taken)
    }

    /// Puts them back.
    pub(super) fn put_back(&self, mut statement: Statement) -> Statement {
        if self.0.is_empty() {
            return statement;
        }
        for step in [Self::put_back_whole, Self::put_back_text] {
            let _ = visit_expressions_mut(&mut statement, |expression| {
                step(self, expression);
                ControlFlow::<()>::Continue(())
            });
        }
        statement
    }

    /// Where the parser has made an array of the one word, or searches it.
    fn put_back_whole(&self, expression: &mut Expr) {
        match expression {
            Expr::Array(array) => {
                if let [element] = array.elem.as_slice()
                    && let Some(text) = self.text(element)
                {
                    *expression = literal(text);
                }
            }
            Expr::Function(call) if call.name.to_string() == "array_contains" => {
                let FunctionArguments::List(arguments) = &mut call.args else { return };
                if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(array))) = arguments.args.first_mut()
                    && let Some(text) = self.text(array)
                {
                    *array = texts(literal(text));
                }
            }
            _ => {}
        }
    }

    fn put_back_text(&self, expression: &mut Expr) {
        if let Some(text) = self.text(expression) {
            *expression = literal(text);
        }
    }

    /// The array that an expression stands for.
    fn text(&self, expression: &Expr) -> Option<&String> {
        let Expr::Value(value) = expression else { return None };
        let (Value::SingleQuotedString(text) | Value::Number(text, _)) = &value.value else { return None };
        self.0.get(text.strip_prefix(STAND_IN)?.parse::<usize>().ok()?)
    }
}

/// A token as it may stand in a statement. Escapes are resolved whatever the tokenizer is told.
fn written(token: Token) -> String {
    match token {
        Token::EscapedStringLiteral(text) | Token::UnicodeStringLiteral(text) => {
            format!("E'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
        }
        other => other.to_string(),
    }
}

fn is_intricate(text: &str) -> bool {
    text.starts_with('{') && (text.contains(['"', '\\']) || text.to_ascii_lowercase().contains("null"))
}

fn literal(text: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(text.to_owned()).with_empty_span())
}

fn texts(array: Expr) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(array),
        data_type: DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(DataType::Text), None)),
        array: false,
        format: None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion_postgres::datafusion_pg_catalog::sql::PostgresCompatibilityParser;

    use super::*;

    #[test]
    fn arrays_come_back_as_they_were() {
        for (text, expected) in [
            (r#"SELECT '{"a,b",NULL}'::text[]"#, r#"SELECT '{"a,b",NULL}'::TEXT[]"#),
            (r"SELECT '{1,NULL}'::INT[], '{x}'", r"SELECT '{1,NULL}'::INT[], '{x}'"),
            (r#"SELECT '{"it''s"}'::TEXT[]"#, r#"SELECT '{"it''s"}'::TEXT[]"#),
            (r#"SELECT x = ANY('{"a b"}')"#, r#"SELECT array_contains(CAST('{"a b"}' AS TEXT[]), x)"#),
            (r#"SELECT '{"a": null}' AS json"#, r#"SELECT '{"a": null}' AS json"#),
            (r#"SELECT '{"a"}'::TEXT[], 'it''s', E'\'', "a""b""#, r#"SELECT '{"a"}'::TEXT[], 'it''s', E'\'', "a""b""#),
            ("SELECT '{a,b}'::TEXT[]", "SELECT ARRAY['a', 'b']::TEXT[]"),
        ] {
            let (taken_out, arrays) = ArrayLiterals::take(text);
            let mut statements = PostgresCompatibilityParser::new().parse(&taken_out).unwrap();
            assert_eq!(arrays.put_back(statements.remove(0)).to_string(), expected, "{text}");
        }
    }
}
