//! `similar_to_escape`: the pattern of `SIMILAR TO` as a regular expression.

use std::sync::Arc;

use arrow::array::StringArray;
use arrow::datatypes::DataType;
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::computed::{Texts, computed};

pub(super) const NAME: &str = "similar_to_escape";

/// `similar_to_escape(pattern [, escape])`. DataFusion takes the pattern for a regular expression as it is.
pub(super) fn similar_to_escape() -> ScalarUDF {
    let signature = Signature::one_of(
        vec![datafusion::logical_expr::TypeSignature::String(1), datafusion::logical_expr::TypeSignature::String(2)],
        Volatility::Immutable,
    );
    ScalarUDF::new_from_impl(SimilarTo { signature })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SimilarTo {
    signature: Signature,
}

impl ScalarUDFImpl for SimilarTo {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        computed(&arguments, |columns| {
            let Some(patterns) = columns.first() else { return Err(super::wrong_number(NAME)) };
            let escapes = columns.get(1).map(Texts::of).transpose()?;
            let (rows, patterns) = (patterns.len(), Texts::of(patterns)?);
            let expression = |row| {
                let escape = match &escapes {
                    Some(escapes) => escapes.get(row)?,
                    None => "\\",
                };
                patterns.get(row).map(|pattern| expression(pattern, escape))
            };
            let expressions = (0..rows).map(|row| expression(row).transpose()).collect::<Result<StringArray>>()?;
            Ok(Arc::new(expressions))
        })
    }
}

/// The regular expression that matches what is similar to the pattern, from its beginning to its end.
fn expression(pattern: &str, escape: &str) -> Result<String> {
    let mut escapes = escape.chars();
    let escape = escapes.next();
    if escapes.next().is_some() {
        return exec_err!("ESCAPE takes one character, or none");
    }
    let mut expression = String::from("(?s)^(?:");
    let mut characters = pattern.chars();
    let mut is_in_brackets = false;
    while let Some(character) = characters.next() {
        if Some(character) == escape {
            let Some(literal) = characters.next() else { return exec_err!("the pattern '{pattern}' ends with ESCAPE") };
            push_literal(&mut expression, literal);
            continue;
        }
        match character {
            '[' if is_in_brackets => expression.push_str("\\["),
            ']' if is_in_brackets => {
                is_in_brackets = false;
                expression.push(']');
            }
            '&' | '~' | '\\' if is_in_brackets => push_literal(&mut expression, character),
            _ if is_in_brackets => expression.push(character),
            '[' => {
                is_in_brackets = true;
                expression.push('[');
            }
            '%' => expression.push_str(".*"),
            '_' => expression.push('.'),
            '(' => expression.push_str("(?:"),
            ')' | '|' | '*' | '+' | '?' | '{' | '}' => expression.push(character),
            literal => push_literal(&mut expression, literal),
        }
    }
    expression.push_str(")$");
    Ok(expression)
}

fn push_literal(expression: &mut String, literal: char) {
    if literal.is_ascii_punctuation() {
        expression.push('\\');
    }
    expression.push(literal);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_as_a_whole() {
        for (pattern, escape, expected) in [
            ("a%", "\\", "(?s)^(?:a.*)$"),
            ("a_c", "\\", "(?s)^(?:a.c)$"),
            ("a.c", "\\", "(?s)^(?:a\\.c)$"),
            ("%(b|d)%", "\\", "(?s)^(?:.*(?:b|d).*)$"),
            ("a\\%", "\\", "(?s)^(?:a\\%)$"),
            ("a#%", "#", "(?s)^(?:a\\%)$"),
            ("[a_%]+", "\\", "(?s)^(?:[a_%]+)$"),
            ("^a$", "\\", "(?s)^(?:\\^a\\$)$"),
            ("a\\", "", "(?s)^(?:a\\\\)$"),
        ] {
            assert_eq!(expression(pattern, escape).unwrap(), expected, "{pattern}");
        }
        assert!(expression("a\\", "\\").is_err());
        assert!(expression("a", "xy").is_err());
    }
}
