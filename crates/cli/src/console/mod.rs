//! The SQL console: the command `sql`.
//!
//! ```text
//! prompt.rs  a person types ─▶ script.rs  statements and commands ─▶ source.rs  a data directory or a server
//!                                             │                            │
//!                              command.rs  \d, \o …            answer.rs ──▶ sink.rs  table, CSV, Parquet …
//! ```

mod answer;
mod command;
mod prompt;
mod script;
mod settings;
mod sink;
mod source;
mod state;

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use anyhow::{Context, Result};
use tokio::runtime::Builder;

use crate::arguments::SqlArguments;
use crate::output;
use crate::threads::SQL_STACK_BYTES;
use script::{Piece, pieces};
use settings::Settings;
use source::Source;
use state::State;

/// Runs the statements of `-c` or of standard input, or those that a person types.
pub(crate) fn run(arguments: SqlArguments) -> Result<ExitCode> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().thread_stack_size(SQL_STACK_BYTES).build();
    let runtime = runtime.context("cannot start the console's threads")?;
    let source = runtime.block_on(Source::open(&arguments))?;
    let settings = Settings::new(&arguments);
    let mut state = State { source, settings, runtime: runtime.handle().clone() };
    let done = if let Some(text) = &arguments.command {
        run_script(&mut state, text)
    } else if std::io::stdin().is_terminal() {
        prompt::converse(&mut state)?;
        true
    } else {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        run_script(&mut state, &text)
    };
    drop(state);
    runtime.shutdown_background();
    Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the pieces of a text up to the first failure, or up to the command to leave. Returns false after a failure.
fn run_script(state: &mut State, text: &str) -> bool {
    pieces(text).iter().take_while(|piece| !piece.leaves()).all(|piece| run_piece(state, piece))
}

/// Runs one statement or command. Returns false after a failure, whose message is printed.
fn run_piece(state: &mut State, piece: &Piece) -> bool {
    let done = match piece {
        Piece::Statement(text) => state.run(text),
        Piece::Command(text) => command::run(state, text),
    };
    if let Err(error) = &done {
        output::complain(&format!("{error:#}"));
    }
    done.is_ok()
}
