//! The commands of the console, which begin with a backslash.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use super::arguments::words;
use super::script::{Begun, Flow, Origin, run_text};
use super::state::State;
use super::variables::Variables;
use super::{copy, describe, edit, watch};
use crate::arguments::{MaxRows, OutputFormat};
use crate::output;

/// The most files that are read within one another.
const MOST_FILES: usize = 16;

/// The largest file that is read.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The commands, each with its arguments and what it does.
const COMMANDS: [(&str, &str, &str); 26] = [
    ("d", "[NAME]", "tables and views, or columns of one"),
    ("dt", "[NAME]", "tables; * in a name is any text"),
    ("dv", "[NAME]", "views"),
    ("df", "[NAME]", "functions that are there beside DataFusion's, or those of this name"),
    ("accounts", "", "how far the data of each account go, and when something came last"),
    ("c", "[ACCOUNT]", "rows of this account alone; of all without one"),
    ("i", "FILE", "run the statements and commands of a file"),
    ("ir", "FILE", "the same, where the name begins at the folder of the file that says so"),
    ("e", "[FILE]", "write a statement in an editor ($VISUAL, $EDITOR), and run it"),
    ("watch", "[SECONDS]", "run the statement again and again, every 2 s, until Ctrl-C; c=N for N times"),
    ("g", "[FILE]", "run the statement; with FILE, write the answer there"),
    ("gx", "[FILE]", "the same with a line for each value"),
    ("p", "", "show the statement that has begun, or the last one"),
    ("r", "", "forget the statement that has begun"),
    ("set", "[NAME VALUE]", "let :name, :'name' and :\"name\" stand for a value; alone, list them"),
    ("unset", "NAME", "forget a value"),
    (
        "copy",
        "(QUERY) to FILE",
        "write rows to a file; a table's name may stand for the query, and a format at the end",
    ),
    ("o", "[FILE]", "write answers to a file, in the format that its name tells; alone, to the terminal again"),
    ("format", "NAME", "table, box, markdown, csv, json, ndjson or parquet"),
    ("x", "[on|off]", "a line for each value, or a line for each row again"),
    ("maxrows", "N", "how many rows a table shows; all for every one"),
    ("timing", "[on|off]", "tell how long each statement takes, or stop telling"),
    ("echo", "TEXT", "write a text"),
    ("q", "", "leave, as exit and quit do"),
    ("?", "", "this list"),
    ("h", "", "the same"),
];

/// The names of the commands with their backslashes.
pub(super) fn names() -> impl Iterator<Item = String> {
    COMMANDS.iter().map(|(name, ..)| format!("\\{name}"))
}

/// The text that `\?` shows.
fn help() -> String {
    let lines = COMMANDS.iter().filter(|(name, ..)| *name != "h").map(|(name, arguments, text)| {
        let command = format!("\\{name} {arguments}");
        format!("{command:<22} {text}")
    });
    let lines: Vec<String> = lines.collect();
    let end = "Statements end with a semicolon and may take several lines. Ctrl-C ends the one that runs.";
    format!("{}\n{end}", lines.join("\n"))
}

/// Runs a command. `text` is the line without its backslash.
pub(super) fn run(state: &mut State, text: &str) -> Result<Flow> {
    let text = text.trim().trim_end_matches(';').trim_end();
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = state.variables.interpolated(rest.trim());
    match name {
        "q" => return Ok(Flow::Leave),
        "i" | "include" => return include(state, &one(name, &rest)?, Path::new("")),
        "ir" | "include_relative" => {
            let folder = state.folder.clone();
            return include(state, &one(name, &rest)?, &folder);
        }
        "e" | "edit" => return edit::edit(state, &rest),
        "d" | "d+" => describe::describe(state, &rest)?,
        "dt" | "dt+" => describe::tables(state, &rest, "BASE TABLE")?,
        "dv" | "dv+" => describe::tables(state, &rest, "VIEW")?,
        "df" | "df+" => describe::functions(state, &rest)?,
        "accounts" => describe::accounts(state)?,
        "c" | "connect" => state.see(rest.trim())?,
        "watch" => watch::watch(state, &rest)?,
        "g" => go(state, &rest, false)?,
        "gx" => go(state, &rest, true)?,
        "copy" => copy::copy(state, &rest)?,
        "p" | "print" => output::print(state.begun_or_last().trim()),
        "r" | "reset" => state.begun = Begun::default(),
        "set" => set(state, &rest)?,
        "unset" => {
            let name = one("unset", &rest)?;
            if !state.variables.unset(&name) {
                bail!("no value has the name {name}; \\set lists those that have one");
            }
        }
        "echo" => output::print(&words(&rest)?.join(" ")),
        "?" | "h" | "help" => output::print(&help()),
        _ => setting(state, name, &rest)?,
    }
    Ok(Flow::GoOn)
}

