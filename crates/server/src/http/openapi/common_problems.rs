//! What every route may answer, whatever it is asked for.

use utoipa::openapi::{OpenApi, PathItem};

use super::problem_response;

const PROBLEMS: [(u16, &str); 5] = [
    (400, "The request is malformed."),
    (403, "A web page of another origin asks."),
    (414, "The URL is too long."),
    (421, "The host that the request names is none of the server's own, and there are no tokens."),
    (431, "The headers are too large."),
];

/// Adds to the description of every route what it may answer like any other. What it says itself stays.
pub(in crate::http) fn describe_common_problems(document: &mut OpenApi) {
    for PathItem { get, post, .. } in document.paths.paths.values_mut() {
        for operation in [get, post].into_iter().flatten() {
            for (status, description) in PROBLEMS {
                let (status, problem) = problem_response(status, description);
                operation.responses.responses.entry(status).or_insert(problem);
            }
        }
    }
}
