//! What people read: results on standard output, complaints on standard error. A reader that has gone away is no error.

use std::io::Write;

/// Prints a line of results, at once.
pub(crate) fn print(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Tells what went wrong.
pub(crate) fn complain(message: &str) {
    let _ = writeln!(std::io::stderr().lock(), "skillscope: {message}");
}

/// A command that was used wrongly, in words that say what is right. It ends with exit code 2, and others with 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(String);

impl Usage {
    pub(crate) fn error(message: impl ToString) -> anyhow::Error {
        Self(message.to_string()).into()
    }
}
