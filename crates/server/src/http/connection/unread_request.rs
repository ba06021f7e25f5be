//! What a client is told whose request cannot be read.

use hyper::Error;

use super::socket::HttpSocket;
use super::{MAX_HEAD_BYTES, MAX_HEADERS, MAX_URL_BYTES};
use crate::http::problem::Problem;

/// Why a request was not read, of a connection that ended with `error`, over `socket`. `None` where it ended for
/// another reason.
pub(super) fn refusal(error: &Error, socket: &HttpSocket) -> Option<Problem> {
    if error.is_parse_version_h2() {
        return Some(Problem::unknown_version("this port speaks HTTP/1.1 and HTTP/1.0, and not HTTP/2"));
    }
    if error.is_incomplete_message() && socket.is_within_head() {
        return Some(Problem::malformed("the request ends within its first line and headers"));
    }
    if !error.is_parse() {
        return None;
    }
    Some(match socket.swallowed_status()? {
        414 => Problem::url_too_long(format!(
            "a URL has at most {MAX_URL_BYTES} bytes; ask for fewer skills at a time, or for all of them"
        )),
        431 => Problem::headers_too_large(format!(
            "the first line and the headers of a request have at most {MAX_HEAD_BYTES} bytes, of which the URL has at most \
             {MAX_URL_BYTES}, and there are at most {MAX_HEADERS} headers"
        )),
        // In hyper's words, such as: invalid HTTP header parsed.
        _ => Problem::malformed(format!("the request cannot be read: {error}")),
    })
}
