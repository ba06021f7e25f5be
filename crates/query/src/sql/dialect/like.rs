//! `LIKE … ESCAPE`, whose escape character DataFusion takes to be a backslash.

use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident, ObjectName, Value,
};

/// Stand for an escaped escape character, and for an escaped backslash, while a pattern is rewritten. No text is likely
/// to have them: they are reserved for uses like this one.
const ESCAPED_ESCAPE: char = '\u{FDD0}';
const ESCAPED_BACKSLASH: char = '\u{FDD1}';

/// Gives the pattern backslashes in the place of its escape character.
pub(super) fn rewrite(expression: &mut Expr) -> Result<()> {
    let (Expr::Like { pattern, escape_char: escape, .. } | Expr::ILike { pattern, escape_char: escape, .. }) =
        expression
    else {
        return Ok(());
    };
    let Some(given) = escape.take() else { return Ok(()) };
    let Some(text) = given.value.clone().into_string() else {
        return plan_err!("the character after ESCAPE is a text of one character, and {given} is none");
    };
    let mut letters = text.chars();
    let escape = match (letters.next(), letters.next()) {
        (None, _) => None,
        (Some('\\'), None) => return Ok(()),
        (Some(letter), None) => Some(letter),
        _ => return plan_err!("the text after ESCAPE has at most one character, and {given} has more"),
    };
    let known = match pattern.as_ref() {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    };
    **pattern = match known {
        Some(known) => text_of(with_backslashes(&known, escape)?),
        None => computed(pattern.as_ref().clone(), escape),
    };
    Ok(())
}

/// The same pattern with a backslash as its escape character.
fn with_backslashes(pattern: &str, escape: Option<char>) -> Result<String> {
    let mut rewritten = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if Some(letter) == escape {
            let Some(escaped) = letters.next() else {
                return plan_err!("LIKE pattern must not end with escape character");
            };
            rewritten.extend(['\\', escaped]);
        } else if letter == '\\' {
            rewritten.push_str("\\\\");
        } else {
            rewritten.push(letter);
        }
    }
    Ok(rewritten)
}

/// The same for a pattern that is known only when the statement runs.
fn computed(pattern: Expr, escape: Option<char>) -> Expr {
    let Some(escape) = escape else { return replaced(pattern, "\\", "\\\\") };
    let (letter, twice) = (escape.to_string(), format!("{escape}{escape}"));
    let (escaped, backslash) = (ESCAPED_ESCAPE.to_string(), ESCAPED_BACKSLASH.to_string());
    let marked = replaced(replaced(pattern, &twice, &escaped), &format!("{escape}\\"), &backslash);
    let with_backslashes = replaced(replaced(marked, "\\", "\\\\"), &letter, "\\");
    let literal = if matches!(escape, '%' | '_') { format!("\\{escape}") } else { letter };
    replaced(replaced(with_backslashes, &escaped, &literal), &backslash, "\\\\")
}

fn replaced(text: Expr, from: &str, to: &str) -> Expr {
    let arguments = [text, text_of(from.to_owned()), text_of(to.to_owned())];
    let args = arguments.into_iter().map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)));
    let list = FunctionArgumentList { duplicate_treatment: None, args: args.collect(), clauses: vec![] };
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new("replace")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    })
}

fn text_of(text: String) -> Expr {
    Expr::Value(Value::SingleQuotedString(text).with_empty_span())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backslash_takes_the_place_of_the_escape_character() {
        for (pattern, escape, expected) in [
            ("50!%", Some('!'), r"50\%"),
            ("a!!b!_%", Some('!'), r"a\!b\_%"),
            (r"a\b%", Some('!'), r"a\\b%"),
            (r"a!\b", Some('!'), r"a\\b"),
            (r"a\%", None, r"a\\%"),
            ("100%%", Some('%'), r"100\%"),
        ] {
            assert_eq!(with_backslashes(pattern, escape).unwrap(), expected, "{pattern}");
        }
        assert!(with_backslashes("a!", Some('!')).is_err());
    }
}
