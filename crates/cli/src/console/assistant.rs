//! What helps a person who types: completion and colours.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::IsTerminal;

use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::{Context, Helper, Hinter, Validator};
use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::catalog::Catalog;
use super::command;
use crate::arguments::OutputFormat;

/// The keywords that can be completed.
const KEYWORDS: [&str; 61] = [
    "all",
    "and",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cast",
    "count",
    "cross",
    "current_timestamp",
    "date",
    "desc",
    "describe",
    "distinct",
    "else",
    "end",
    "except",
    "exists",
    "explain analyze",
    "extract",
    "false",
    "filter",
    "first",
    "from",
    "full",
    "group by",
    "having",
    "ilike",
    "in",
    "inner",
    "intersect",
    "interval",
    "is",
    "join",
    "last",
    "left",
    "like",
    "limit",
    "not",
    "null",
    "nulls",
    "offset",
    "on",
    "or",
    "order by",
    "order by all",
    "outer",
    "over",
    "partition by",
    "right",
    "select",
    "summarize",
    "then",
    "timestamp",
    "true",
    "union all",
    "using",
    "when",
    "where",
    "with",
];

/// Completes words, and colours them.
#[derive(Helper, Hinter, Validator)]
pub(super) struct Assistant {
    catalog: Catalog,
    /// The lines of the statement before the one that is typed.
    before: String,
    has_colours: bool,
}

impl Assistant {
    pub(super) fn new(catalog: Catalog) -> Self {
        let has_colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { catalog, before: String::new(), has_colours }
    }

    /// Tells what there is to be named now.
    pub(super) fn knows(&mut self, catalog: Catalog) {
        self.catalog = catalog;
    }

    /// Tells what stands before the next line.
    pub(super) fn follows(&mut self, before: &str) {
        before.clone_into(&mut self.before);
    }

    /// What `word` may become. `line` is what stands in the line, with the word.
    fn choices(&self, word: &str, line: &str) -> BTreeSet<String> {
        if let Some(name) = word.strip_prefix('\\') {
            return command::names().filter(|command| command.starts_with(&format!("\\{name}"))).collect();
        }
        if line.trim_start().starts_with("\\format") {
            return OutputFormat::names()
                .split(", ")
                .filter(|name| name.starts_with(word))
                .map(str::to_owned)
                .collect();
        }
        let begun = word.to_lowercase();
        let statement = format!("{}{line}", self.before);
        let mut choices = BTreeSet::new();
        if let Some((table, column)) = begun.rsplit_once('.') {
            let columns = self.catalog.columns(table, &statement).into_iter().filter(|name| name.starts_with(column));
            choices.extend(columns.map(|name| format!("{table}.{name}")));
        }
        choices.extend(self.catalog.names().filter(|name| name.starts_with(&begun)).map(str::to_owned));
        choices.extend(self.catalog.functions().filter(|name| name.starts_with(&begun)).map(|name| format!("{name}(")));
        choices.extend(KEYWORDS.into_iter().filter(|name| name.starts_with(&begun)).map(str::to_owned));
        choices
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _context: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = line.get(..position).unwrap_or(line);
        let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '\\' | '?');
        let start = before.char_indices().rev().take_while(|(_, letter)| is_part(*letter)).last();
        let start = start.map_or(position, |(place, _)| place);
        let word = before.get(start..).unwrap_or_default();
        if word.is_empty() {
            return Ok((position, Vec::new()));
        }
        let is_upper = word.chars().any(char::is_uppercase) && !word.chars().any(char::is_lowercase);
        let found = self.choices(word, line).into_iter().map(|known| {
            let text = if is_upper { known.to_uppercase() } else { known };
            Pair { display: text.clone(), replacement: text }
        });
        Ok((start, found.collect()))
    }
}

const KEYWORD: &str = "\x1b[1;34m";
const TEXT: &str = "\x1b[32m";
const NUMBER: &str = "\x1b[35m";
const COMMENT: &str = "\x1b[90m";
const PLAIN: &str = "\x1b[0m";

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _position: usize) -> Cow<'l, str> {
        match tokens(line) {
            Some(tokens) if self.has_colours && !line.starts_with('\\') => tokens.iter().map(coloured).collect(),
            _ => Cow::Borrowed(line),
        }
    }

    fn highlight_char(&self, _line: &str, _position: usize, kind: CmdKind) -> bool {
        self.has_colours && kind != CmdKind::MoveCursor
    }
}

/// The tokens of a text; `None` if it ends inside a quoted text or a comment.
fn tokens(text: &str) -> Option<Vec<Token>> {
    Tokenizer::new(&GenericDialect {}, text).with_unescape(false).tokenize().ok()
}

fn coloured(token: &Token) -> String {
    let colour = match token {
        Token::Word(word) if word.quote_style.is_none() && word.keyword != Keyword::NoKeyword => KEYWORD,
        Token::Number(..) => NUMBER,
        Token::SingleQuotedString(_) => TEXT,
        Token::Whitespace(space) if !space.to_string().trim().is_empty() => COMMENT,
        _ => return token.to_string(),
    };
    format!("{colour}{token}{PLAIN}")
}
