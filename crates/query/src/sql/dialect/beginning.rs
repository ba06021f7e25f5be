//! Where statements and queries begin, in a text that has not been parsed.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

/// The word with which a statement begins that summarizes. The parser does not know it.
pub(super) const SUMMARIZE: &str = "summarize";

/// Whether a word, in whatever letters, begins a query, or the summary of one.
pub fn begins_query(word: &str) -> bool {
    ["select", "with", "values", "table", "from", SUMMARIZE].iter().any(|begins| word.eq_ignore_ascii_case(begins))
}

/// Whether a text asks for a summary: `SUMMARIZE …`.
pub fn is_summary(text: &str) -> bool {
    first_word(text).eq_ignore_ascii_case(SUMMARIZE)
}

/// The first word of a statement, behind comments.
pub(in crate::sql) fn first_word(text: &str) -> &str {
    let mut rest = text.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ';');
    loop {
        let after = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            after_comment(comment)
        } else {
            break;
        };
        rest = after.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ';');
    }
    rest.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default()
}

/// What follows a comment, which may have others in it.
fn after_comment(mut text: &str) -> &str {
    let mut open = 1_usize;
    while open > 0 {
        let Some(at) = text.find(['*', '/']) else { return "" };
        let (step, change) = match text.get(at..at + 2) {
            Some("*/") => (2, -1),
            Some("/*") => (2, 1),
            _ => (1, 0),
        };
        open = open.saturating_add_signed(change);
        text = text.get(at + step..).unwrap_or_default();
    }
    text
}

/// The keyword that a token is, without quotes; `NoKeyword` for whatever else it is.
pub(super) fn keyword(token: &TokenWithSpan) -> Keyword {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    }
}

pub(super) fn is_blank(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::Whitespace(_))
}

/// The place of the first word of a statement, or of the one that an `EXPLAIN` explains.
pub(super) fn beginning(tokens: &[TokenWithSpan]) -> usize {
    let mut words = tokens.iter().enumerate().filter(|(_, token)| !is_blank(token)).peekable();
    while words.next_if(|(_, token)| token.token == Token::SemiColon).is_some() {}
    if words.next_if(|(_, token)| keyword(token) == Keyword::EXPLAIN).is_some() {
        let mut after = words.clone();
        let has_options = after.next().is_some_and(|(_, token)| token.token == Token::LParen)
            && after.next().is_some_and(|(_, token)| !begins(token));
        if has_options {
            let _ = words.by_ref().find(|(_, token)| token.token == Token::RParen);
        }
        while let Some((_, option)) =
            words.next_if(|(_, token)| matches!(keyword(token), Keyword::ANALYZE | Keyword::VERBOSE | Keyword::FORMAT))
        {
            if keyword(option) == Keyword::FORMAT {
                words.next();
            }
        }
    }
    words.next().map_or(tokens.len(), |(place, _)| place)
}

/// Whether a token is the first of a query.
pub(super) fn begins(token: &TokenWithSpan) -> bool {
    match &token.token {
        Token::LParen => true,
        Token::Word(word) => word.quote_style.is_none() && begins_query(&word.value),
        _ => false,
    }
}
