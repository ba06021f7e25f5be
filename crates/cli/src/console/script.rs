//! Splitting a text into statements and commands.

use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

/// A part of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// One statement, without the semicolon.
    Statement(String),
    /// A line that begins with a backslash, without it.
    Command(String),
}

impl Piece {
    /// Whether it is the command to leave.
    pub(super) fn leaves(&self) -> bool {
        matches!(self, Self::Command(name) if name.trim_end_matches(';') == "q")
    }
}

/// Splits a text into statements, which end with semicolons, and commands, which are lines of their own.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut statements = String::new();
    for line in text.lines() {
        match line.trim_start().strip_prefix('\\') {
            Some(command) if is_complete(&statements) => {
                take_statements(&mut statements, &mut pieces);
                pieces.push(Piece::Command(command.trim_end().to_owned()));
            }
            _ => {
                statements.push_str(line);
                statements.push('\n');
            }
        }
    }
    take_statements(&mut statements, &mut pieces);
    pieces
}

/// Whether a text contains only whole statements: nothing follows the last semicolon.
pub(super) fn is_complete(text: &str) -> bool {
    let Some(tokens) = tokens(text) else { return false };
    tokens
        .iter()
        .rev()
        .find(|token| !matches!(token, Token::Whitespace(_)))
        .is_none_or(|token| *token == Token::SemiColon)
}

/// The tokens of a text; `None` if it ends inside a quoted text or a comment.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    Tokenizer::new(&GenericDialect {}, text).with_unescape(false).tokenize().ok()
}

fn take_statements(text: &mut String, pieces: &mut Vec<Piece>) {
    let whole = std::mem::take(text);
    let statements = match tokens(&whole) {
        // An unfinished text is run as it is: the error message tells what is wrong with it.
        None => vec![whole],
        Some(tokens) => {
            let mut statements = vec![String::new()];
            for token in tokens {
                match (token, statements.last_mut()) {
                    (Token::SemiColon, _) => statements.push(String::new()),
                    (token, Some(statement)) => statement.push_str(&token.to_string()),
                    (_, None) => {}
                }
            }
            statements
        }
    };
    let statements = statements.into_iter().map(|statement| statement.trim().to_owned());
    pieces.extend(statements.filter(|statement| !is_blank(statement)).map(Piece::Statement));
}

fn is_blank(statement: &str) -> bool {
    tokens(statement).is_some_and(|tokens| tokens.iter().all(|token| matches!(token, Token::Whitespace(_))))
}
