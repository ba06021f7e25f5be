//! The commands and their options, one file a command. Their doc comments are the text of `--help`.

#![allow(rustdoc::bare_urls, reason = "help is read in a terminal")]

mod archive_access;
mod backup;
mod check;
mod client;
mod compare;
mod connections;
mod dead_letters;
mod event_wait;
mod generate;
mod import;
mod instant;
mod packaging;
mod quiet_after;
mod reachability;
mod record_kind;
mod replay;
mod scope;
mod serve;
mod sql;
mod sql_limits;
mod store_address;
mod tls;
mod token;

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::configuration;
use crate::in_effect::OptionsInEffect;
use crate::log::LogFormat;
pub(crate) use backup::BackupArguments;
pub(crate) use check::CheckArguments;
pub(crate) use client::ClientArguments;
pub(crate) use compare::CompareArguments;
pub(crate) use connections::ConnectionArguments;
pub(crate) use generate::{GenerateArguments, GenerateCommand};
pub(crate) use import::{ImportCommand, ImportRecords, ImportTableArguments};
pub(crate) use instant::check_not_before_1970;
pub(crate) use packaging::PackagingArguments;
pub(crate) use record_kind::RecordKind;
pub(crate) use replay::ReplayArguments;
pub(crate) use scope::scope;
pub(crate) use serve::ServeArguments;
pub(crate) use sql::{MaxRows, OutputFormat, SqlArguments, Variable};
pub(crate) use store_address::DataDirectory;
pub(crate) use tls::{SelfSignedArguments, TlsCommand};
pub(crate) use token::{AddTokenArguments, TokenCommand};

/// Reports and SQL over the closed skill segments of a messaging contact centre.
#[derive(Debug, Parser)]
#[command(name = "skillscope", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Read options from this TOML file; the command line and the environment win over it.
    #[arg(long, global = true, value_name = "FILE.toml", display_order = 900)]
    pub(crate) config: Option<PathBuf>,
    /// The level of the log on standard error: error, warn, info, debug or trace, also for single modules.
    #[arg(long, global = true, value_name = "FILTER", default_value = "info", display_order = 901)]
    pub(crate) log: String,
    /// How lines of the log look: text for people, or an object of JSON each.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", display_order = 902)]
    pub(crate) log_format: LogFormat,
    /// The options in effect, for the log.
    #[arg(skip)]
    pub(crate) in_effect: OptionsInEffect,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve reports, ingestion and SQL over HTTP.
    Serve(ServeArguments),
    /// Load files into a data directory or a running server.
    Import {
        #[command(subcommand)]
        command: ImportCommand,
    },
    /// Make a reproducible workload.
    Generate {
        #[command(subcommand)]
        command: GenerateCommand,
    },
    /// Ask questions in SQL: in a console, or one statement with -c.
    Sql(SqlArguments),
    /// Write reports for many instants of the past from an archive, or play its segments into a server.
    Replay(ReplayArguments),
    /// Compare recorded answers of another endpoint with ours; exit with 1 if any differs.
    Compare(CompareArguments),
    /// Say who may enter a server: make tokens, list them, take them back.
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Copy a data directory, also while a server has it open.
    Backup(BackupArguments),
    /// Verify a data directory, also while a server has it open; exit with 1 if anything is wrong with it.
    Check(CheckArguments),
    /// Certificates for TLS.
    Tls {
        #[command(subcommand)]
        command: TlsCommand,
    },
    /// Write the manual and the completions of shells, as packages have them.
    #[command(hide = true)]
    Packaging(PackagingArguments),
}

/// Reads the arguments of this process, completed from the environment and the configuration file. Wrong ones end the
/// process with exit code 2.
pub(crate) fn parse() -> Arguments {
    let command = command();
    let command = match configuration::file(std::env::args_os()) {
        None => command,
        Some(path) => match configuration::with_file(command, &path) {
            Ok(command) => command,
            Err(error) => Arguments::command().error(ErrorKind::InvalidValue, format!("{error:#}")).exit(),
        },
    };
    let matches = command.get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    Arguments { in_effect: OptionsInEffect::of(Arguments::command(), &matches), ..arguments }
}

/// All commands, with the variables of the environment that give their options.
pub(crate) fn command() -> clap::Command {
    configuration::with_environment(Arguments::command())
}
