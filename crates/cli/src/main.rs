//! The command line of skillscope: arguments, progress and output. The other crates do the work.

mod allocator;
mod arguments;
mod commands;
mod configuration;
mod console;
mod demo;
mod output;
mod remote;

use std::io::IsTerminal;
use std::process::ExitCode;

use arguments::Command;

fn main() -> ExitCode {
    allocator::give_back_large_memory();
    let arguments = arguments::parse();
    init_log(&arguments.log);
    let outcome = match arguments.command {
        Command::Serve(serve) => commands::serve::run(serve),
        Command::Import { command } => commands::import::run(command),
        Command::Sql(sql) => console::run(sql),
        Command::Replay(replay) => commands::replay::run(replay),
        Command::Backup(backup) => commands::backup::run(backup),
        Command::Check(check) => commands::check::run(check),
        Command::Generate { command } => commands::generate::run(command),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            output::complain(&format!("{error:#}"));
            if error.is::<output::Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

/// Logs go to standard error, results to standard output.
fn init_log(filter: &str) {
    let filter = tracing_subscriber::EnvFilter::new(filter);
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colours)
        .with_writer(std::io::stderr)
        // A log on a full disk must not fail what is being logged: telling of it there would panic.
        .log_internal_errors(false)
        .init();
}
