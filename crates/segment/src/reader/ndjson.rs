//! Reads lines of NDJSON.

use std::io::{self, BufRead, Read};

use crate::Error;

/// The longest line, in bytes. A longer one is rejected and skipped, so that no input can use up all memory.
const MAX_LINE_BYTES: usize = 1 << 20;

/// Passes each line that is not empty to `take`, with its 1-based number. A line that is too long is passed as an
/// error, and so is the [`Error::Io`] that ends the input.
pub(super) fn read<E>(
    mut input: impl BufRead,
    mut take: impl FnMut(u64, crate::Result<&[u8]>) -> Result<(), E>,
) -> Result<(), E> {
    let mut line = Vec::new();
    for number in 1.. {
        match next_line(&mut input, &mut line) {
            Ok(Line::End) => break,
            Ok(Line::TooLong) => take(number, Err(Error::RecordTooLong { limit: MAX_LINE_BYTES }))?,
            Ok(Line::Complete) => {
                if !line.trim_ascii().is_empty() {
                    take(number, Ok(line.as_slice()))?;
                }
            }
            Err(error) => return take(number, Err(Error::Io(error))),
        }
    }
    Ok(())
}

enum Line {
    Complete,
    TooLong,
    End,
}

fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    let limit = MAX_LINE_BYTES + 1;
    let read = input.by_ref().take(limit as u64).read_until(b'\n', line)?;
    if read == 0 {
        return Ok(Line::End);
    }
    if read == limit && !line.ends_with(b"\n") {
        input.skip_until(b'\n')?;
        return Ok(Line::TooLong);
    }
    Ok(Line::Complete)
}
