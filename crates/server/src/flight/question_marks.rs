//! Parameters that are written `?`, as JDBC and ODBC write them.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use skillscope_query::SqlSession;
use tonic::Status;

use super::error::status;

/// Words that stand before a value, and are no values themselves.
const BEFORE_VALUES: [&str; 42] = [
    "all",
    "and",
    "any",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "desc",
    "distinct",
    "else",
    "escape",
    "except",
    "exists",
    "fetch",
    "filter",
    "first",
    "from",
    "having",
    "ilike",
    "in",
    "intersect",
    "interval",
    "is",
    "like",
    "limit",
    "next",
    "not",
    "offset",
    "on",
    "or",
    "over",
    "select",
    "similar",
    "some",
    "then",
    "to",
    "union",
    "using",
    "values",
    "when",
    "where",
];

/// The statement with `$1`, `$2` … in the places of its question marks. Those in texts, names and comments stay, and so
/// do the operators of PostgreSQL that have one in them.
///
/// # Errors
/// Where the statement is too long, or parameters of both kinds are mixed.
pub(super) async fn numbered(session: &SqlSession, text: String) -> Result<String, Status> {
    if !text.contains('?') {
        return Ok(text);
    }
    // A long text is not taken apart before its words have been counted.
    session.parse_with(&text, with_numbers).await.map_err(status)?
}

fn with_numbers(text: &str) -> Result<String, Status> {
    // A text that cannot be taken apart is an error of the statement, which is told when it is read.
    let tokens = Tokenizer::new(&GenericDialect {}, text).with_unescape(false).tokenize_with_location();
    let Ok(tokens) = tokens else { return Ok(text.to_owned()) };
    let words: Vec<_> = tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let mut places = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| words.get(before));
        let after = words.get(place + 1);
        let is_operator = before.is_some_and(|before| is_value(&before.token))
            && after.is_some_and(|after| begins_value(&after.token) || goes_on(&after.token));
        if is_question_mark(&word.token) && !is_operator {
            places.push(word.span.start);
        }
    }
    if places.is_empty() {
        return Ok(text.to_owned());
    }
    if words.iter().any(|word| matches!(&word.token, Token::Placeholder(name) if name.starts_with('$'))) {
        return Err(Status::invalid_argument("parameters are written ? or $1, and not both in one statement"));
    }
    Ok(replaced(text, places.iter().map(|place| (place.line, place.column))))
}

fn is_question_mark(token: &Token) -> bool {
    matches!(token, Token::Placeholder(name) if name == "?")
}

/// Whether an operator that begins with a question mark goes on with this token: `?|`, `?&` and `??`.
fn goes_on(token: &Token) -> bool {
    matches!(token, Token::Pipe | Token::Ampersand) || is_question_mark(token)
}

/// Whether a value may end with this token.
fn is_value(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            word.quote_style.is_some() || !BEFORE_VALUES.contains(&word.value.to_ascii_lowercase().as_str())
        }
        Token::RParen | Token::RBracket | Token::Number(..) | Token::Placeholder(_) => true,
        other => is_text(other),
    }
}

/// Whether a value may begin with this token.
fn begins_value(token: &Token) -> bool {
    match token {
        Token::Word(word) => word.quote_style.is_some() || word.value.eq_ignore_ascii_case("array"),
        Token::LParen | Token::Number(..) | Token::Placeholder(_) => true,
        other => is_text(other),
    }
}

fn is_text(token: &Token) -> bool {
    matches!(
        token,
        Token::SingleQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::DollarQuotedString(_)
            | Token::UnicodeStringLiteral(_)
            | Token::NationalStringLiteral(_)
    )
}

/// The text with numbers in the places of the letters that stand at these lines and columns, counted from 1, in order.
fn replaced(text: &str, places: impl Iterator<Item = (u64, u64)>) -> String {
    let mut places = places.peekable();
    let (mut line, mut column, mut number) = (1, 1, 0);
    let mut numbered = String::with_capacity(text.len());
    for letter in text.chars() {
        if places.peek() == Some(&(line, column)) {
            places.next();
            number += 1;
            numbered.push_str(&format!("${number}"));
        } else {
            numbered.push(letter);
        }
        if letter == '\n' {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    numbered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_marks_are_parameters_in_order() {
        for (text, expected) in [
            ("select ?", "select $1"),
            ("select ? where a = ? and b in (?,?)", "select $1 where a = $2 and b in ($3,$4)"),
            (
                "select '?' as \"?\", ? -- ?\n, ? /* ? */ from t limit ?",
                "select '?' as \"?\", $1 -- ?\n, $2 /* ? */ from t limit $3",
            ),
            ("select $$?$$, e'\\'?', ?::int", "select $$?$$, e'\\'?', $1::int"),
            (
                "select '\u{fc}\u{1f980}' , ?\n\n where x between ? and ?",
                "select '\u{fc}\u{1f980}' , $1\n\n where x between $2 and $3",
            ),
            ("select case when ? then ? else ? end", "select case when $1 then $2 else $3 end"),
            ("select a from t where b like ? escape ?", "select a from t where b like $1 escape $2"),
            ("select -?, f(?), array[?]", "select -$1, f($2), array[$3]"),
            ("select 'a'||?||'b' where a<? and b>=? and c=?-1", "select 'a'||$1||'b' where a<$2 and b>=$3 and c=$4-1"),
        ] {
            assert_eq!(with_numbers(text).unwrap(), expected);
        }
    }

    #[test]
    fn operators_with_question_marks_stay() {
        for text in [
            "select a ? 'x' from t",
            "select a ?| array['x']",
            "select a ?& array['x']",
            "select \"a\" ? 'x'",
            "select a ?? 'x'",
        ] {
            assert_eq!(with_numbers(text).unwrap(), text);
        }
        assert_eq!(with_numbers("select a ? 'x' from t where b = ?").unwrap(), "select a ? 'x' from t where b = $1");
    }

    #[test]
    fn parameters_of_both_kinds_are_not_mixed() {
        assert!(with_numbers("select ?, $1").unwrap_err().message().contains("not both"));
        assert_eq!(with_numbers("select $1, '?'").unwrap(), "select $1, '?'");
        // What cannot be taken apart is left to who reads it.
        assert_eq!(with_numbers("select '?").unwrap(), "select '?");
    }
}
