//! A text as words, and the statements in it.

use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer, Word};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use skillscope_query::begins_query;

use crate::postgresql::error::{SqlState, error};

/// One statement of a text: its words, and where each of them begins in the text.
#[derive(Debug, Clone)]
pub(super) struct Words<'a> {
    text: &'a str,
    words: &'a [(Token, usize)],
    /// Where the statement ends.
    end: usize,
    place: usize,
}

/// The words of a text, without blanks and comments, each with the place of its first byte.
pub(super) fn words(text: &str) -> PgWireResult<Vec<(Token, usize)>> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location();
    let tokens = tokens.map_err(|wrong| error(SqlState::SyntaxError, wrong.to_string()))?;
    let (mut letters, mut at) = (text.char_indices(), Location::new(1, 1));
    let (mut byte, mut words) = (0, Vec::new());
    for token in tokens {
        // Tokens come in the order of the text.
        while (at.line, at.column) < (token.span.start.line, token.span.start.column) {
            let Some((place, letter)) = letters.next() else { break };
            byte = place + letter.len_utf8();
            at = if letter == '\n' { Location::new(at.line + 1, 1) } else { Location::new(at.line, at.column + 1) };
        }
        if !matches!(token.token, Token::Whitespace(_) | Token::EOF) {
            words.push((token.token, byte));
        }
    }
    Ok(words)
}

/// The statements between semicolons.
pub(super) fn statements<'a>(text: &'a str, words: &'a [(Token, usize)]) -> impl Iterator<Item = Words<'a>> {
    let mut rest = words;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let count = rest.iter().position(|(token, _)| *token == Token::SemiColon).unwrap_or(rest.len());
            let (statement, after) = rest.split_at(count);
            let end = after.first().map_or(text.len(), |(_, place)| *place);
            rest = after.get(1..).unwrap_or_default();
            if !statement.is_empty() {
                return Some(Words { text, words: statement, end, place: 0 });
            }
        }
    })
}

impl<'a> Words<'a> {
    /// The text of the statement.
    pub(super) fn whole(&self) -> &'a str {
        let start = self.words.first().map_or(self.end, |(_, place)| *place);
        self.text.get(start..self.end).unwrap_or_default()
    }

    /// The text from here to the end.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.here()..self.end).unwrap_or_default()
    }

    /// The text between two places.
    pub(super) fn between(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// Where the next word begins.
    pub(super) fn here(&self) -> usize {
        self.words.get(self.place).map_or(self.end, |(_, place)| *place)
    }

    pub(super) fn peek(&self) -> Option<&'a Token> {
        self.words.get(self.place).map(|(token, _)| token)
    }

    pub(super) fn next(&mut self) -> Option<&'a Token> {
        let token = self.peek();
        self.place += 1;
        token
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.peek().is_none()
    }

    /// Whether the next word is this one, without quotes.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(Word { value, quote_style: None, .. }))
            if value.eq_ignore_ascii_case(word))
    }

    /// Whether a query begins here, which may be in parentheses, or the summary of one.
    pub(super) fn begin_query(&self) -> bool {
        match self.peek() {
            Some(Token::Word(Word { value, quote_style: None, .. })) => begins_query(value),
            sign => sign == Some(&Token::LParen),
        }
    }

    /// Takes the next word if it is this one.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let is_it = self.is(word);
        self.place += usize::from(is_it);
        is_it
    }

    /// Takes the next words if they are these, one after the other.
    pub(super) fn take_all(&mut self, words: &[&str]) -> bool {
        let before = self.place;
        let are_they = words.iter().all(|word| self.take(word));
        if !are_they {
            self.place = before;
        }
        are_they
    }

    /// Takes a sign.
    pub(super) fn take_sign(&mut self, sign: &Token) -> bool {
        let is_it = self.peek() == Some(sign);
        self.place += usize::from(is_it);
        is_it
    }

    /// A word that must come.
    pub(super) fn expect(&mut self, word: &str) -> PgWireResult<()> {
        if self.take(word) { Ok(()) } else { Err(self.wrong()) }
    }

    /// A name, in small letters where it has no quotes.
    pub(super) fn name(&mut self) -> PgWireResult<String> {
        match self.peek() {
            Some(Token::Word(word)) => {
                self.place += 1;
                Ok(if word.quote_style.is_some() { word.value.clone() } else { word.value.to_lowercase() })
            }
            _ => Err(self.wrong()),
        }
    }

    /// A text in quotes.
    pub(super) fn text(&mut self) -> Option<String> {
        let text = match self.peek()? {
            Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) | Token::UnicodeStringLiteral(text) => {
                text.clone()
            }
            Token::DollarQuotedString(text) => text.value.clone(),
            _ => return None,
        };
        self.place += 1;
        Some(text)
    }

    /// A whole number, with or without a sign.
    pub(super) fn number(&mut self) -> Option<i64> {
        let before = self.place;
        let is_negative = self.take_sign(&Token::Minus);
        let _ = !is_negative && self.take_sign(&Token::Plus);
        let number = match self.next() {
            Some(Token::Number(digits, _)) => format!("{}{digits}", if is_negative { "-" } else { "" }).parse().ok(),
            _ => None,
        };
        if number.is_none() {
            self.place = before;
        }
        number
    }

    /// The statement must have ended.
    pub(super) fn end(&self) -> PgWireResult<()> {
        if self.is_at_end() { Ok(()) } else { Err(self.wrong()) }
    }

    /// What PostgreSQL says where a statement is not what it should be.
    pub(super) fn wrong(&self) -> PgWireError {
        let text = match self.peek() {
            Some(token) => format!("syntax error at or near \"{token}\""),
            None => "syntax error at end of input".to_owned(),
        };
        error(SqlState::SyntaxError, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_parted_at_semicolons_that_stand_for_themselves() {
        let text = "select 'a;b', \"c;d\" /* e;f */;; -- g;\n é; select $$h;i$$ ;";
        let words = words(text).unwrap();
        let parts: Vec<&str> = statements(text, &words).map(|statement| statement.whole().trim()).collect();
        assert_eq!(parts, ["select 'a;b', \"c;d\" /* e;f */", "é", "select $$h;i$$"]);
        assert_eq!(statements("", &[]).count(), 0);
    }

    #[test]
    fn words_are_taken_one_by_one() {
        let text = "Declare \"A b\" cursor for -12 'x''y'";
        let tokens = words(text).unwrap();
        let mut statement = statements(text, &tokens).next().unwrap();
        assert!(statement.take("declare") && !statement.take("cursor"));
        assert_eq!(statement.name().unwrap(), "A b");
        assert!(!statement.take_all(&["cursor", "with"]) && statement.take_all(&["cursor", "for"]));
        assert_eq!(statement.rest(), "-12 'x''y'");
        assert_eq!((statement.number(), statement.text().as_deref()), (Some(-12), Some("x'y")));
        assert!(statement.end().is_ok());
    }
}
