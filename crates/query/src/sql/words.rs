//! The length of a statement's text, before it is parsed.

use datafusion::common::{plan_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect, PostgreSqlDialect};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

/// The most bytes of a statement's text.
const MAX_BYTES: usize = 1 << 20;

/// The most words, numbers and signs of a statement.
const MAX_WORDS: usize = 10_000;

/// The most words of a statement together with the blanks, line ends and comments between them.
const MAX_TOKENS: usize = 100_000;

/// The most comments that begin as hints of MySQL do. What is in one is taken apart as text of its own.
const MAX_HINTS: usize = 50;

/// So many bytes more are taken apart at a time. A word takes a hundred times its memory, so that a long text is not
/// taken apart as a whole before its words are counted.
const STRETCH_BYTES: usize = 64 << 10;

/// The last words of a stretch may be parts of words.
const CUT_WORDS: usize = 8;

/// Refuses a text that is too long for a statement, before anything else is done with it.
pub(super) fn check_bytes(text: &str) -> Result<()> {
    if text.len() > MAX_BYTES {
        return plan_err!("the statement has {} bytes; at most {MAX_BYTES} are taken", text.len());
    }
    Ok(())
}

/// Refuses a text of too many words. It takes stack for each comment in a comment.
pub(super) fn check_words(text: &str) -> Result<()> {
    check_words_of(text, &GenericDialect {}, MAX_WORDS)
}

/// As [`check_words`], for a text that PostgreSQL's rules take apart as well. What is one word by some rules may be
/// many by others.
pub(super) fn check_words_everywhere(text: &str) -> Result<()> {
    check_words(text)?;
    check_words_of(text, &PostgreSqlDialect {}, MAX_WORDS)
}

fn check_words_of(text: &str, dialect: &dyn Dialect, most: usize) -> Result<()> {
    check_bytes(text)?;
    if text.matches("/*!").nth(MAX_HINTS).is_some() {
        return plan_err!("the statement has more than {MAX_HINTS} comments that begin with /*!");
    }
    let mut tokens = Vec::new();
    let mut end = 0;
    while end < text.len() {
        end = text.ceil_char_boundary(end + STRETCH_BYTES);
        tokens.clear();
        let stretch = text.get(..end).unwrap_or(text);
        let taken = Tokenizer::new(dialect, stretch).tokenize_with_location_into_buf(&mut tokens);
        let spare = if end < text.len() { CUT_WORDS } else { 0 };
        let words = tokens.iter().filter(|token| is_word(token)).count();
        if words > most + spare {
            return plan_err!("the statement has {words} words and signs or more; at most {most} are taken");
        }
        if tokens.len() > MAX_TOKENS + spare {
            return plan_err!("the statement has more than {MAX_TOKENS} words, blanks, line ends and comments");
        }
        // A stretch may end within a text in quotes.
        if end == text.len() {
            taken.map_err(|error| plan_datafusion_err!("{error}"))?;
            check_neighbours(&tokens)?;
        }
    }
    Ok(())
}

/// Refuses words that the parser takes for a name of what stands before them: `1_000` for a 1 with the name `_000`.
fn check_neighbours(tokens: &[TokenWithSpan]) -> Result<()> {
    for pair in tokens.windows(2) {
        if let [TokenWithSpan { token: Token::Number(number, _), .. }, TokenWithSpan { token: Token::Word(word), .. }] =
            pair
            && word.quote_style.is_none()
        {
            return plan_err!(
                "{number}{word} is no number; write numbers with digits alone, such as 1000, and a blank before a name"
            );
        }
    }
    let mut words = tokens.iter().filter(|token| is_word(token)).peekable();
    while let Some(word) = words.next() {
        if let (Token::SingleQuotedString(first), Some(Token::SingleQuotedString(second))) =
            (&word.token, words.peek().map(|next| &next.token))
        {
            return plan_err!("'{first}' '{second}' are two texts in a row; write '{first}' || '{second}' for one");
        }
    }
    Ok(())
}

fn is_word(token: &TokenWithSpan) -> bool {
    !matches!(token.token, Token::Whitespace(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_and_what_is_between_them_is_not() {
        let most = 4;
        let check = |text: &str| check_words_of(text, &GenericDialect {}, most);
        for text in ["", "select 1 + 2", "select\n\t 'a b c' -- d e f\n /* g h */ , b", "a b c d     "] {
            assert!(check(text).is_ok(), "{text}");
        }
        for text in ["select 1 + 2 + 3", "((1))", "a b c d e"] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_long_text_counts_by_its_words_wherever_it_is_cut() {
        for letter in ["x", "é", "🦀", "\n", "''"] {
            let text = format!("select '{}'", letter.repeat((MAX_BYTES - 10) / letter.len()));
            assert!(check_words_everywhere(&text).is_ok(), "{letter:?}");
        }
        let names = format!("select {}", "`a`,".repeat(4_000));
        assert!(check_words(&names).is_ok());
        assert!(check_words_everywhere(&names).is_err(), "PostgreSQL has no quotes of this kind");
    }

    #[test]
    fn a_text_of_signs_alone_is_refused_early() {
        for text in ["(".repeat(MAX_BYTES), "(".repeat(24 << 20), " ".repeat(MAX_BYTES), "/*!".repeat(300_000)] {
            assert!(check_words(&text).is_err());
        }
        // What is quoted by one side's rules is not by the other's.
        assert!(check_words_everywhere(&format!("`{}`", "(".repeat(100_000))).is_err());
    }
}
