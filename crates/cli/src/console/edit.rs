//! `\e`: a statement that is written in an editor.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::Builder;

use super::arguments::words;
use super::script::{Flow, Origin, run_text};
use super::state::State;
use crate::output;

/// The editor where none is named.
const EDITOR: &str = "vi";

/// Opens the statement that has begun, or the last one, or a file, in an editor, and runs what is there afterwards.
pub(super) fn edit(state: &mut State, text: &str) -> Result<Flow> {
    if !state.is_interactive {
        bail!("\\e needs a person at a terminal");
    }
    let file = words(text)?.into_iter().next().map(PathBuf::from);
    let statement = state.take_begun_or_last();
    let temporary =
        Builder::new().prefix("statement").suffix(".sql").tempfile().context("cannot make a file to edit")?;
    let path = file.as_deref().unwrap_or_else(|| temporary.path());
    if file.is_none() {
        writeln!(temporary.as_file(), "{}", statement.trim_end()).context("cannot write the file to edit")?;
    }
    let editor = ["VISUAL", "EDITOR"].into_iter().find_map(|name| std::env::var(name).ok().filter(|it| !it.is_empty()));
    let editor = editor.unwrap_or_else(|| EDITOR.to_owned());
    // Its value may have options.
    let mut parts = editor.split_whitespace();
    let program = parts.next().unwrap_or(EDITOR);
    let status = Command::new(program).args(parts).arg(path).status();
    let status = status.with_context(|| format!("cannot start {program}; $VISUAL or $EDITOR names an editor"))?;
    if !status.success() {
        bail!("{program} ended with {status}, and nothing is run");
    }
    let edited = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    output::print(edited.trim_end());
    run_text(state, Origin::Typed, &edited)
}
