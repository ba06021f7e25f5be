//! The SQL console: the command `sql`.
//!
//! ```text
//! prompt.rs  a person types ─▶ script.rs  statements and commands ─▶ source.rs  a data directory or a server
//!     │                            │                                       │
//! assistant.rs  colours, Tab   command.rs  \d, \o …            answer.rs ──▶ sink.rs  table, CSV, Parquet …
//!                              variables.rs  :name
//! ```

mod answer;
mod arguments;
mod assistant;
mod catalog;
mod command;
mod copy;
mod describe;
mod edit;
mod lexer;
mod prompt;
mod script;
mod settings;
mod sink;
mod source;
mod state;
mod variables;
mod watch;

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use anyhow::{Context, Result};
use tokio::runtime::Builder;

use crate::arguments::{SqlArguments, Variable};
use crate::output::{self, Usage};
use crate::threads::SQL_STACK_BYTES;
use script::{Flow, Origin, run_text};
use settings::Settings;
use source::Source;
use state::State;
use variables::Variables;

/// What stands for a file's name where there is none.
const STANDARD_INPUT: &str = "standard input";

/// Runs the statements of `-c`, of files or of standard input, or those that a person types.
pub(crate) fn run(arguments: SqlArguments) -> Result<ExitCode> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().thread_stack_size(SQL_STACK_BYTES).build();
    let runtime = runtime.context("cannot start the console's threads")?;
    let source = runtime.block_on(Source::open(&arguments))?;
    let settings = Settings::new(&arguments);
    let mut state = State::new(source, settings, runtime.handle().clone(), arguments);
    for Variable { name, value } in state.arguments.variables.clone() {
        if !Variables::is_name(&name) {
            return Err(Usage::error(format!("{name} is no name for a value: that has letters, digits and _ alone")));
        }
        state.variables.set(&name, value);
    }
    let done = run_what_is_asked(&mut state);
    drop(state);
    runtime.shutdown_background();
    match done {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            output::complain(&format!("{error:#}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Runs a script up to its first failure; a person's failures are told as they happen.
fn run_what_is_asked(state: &mut State) -> Result<Flow> {
    if let Some(text) = state.arguments.command.clone() {
        return run_text(state, Origin::Typed, &text);
    }
    for file in state.arguments.file.clone() {
        if command::run_file(state, &file)? == Flow::Leave {
            return Ok(Flow::Leave);
        }
    }
    if !state.arguments.file.is_empty() {
        return Ok(Flow::GoOn);
    }
    if std::io::stdin().is_terminal() {
        state.is_interactive = true;
        return prompt::converse(state).map(|()| Flow::Leave);
    }
    run_standard_input(state)
}

fn run_standard_input(state: &mut State) -> Result<Flow> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    run_text(state, Origin::File(STANDARD_INPUT), &text)
}
