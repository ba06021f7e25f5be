//! Asking the server that has a data directory open.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::{LINE_BYTES, Question, place};
use crate::access::AccessError;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks the server that has `folder` open, and returns what it answers behind `ok`; `None` where there is none.
///
/// # Errors
/// Where the server does not answer, or could not do what it was asked.
pub(in crate::access) fn ask(folder: &Path, question: Question) -> Result<Option<String>, AccessError> {
    let failed = |reason: String| AccessError::Control { path: folder.to_owned(), reason };
    let stream = match connect(folder) {
        // What a server left that was ended, or none.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => return Ok(None),
        connected => connected.map_err(|error| failed(error.to_string()))?,
    };
    let answer = exchange(stream, question).map_err(|error| failed(error.to_string()))?;
    match answer.trim_end().split_once(' ').unwrap_or((answer.trim_end(), "")) {
        ("ok", more) => Ok(Some(more.to_owned())),
        ("error", reason) => Err(failed(reason.to_owned())),
        _ => Err(failed("it went away without an answer".to_owned())),
    }
}

fn connect(folder: &Path) -> io::Result<UnixStream> {
    let (path, _folder) = place(folder)?;
    UnixStream::connect(path)
}

fn exchange(mut stream: UnixStream, question: Question) -> io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    writeln!(stream, "{}", question.as_str())?;
    let mut answer = String::new();
    BufReader::new(stream.take(LINE_BYTES)).read_line(&mut answer)?;
    Ok(answer)
}
