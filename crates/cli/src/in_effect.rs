//! The options in effect, as a line of the log tells them when a server starts.

use std::borrow::Cow;

use clap::{ArgMatches, Command};

/// The last word of the name of an option that is a secret.
const SECRETS: [&str; 3] = ["token", "password", "secret"];

/// The options of the command that was called, each as it would be written on the command line. Values of secrets are
/// left out.
#[derive(Debug, Clone, Default)]
pub(crate) struct OptionsInEffect {
    /// Those that are not as they are by themselves: what differs from one server to the next.
    pub(crate) given: String,
    /// The others, where they have a value.
    pub(crate) defaults: String,
}

impl OptionsInEffect {
    /// Those of the innermost command that `matches` are of. `command` is the whole program's, as it is without
    /// environment and file.
    pub(crate) fn of(mut command: Command, mut matches: &ArgMatches) -> Self {
        command.build();
        let mut command = &command;
        while let Some((name, below)) = matches.subcommand()
            && let Some(called) = command.find_subcommand(name)
        {
            (command, matches) = (called, below);
        }
        let (mut given, mut defaults) = (Vec::new(), Vec::new());
        for argument in command.get_arguments() {
            let Some(option) = argument.get_long() else { continue };
            let Ok(Some(values)) = matches.try_get_raw(argument.get_id().as_str()) else { continue };
            let values: Vec<Cow<'_, str>> = values.map(|value| value.to_string_lossy()).collect();
            let is_default =
                argument.get_default_values().iter().map(|value| value.to_string_lossy()).eq(values.clone());
            let is_secret = SECRETS.iter().any(|secret| option.rsplit('-').next() == Some(secret));
            let text = if is_secret { "…".to_owned() } else { values.join(",") };
            if is_default { &mut defaults } else { &mut given }.push(format!("--{option} {text}"));
        }
        Self { given: given.join(" "), defaults: defaults.join(" ") }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction};

    use super::*;

    fn command() -> Command {
        let listen = Arg::new("listen").long("listen").default_value("127.0.0.1:8080");
        let token = Arg::new("token").long("token");
        let insecure = Arg::new("insecure").long("insecure").action(ArgAction::SetTrue);
        let retain = Arg::new("retain").long("retain").action(ArgAction::Append);
        Command::new("skillscope").subcommand(Command::new("serve").args([listen, token, insecure, retain]))
    }

    #[test]
    fn what_was_given_stands_apart_and_secrets_are_left_out() {
        let arguments = ["skillscope", "serve", "--token", "s3cret", "--retain", "1d", "--retain", "a=2d"];
        let matches = command().get_matches_from(arguments);
        let options = OptionsInEffect::of(command(), &matches);
        assert_eq!(options.given, "--token … --retain 1d,a=2d");
        assert_eq!(options.defaults, "--listen 127.0.0.1:8080 --insecure false");
    }

    #[test]
    fn what_a_file_says_is_given() {
        let with_file = command()
            .mut_subcommand("serve", |serve| serve.mut_arg("listen", |listen| listen.default_value("127.0.0.1:9000")));
        let matches = with_file.get_matches_from(["skillscope", "serve"]);
        assert_eq!(OptionsInEffect::of(command(), &matches).given, "--listen 127.0.0.1:9000");
    }
}
