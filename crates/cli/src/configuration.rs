//! Options from elsewhere than the command line: every option `--some-option` is `SKILLSCOPE_SOME_OPTION` in the
//! environment and `some-option = …` in the configuration file, where a table `[serve]` holds those of one command.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Arg, Command};
use toml::{Table, Value};

/// Lets every option be given in the environment.
pub(crate) fn with_environment(command: Command) -> Command {
    let command = command.mut_args(|argument| match option_name(&argument) {
        Some(name) => {
            let variable = format!("SKILLSCOPE_{}", name.replace('-', "_").to_uppercase());
            argument.env(variable).hide_env_values(true)
        }
        None => argument,
    });
    command.mut_subcommands(with_environment)
}

/// The configuration file that the arguments or the environment name. It is needed before the arguments are parsed,
/// because it says what their defaults are.
pub(crate) fn file(arguments: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    let mut arguments = arguments.take_while(|argument| argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument.to_str().and_then(|text| text.strip_prefix("--config=")) {
            return Some(PathBuf::from(path));
        }
    }
    std::env::var_os("SKILLSCOPE_CONFIG").map(PathBuf::from)
}

/// Makes what the file says the defaults of the options.
pub(crate) fn with_file(command: Command, path: &Path) -> Result<Command> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let table = text.parse::<Table>().with_context(|| format!("{} is no TOML", path.display()))?;
    with_table(command, &table).with_context(|| format!("in {}", path.display()))
}

fn with_table(command: Command, table: &Table) -> Result<Command> {
    let known: BTreeSet<String> = names(&command);
    for (key, value) in table {
        let is_known = if value.is_table() { command.find_subcommand(key).is_some() } else { known.contains(key) };
        if !is_known {
            let options: Vec<&str> = known.iter().map(String::as_str).collect();
            bail!("there is no option {key}; options here are {}", options.join(", "));
        }
    }
    apply(command, table)
}

/// The options of a command and of all commands below it.
fn names(command: &Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter_map(option_name).filter(|name| name != "config");
    let below = command.get_subcommands().flat_map(names);
    own.chain(below).collect()
}

fn apply(mut command: Command, table: &Table) -> Result<Command> {
    for (key, value) in table.iter().filter(|(_, value)| !value.is_table()) {
        let defaults = texts(value).with_context(|| format!("{key} has a value that no option takes"))?;
        command = command.mut_args(|argument| match option_name(&argument) {
            Some(name) if name == *key => argument.default_values(defaults.clone()).required(false),
            _ => argument,
        });
    }
    let mut outcome = Ok(());
    let command = command.mut_subcommands(|below| {
        let own = table.get(below.get_name()).and_then(Value::as_table);
        let general = table.iter().filter(|(_, value)| !value.is_table());
        let mut inherited: Table = general.map(|(key, value)| (key.clone(), value.clone())).collect();
        let before = below.clone();
        let applied = match own {
            Some(own) => with_table(below, own).map(|below| {
                inherited.retain(|key, _| !own.contains_key(key));
                below
            }),
            None => Ok(below),
        };
        applied.and_then(|below| apply(below, &inherited)).unwrap_or_else(|error| {
            outcome = Err(error);
            before
        })
    });
    outcome.map(|()| command)
}

/// An option's value as the texts that the command line would have.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Integer(number) => Some(vec![number.to_string()]),
        Value::Boolean(flag) => Some(vec![flag.to_string()]),
        Value::Datetime(time) => Some(vec![time.to_string()]),
        Value::Array(values) => {
            let texts: Option<Vec<Vec<String>>> = values.iter().map(texts).collect();
            texts.map(|texts| texts.concat())
        }
        Value::Float(_) | Value::Table(_) => None,
    }
}

/// The name of an option that takes a value or is a switch; `None` for operands, `--help` and `--version`.
fn option_name(argument: &Arg) -> Option<String> {
    argument.get_long().filter(|name| !matches!(*name, "help" | "version")).map(str::to_owned)
}
