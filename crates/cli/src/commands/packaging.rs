//! The hidden command `packaging`: writes what packages have beside the program, from the options themselves.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap_complete::Shell;

use crate::arguments::{self, PackagingArguments};

/// The program's name, under which its manual and completions are found.
const NAME: &str = "skillscope";

/// Writes manual pages and the completions of shells.
pub(crate) fn run(arguments: &PackagingArguments) -> Result<ExitCode> {
    let (pages, completions) = (arguments.out.join("man"), arguments.out.join("completions"));
    for folder in [&pages, &completions] {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let written = format!("cannot write to {}", arguments.out.display());
    clap_mangen::generate_to(arguments::command(), pages).with_context(|| written.clone())?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let mut command = arguments::command();
        clap_complete::generate_to(shell, &mut command, NAME, &completions).with_context(|| written.clone())?;
    }
    Ok(ExitCode::SUCCESS)
}
