//! The command line of skillscope: arguments, progress and output. The other crates do the work.

mod allocator;
mod archive;
mod arguments;
mod commands;
mod configuration;
mod console;
mod demo;
mod descriptors;
mod escaped;
mod grid;
mod in_effect;
mod log;
mod nearest;
mod output;
mod remote;
mod systemd;
mod threads;

use std::process::ExitCode;

use arguments::{Command, TlsCommand};
use in_effect::OptionsInEffect;

fn main() -> ExitCode {
    allocator::give_back_large_memory();
    let arguments = arguments::parse();
    let otlp_endpoint = match &arguments.command {
        Command::Serve(serve) => serve.otlp_endpoint.as_deref(),
        _ => None,
    };
    let _traces = match log::init(&arguments.log, arguments.log_format, otlp_endpoint) {
        Ok(traces) => traces,
        Err(error) => return failed(&error),
    };
    configuration::warn_of_unknown_variables(&arguments::command());
    let outcome = match arguments.command {
        Command::Serve(serve) => {
            let (version, OptionsInEffect { given, defaults }) = (env!("CARGO_PKG_VERSION"), arguments.in_effect);
            tracing::info!(version, given, defaults, "skillscope begins to serve");
            commands::serve::run(serve)
        }
        Command::Import { command } => commands::import::run(command),
        Command::Sql(sql) => console::run(sql),
        Command::Replay(replay) => commands::replay::run(replay),
        Command::Compare(compare) => commands::compare::run(compare),
        Command::Token { command } => commands::token::run(command),
        Command::Backup(backup) => commands::backup::run(backup),
        Command::Check(check) => commands::check::run(check),
        Command::Packaging(packaging) => commands::packaging::run(&packaging),
        Command::Generate { command } => commands::generate::run(command),
        Command::Tls { command: TlsCommand::SelfSigned(arguments) } => commands::self_signed::run(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

/// Tells why a command failed, and gives the code with which the process ends.
fn failed(error: &anyhow::Error) -> ExitCode {
    output::complain(&format!("{error:#}"));
    if error.is::<output::Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
}
