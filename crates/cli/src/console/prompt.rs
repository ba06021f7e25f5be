//! The prompt for a person: history, and statements over several lines.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use rustyline::Editor;
use rustyline::config::{Config, Configurer};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;

use super::assistant::Assistant;
use super::catalog::Catalog;
use super::lexer::Inside;
use super::script::{Begun, Flow, Origin, take_line};
use super::state::State;
use crate::output;

/// How many statements the history keeps.
const MAX_HISTORY: usize = 10_000;

/// Reads statements and commands from a terminal until the person leaves.
pub(super) fn converse(state: &mut State) -> Result<()> {
    let config = Config::builder().max_history_size(MAX_HISTORY)?.history_ignore_space(true).build();
    let mut editor: Editor<Assistant, FileHistory> = Editor::with_config(config).context("cannot use the terminal")?;
    editor.set_helper(Some(Assistant::new(Catalog::read(state))));
    editor.set_completion_type(rustyline::CompletionType::List);
    let history = history_file();
    if let Some(file) = &history {
        // The first time there is no history to load.
        let _ = editor.load_history(file);
    }
    output::print("skillscope SQL; \\? for help, \\q to leave");
    let mut typed = String::new();
    loop {
        if let Some(assistant) = editor.helper_mut() {
            assistant.follows(&state.begun.text);
        }
        let line = match editor.readline(&prompt(state)) {
            Ok(line) => line + "\n",
            // Ctrl-C drops what was typed so far.
            Err(ReadlineError::Interrupted) => {
                state.begun = Begun::default();
                typed.clear();
                continue;
            }
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error).context("cannot read from the terminal"),
        };
        typed.push_str(&line);
        let seen = state.source.account().map(str::to_owned);
        let flow = take_line(state, Origin::Typed, 1, &line).unwrap_or_else(|error| {
            output::complain(&format!("{error:#}"));
            Flow::GoOn
        });
        if state.begun.is_blank() {
            remember(&mut editor, history.as_ref(), &std::mem::take(&mut typed));
        }
        if flow == Flow::Leave {
            break;
        }
        let is_other = seen.as_deref() != state.source.account();
        if let Some(assistant) = editor.helper_mut().filter(|_| is_other) {
            assistant.knows(Catalog::read(state));
        }
    }
    Ok(())
}

/// Keeps a statement or a command, as it was typed, for another time.
fn remember(editor: &mut Editor<Assistant, FileHistory>, history: Option<&PathBuf>, typed: &str) {
    if typed.trim().is_empty() {
        return;
    }
    let _ = editor.add_history_entry(typed.trim_end());
    if let Some(file) = history {
        let _ = editor.append_history(file);
    }
}

/// The account, and whether a statement goes on, and inside of what.
fn prompt(state: &State) -> String {
    let goes_on = match state.begun.lexer.inside() {
        Inside::Text { .. } => "'",
        Inside::Name => "\"",
        Inside::Dollars(_) => "$",
        Inside::Comment { .. } => "*",
        Inside::Code | Inside::LineComment if state.begun.lexer.has_open_parenthesis() => "(",
        Inside::Code | Inside::LineComment if state.begun.is_blank() => "",
        Inside::Code | Inside::LineComment => "-",
    };
    format!("{}{goes_on}> ", state.source.account().unwrap_or("skillscope"))
}

/// The file of the history, in the XDG folder for state; `None` if there can be none.
fn history_file() -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = folder.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")))?;
    let folder = folder.join("skillscope");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("sql_history"))
}