/// The commands that change how answers are written.
fn setting(state: &mut State, name: &str, argument: &str) -> Result<()> {
    let settings = &mut state.settings;
    match (name, argument) {
        ("x", choice) => {
            settings.is_expanded = switched(settings.is_expanded, name, choice)?;
            output::print(if settings.is_expanded { "a line for each value" } else { "a line for each row" });
        }
        ("timing", choice) => {
            settings.has_timing = switched(settings.has_timing, name, choice)?;
            output::print(if settings.has_timing { "timing is on" } else { "timing is off" });
        }
        ("format", name) => match OutputFormat::from_str(name, true) {
            Ok(format) => settings.format = format,
            Err(_) => bail!("\\format is one of {}", OutputFormat::names()),
        },
        ("maxrows", number) => settings.max_rows = number.parse::<MaxRows>().map_err(anyhow::Error::msg)?.0,
        ("o", "") => settings.file = None,
        ("o", file) => settings.file = Some(PathBuf::from(one("o", file)?)),
        (other, _) => bail!("there is no command \\{other}; \\? tells which there are"),
    }
    Ok(())
}

fn switched(now: bool, name: &str, choice: &str) -> Result<bool> {
    match choice {
        "" => Ok(!now),
        "on" => Ok(true),
        "off" => Ok(false),
        _ => bail!("\\{name} is on or off, or the other of the two without a word"),
    }
}

/// The one word that a command takes.
fn one(name: &str, text: &str) -> Result<String> {
    match <[String; 1]>::try_from(words(text)?) {
        Ok([word]) => Ok(word),
        Err(words) => bail!("\\{name} takes one word, and not {}", words.len()),
    }
}

fn set(state: &mut State, text: &str) -> Result<()> {
    let words = words(text)?;
    let Some((name, values)) = words.split_first() else {
        state.variables.iter().for_each(|(name, value)| output::print(&format!("{name} = {value}")));
        return Ok(());
    };
    if !Variables::is_name(name) {
        bail!("{name} is no name for a value: that has letters, digits and _ alone");
    }
    state.variables.set(name, values.concat());
    Ok(())
}

/// Runs the statement that has begun, or the last one again.
fn go(state: &mut State, file: &str, is_expanded: bool) -> Result<()> {
    let text = state.take_begun_or_last();
    let before = state.settings.clone();
    state.settings.is_expanded |= is_expanded;
    if !file.is_empty() {
        state.settings.file = Some(PathBuf::from(one("g", file)?));
    }
    let done = state.run_statement(&text);
    state.settings = before;
    done
}

/// Runs what is in a file, whose name begins at `folder`.
fn include(state: &mut State, file: &str, folder: &Path) -> Result<Flow> {
    let path = folder.join(file);
    if state.open_files >= MOST_FILES {
        bail!("{}: files are read within one another {MOST_FILES} deep at most", path.display());
    }
    let text = read(&path)?;
    let outer = std::mem::replace(&mut state.folder, path.parent().unwrap_or(Path::new("")).to_owned());
    state.open_files += 1;
    let done = run_text(state, Origin::File(&path.display().to_string()), &text);
    state.open_files -= 1;
    state.folder = outer;
    done
}

/// Runs the file of the option `-f`, which is standard input where it is called `-`.
pub(super) fn run_file(state: &mut State, file: &Path) -> Result<Flow> {
    if file == Path::new("-") {
        return super::run_standard_input(state);
    }
    include(state, &file.display().to_string(), Path::new(""))
}

/// Reads a text of a size that a script has.
fn read(path: &Path) -> Result<String> {
    let cannot = || format!("cannot read {}", path.display());
    let metadata = std::fs::metadata(path).with_context(cannot)?;
    if metadata.len() > MAX_FILE_BYTES {
        bail!("{} has more than {} MiB, and is no script", path.display(), MAX_FILE_BYTES >> 20);
    }
    std::fs::read_to_string(path).with_context(cannot)
}
