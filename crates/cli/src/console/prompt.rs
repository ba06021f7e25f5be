//! The prompt for a person: history, completion, and statements over several lines.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use rustyline::completion::{Completer, Pair};
use rustyline::config::{Config, Configurer};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Editor, Helper, Hinter};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use super::script::{is_complete, pieces, tokens};
use super::state::State;
use super::{Piece, command, run_piece};
use crate::output;

/// How many statements the history keeps.
const MAX_HISTORY: usize = 10_000;

/// Reads statements and commands from a terminal until the person leaves.
pub(super) fn converse(state: &mut State) -> Result<()> {
    let config = Config::builder().max_history_size(MAX_HISTORY)?.history_ignore_space(true).build();
    let mut editor: Editor<Assistant, FileHistory> = Editor::with_config(config).context("cannot use the terminal")?;
    editor.set_helper(Some(Assistant::new(words(state))));
    editor.set_completion_type(rustyline::CompletionType::List);
    let history = history_file();
    if let Some(file) = &history {
        // The first time there is no history to load.
        let _ = editor.load_history(file);
    }
    output::print("skillscope SQL; \\? for help, \\q to leave");
    let prompt = format!("{}> ", state.source.account().unwrap_or("skillscope"));
    loop {
        let text = match editor.readline(&prompt) {
            Ok(text) => text,
            // Ctrl-C drops what was typed so far.
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error).context("cannot read from the terminal"),
        };
        if text.trim().is_empty() {
            continue;
        }
        let _ = editor.add_history_entry(text.trim_end());
        if let Some(file) = &history {
            let _ = editor.append_history(file);
        }
        let pieces = pieces(&text);
        // In a line of several statements, those after a failure are not run.
        pieces.iter().take_while(|piece| !piece.leaves()).all(|piece| run_piece(state, piece));
        if pieces.iter().any(Piece::leaves) {
            break;
        }
    }
    Ok(())
}

/// The file of the history, in the XDG folder for state; `None` if there can be none.
fn history_file() -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = folder.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")))?;
    let folder = folder.join("skillscope");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("sql_history"))
}

/// The names of tables, columns and functions, for completion. The console works without them if they cannot be read.
fn words(state: &State) -> BTreeSet<String> {
    let names = "select table_schema || '.' || table_name from information_schema.tables where table_schema <> 'public' \
         union select table_name from information_schema.tables where table_schema = 'public' \
         union select column_name from information_schema.columns where table_schema in ('public', 'system') \
         union select routine_name from information_schema.routines";
    let batches = state.runtime.block_on(state.source.all(names)).unwrap_or_default();
    batches.iter().flat_map(first_column).collect()
}

fn first_column(batch: &RecordBatch) -> Vec<String> {
    let texts = batch.columns().first().and_then(|column| cast(column, &DataType::Utf8).ok());
    texts.map_or_else(Vec::new, |texts| texts.as_string::<i32>().iter().flatten().map(str::to_owned).collect())
}

/// The keywords that can be completed.
const KEYWORDS: [&str; 59] = [
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
    "outer",
    "over",
    "partition by",
    "right",
    "select",
    "then",
    "timestamp",
    "true",
    "union all",
    "using",
    "when",
    "where",
    "with",
];

/// Completes words, colours them, and tells whether a statement is whole.
#[derive(Helper, Hinter)]
struct Assistant {
    words: BTreeSet<String>,
    has_colours: bool,
}

impl Assistant {
    fn new(mut words: BTreeSet<String>) -> Self {
        words.extend(KEYWORDS.map(str::to_owned));
        words.extend(command::NAMES.map(str::to_owned));
        let has_colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { words, has_colours }
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
        let lower = word.to_lowercase();
        let found = self.words.iter().filter(|known| known.starts_with(&lower)).map(|known| {
            let text = if is_upper { known.to_uppercase() } else { known.clone() };
            Pair { display: text.clone(), replacement: text }
        });
        Ok((start, found.collect()))
    }
}

impl Validator for Assistant {
    /// A statement ends at its semicolon, a command at the end of its line.
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let is_whole = text.trim().is_empty() || text.trim_start().starts_with('\\') || is_complete(text);
        Ok(if is_whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
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
