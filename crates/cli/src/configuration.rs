//! Options from the environment and the configuration file. The option `--some-option` is `SKILLSCOPE_SOME_OPTION` in
//! the environment, and `some-option = …` in the file. There, a table such as `[serve]` holds the options of one
//! command.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::builder::BoolishValueParser;
use clap::{Arg, ArgAction, Command};
use toml::{Table, Value};

use crate::nearest::nearest;

/// What the names of all variables begin with.
const PREFIX: &str = "SKILLSCOPE_";

/// Lets the environment give every option.
pub(crate) fn with_environment(command: Command) -> Command {
    let command = command.mut_args(|argument| {
        let Some(name) = option_name(&argument) else { return argument };
        let variable = format!("{PREFIX}{}", name.replace('-', "_").to_uppercase());
        let argument = argument.env(variable).hide_env_values(true);
        match argument.get_action() {
            ArgAction::SetTrue => argument.value_parser(BoolishValueParser::new()),
            _ => argument,
        }
    });
    command.mut_subcommands(with_environment)
}

/// Warns of variables that look like options and are none: a mistyped one would have no effect, without a word.
pub(crate) fn warn_of_unknown_variables(command: &Command) {
    let known = variables(command);
    for name in std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()) {
        if !name.starts_with(PREFIX) || known.contains(&name) {
            continue;
        }
        match nearest(&name, known.iter().map(String::as_str)) {
            Some(meant) => tracing::warn!("the variable {name} is no option, and has no effect; is {meant} meant?"),
            None => tracing::warn!("the variable {name} is no option, and has no effect"),
        }
    }
}

/// The variables that give the options of a command and of all its subcommands.
fn variables(command: &Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter_map(|argument| argument.get_env()?.to_str()).map(str::to_owned);
    own.chain(command.get_subcommands().flat_map(variables)).collect()
}

/// The configuration file that the arguments or the environment name. It is looked for before the arguments are parsed,
/// because it holds their defaults.
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

/// Makes the values in the file the defaults of the options.
pub(crate) fn with_file(command: Command, path: &Path) -> Result<Command> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let table = text.parse::<Table>().with_context(|| format!("{} is no TOML", path.display()))?;
    with_table(command, &table).with_context(|| format!("in {}", path.display()))
}

fn with_table(command: Command, table: &Table) -> Result<Command> {
    check(&command, table)?;
    Ok(with_defaults(command, &Table::new(), table))
}

/// Checks that every key is an option of the command or of a subcommand, or a table for a subcommand.
fn check(command: &Command, table: &Table) -> Result<()> {
    let known = options(command);
    for (key, value) in table {
        match (value.as_table(), command.find_subcommand(key)) {
            (Some(own), Some(below)) => check(below, own)?,
            (None, _) if known.contains(key) => {
                texts(value).with_context(|| format!("{key} has a value that no option takes"))?;
            }
            _ => {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                bail!("there is no option {key} here; there are {}", known.join(", "));
            }
        }
    }
    Ok(())
}

/// The options of a command and of all its subcommands.
fn options(command: &Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter_map(option_name).filter(|name| name != "config");
    own.chain(command.get_subcommands().flat_map(options)).collect()
}

/// Makes the values in `own` the defaults of the command's options; an option that has none there takes it from
/// `inherited`.
fn with_defaults(mut command: Command, inherited: &Table, own: &Table) -> Command {
    let mut values = inherited.clone();
    values.extend(own.iter().filter(|(_, value)| !value.is_table()).map(|(key, value)| (key.clone(), value.clone())));
    command = command.mut_args(|argument| match option_name(&argument).and_then(|name| values.get(&name)) {
        Some(value) => argument.default_values(texts(value).unwrap_or_default()).required(false),
        None => argument,
    });
    command.mut_subcommands(|below| {
        let of_below = own.get(below.get_name()).and_then(Value::as_table).cloned().unwrap_or_default();
        with_defaults(below, &values, &of_below)
    })
}

/// The texts that would give this value on the command line; `None` if no option takes such a value.
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
