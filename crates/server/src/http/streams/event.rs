//! The text of events.

use axum::body::Bytes;

use super::super::problem::Problem;

/// What a stream begins with: after how many milliseconds a client that lost it asks again.
pub(super) const BEGINNING: &[u8] = b"retry: 2000\n\n";

/// A comment, by which proxies and clients see that a quiet stream is there.
pub(super) const HEARTBEAT: &[u8] = b": still here\n\n";

/// An event called `name` with the answer at the instant `at` (milliseconds since the epoch), which `write` appends in
/// one line.
pub(in crate::http) fn event(name: &str, at: i64, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut text = format!("event: {name}\nid: {at}\ndata: ").into_bytes();
    write(&mut text);
    text.extend_from_slice(b"\n\n");
    text
}

/// The event in place of an answer that there is not this time. A browser would take one called `error` for a lost
/// connection.
pub(super) fn problem(problem: &Problem) -> Bytes {
    of_problem("problem", problem)
}

/// The last event of a stream, which says why it ends.
pub(super) fn end(problem: &Problem) -> Bytes {
    of_problem("end", problem)
}

fn of_problem(name: &str, problem: &Problem) -> Bytes {
    let data = serde_json::to_string(problem).unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n").into()
}
