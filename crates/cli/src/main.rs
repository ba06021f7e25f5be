//! The command line of skillscope: arguments, progress and output. The other crates do the work.

mod allocator;
mod arguments;
mod commands;
mod configuration;
mod console;
mod demo;
mod descriptors;
mod escaped;
mod log;
mod output;
mod remote;
mod threads;

use std::process::ExitCode;

use arguments::{Command, TlsCommand};

fn main() -> ExitCode {
    allocator::give_back_large_memory();
    let arguments = arguments::parse();
    log::init(&arguments.log);
    let outcome = match arguments.command {
        Command::Serve(serve) => commands::serve::run(serve),
        Command::Import { command } => commands::import::run(command),
        Command::Sql(sql) => console::run(sql),
        Command::Replay(replay) => commands::replay::run(replay),
        Command::Token { command } => commands::token::run(command),
        Command::Backup(backup) => commands::backup::run(backup),
        Command::Check(check) => commands::check::run(check),
        Command::Generate { command } => commands::generate::run(command),
        Command::Tls { command: TlsCommand::SelfSigned(arguments) } => commands::self_signed::run(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            output::complain(&format!("{error:#}"));
            if error.is::<output::Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}
