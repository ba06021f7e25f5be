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
