//! What a document has its reader do.

use std::iter::once;

/// One thing to do, and the line of the document that says so.
pub(super) struct Step {
    pub(super) line: usize,
    pub(super) action: Action,
}

pub(super) enum Action {
    /// Type a command, which prints the lines shown.
    Type { command: String, shown: Vec<String> },
    /// Run a Python script, which prints the lines shown.
    RunPython { script: String, shown: Vec<String> },
    /// Write a file.
    Write { name: String, text: String },
    /// End the servers that run.
    EndServers,
    /// Nothing that could be done: the document is wrong.
    Nothing,
}

/// Takes a document apart.
pub(super) fn steps(document: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut prose = String::new();
    let mut lines = (1..).zip(document.lines()).chain(once((0, "```text")));
    while let Some((line, text)) = lines.next() {
        let Some(language) = text.strip_prefix("```") else {
            prose.extend([text, " "]);
            continue;
        };
        if prose.contains("with Ctrl-C") {
            steps.push(Step { line, action: Action::EndServers });
        }
        let block = lines.by_ref().take_while(|(_, text)| *text != "```").collect::<Vec<_>>();
        match (language, file_name(&prose)) {
            ("console", _) => steps.extend(commands(&block)),
            ("python", _) => steps.push(Step { line, action: script(&block) }),
            (_, Some(name)) => {
                let text = block.iter().flat_map(|(_, text)| [text, "\n"]).collect();
                steps.push(Step { line, action: Action::Write { name, text } });
            }
            ("text", None) => {}
            _ => steps.push(Step { line, action: Action::Nothing }),
        }
        prose.clear();
    }
    steps
}

/// The file that prose such as "Write `a.ndjson`:" ends with.
fn file_name(prose: &str) -> Option<String> {
    let (_, name) = prose.trim_end().strip_suffix("`:")?.rsplit_once('`')?;
    Some(name.to_owned())
}

/// The commands of a `console` block. What stands before the first is none, and so shows up as one that is not known.
fn commands(block: &[(usize, &str)]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = block.iter();
    while let Some((line, text)) = lines.next() {
        match (text.strip_prefix("$ "), steps.last_mut()) {
            (None, Some(Step { action: Action::Type { shown, .. }, .. })) => shown.push((*text).to_owned()),
            (start, _) => {
                let mut command = start.unwrap_or(text).to_owned();
                while is_open(&command)
                    && let Some((_, text)) = lines.next()
                {
                    command.extend(["\n", text]);
                }
                steps.push(Step { line: *line, action: Action::Type { command, shown: Vec::new() } });
            }
        }
    }
    steps
}

/// Whether a command goes on in the next line.
fn is_open(command: &str) -> bool {
    let is_odd = |quote| command.matches(quote).count() % 2 == 1;
    command.ends_with('\\') || is_odd('"') || is_odd('\'')
}

/// A `python` block, whose last comments are what it prints.
fn script(block: &[(usize, &str)]) -> Action {
    let is_comment = |(_, text): &&(usize, &str)| text.starts_with('#');
    let shown = block.iter().rev().take_while(is_comment).count();
    let (script, shown) = block.split_at(block.len() - shown);
    Action::RunPython {
        script: script.iter().flat_map(|(_, text)| [text, "\n"]).collect(),
        shown: shown.iter().map(|(_, text)| text.trim_start_matches("# ").to_owned()).collect(),
    }
}
