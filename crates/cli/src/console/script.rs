//! What is typed or read, line by line, until a statement or a command is whole.

use anyhow::{Context, Result};

use super::command;
use super::lexer::{Kind, Lexer, is_blank};
use super::state::State;

/// Where lines come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin<'a> {
    /// A person, or an option: nobody needs to be told where something is wrong.
    Typed,
    /// A file, or what else has a name.
    File(&'a str),
}

/// What is to be done after a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    GoOn,
    Leave,
}

/// A statement that has begun.
#[derive(Debug, Clone, Default)]
pub(super) struct Begun {
    pub(super) text: String,
    pub(super) lexer: Lexer,
    /// The number of the line with its first word.
    line: usize,
}

impl Begun {
    /// Whether there is anything of a statement.
    pub(super) fn is_blank(&self) -> bool {
        *self.lexer.inside() == super::lexer::Inside::Code && is_blank(&self.text)
    }
}

/// Runs the statements and commands of a text up to the first failure, or up to the command to leave.
pub(super) fn run_text(state: &mut State, origin: Origin<'_>, text: &str) -> Result<Flow> {
    let outer = std::mem::take(&mut state.begun);
    let done = run_lines(state, origin, text);
    state.begun = outer;
    done
}

fn run_lines(state: &mut State, origin: Origin<'_>, text: &str) -> Result<Flow> {
    for (place, line) in text.split_inclusive('\n').enumerate() {
        if take_line(state, origin, place + 1, line)? == Flow::Leave {
            return Ok(Flow::Leave);
        }
    }
    // An unfinished text is run as it is: the error message tells what is wrong with it.
    let rest = std::mem::take(&mut state.begun);
    at(origin, rest.line, state.run_statement(&rest.text))?;
    Ok(Flow::GoOn)
}

/// Takes the next line, and runs what is whole with it. After a failure nothing of the line is left.
pub(super) fn take_line(state: &mut State, origin: Origin<'_>, number: usize, line: &str) -> Result<Flow> {
    let done = take_parts(state, origin, number, line);
    if done.is_err() {
        state.begun = Begun::default();
    }
    done
}

fn take_parts(state: &mut State, origin: Origin<'_>, number: usize, line: &str) -> Result<Flow> {
    if state.begun.is_blank() && matches!(line.trim().trim_end_matches(';').trim_end(), "exit" | "quit") {
        return Ok(Flow::Leave);
    }
    let mut lexer = std::mem::take(&mut state.begun.lexer);
    let parts = lexer.take(line);
    state.begun.lexer = lexer;
    for (kind, part) in parts {
        match kind {
            Kind::End => {
                let text = std::mem::take(&mut state.begun.text);
                at(origin, state.begun.line, state.run_statement(&text))?;
            }
            Kind::Command => {
                if at(origin, number, command::run(state, part.trim_start_matches('\\')))? == Flow::Leave {
                    return Ok(Flow::Leave);
                }
            }
            Kind::Code | Kind::Quoted | Kind::Comment => {
                if is_blank(&state.begun.text) {
                    state.begun.line = number;
                }
                state.begun.text.push_str(part);
            }
        }
    }
    Ok(Flow::GoOn)
}

fn at<T>(origin: Origin<'_>, line: usize, done: Result<T>) -> Result<T> {
    match origin {
        Origin::Typed => done,
        Origin::File(name) => done.with_context(|| format!("{name}:{line}")),
    }
}
