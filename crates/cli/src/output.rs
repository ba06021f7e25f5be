//! Text for people: results on standard output, complaints on standard error. It is no error if nobody reads them.

use std::io::Write;

use crate::escaped::Escaped;

/// Prints a line of results, and flushes it.
pub(crate) fn print(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Prints an error message. It may quote text from outside, so each of its lines is escaped.
pub(crate) fn complain(message: &str) {
    let lines: Vec<String> = message.lines().map(|line| Escaped(line).to_string()).collect();
    let _ = writeln!(std::io::stderr().lock(), "skillscope: {}", lines.join("\n"));
}

/// A wrong use of a command, with a message that says what is right. The process ends with exit code 2 instead of 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(String);

impl Usage {
    pub(crate) fn error(message: impl ToString) -> anyhow::Error {
        Self(message.to_string()).into()
    }
}
