//! A limit on the bytes of a record, below the JSON parser.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

/// A reader that fails after too many bytes since the last [`Limit::reset`].
pub(super) struct Limited<R> {
    inner: R,
    limit: Limit,
}

/// How many bytes a [`Limited`] reader may still return.
#[derive(Clone)]
pub(super) struct Limit {
    most: u64,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Limited<R> {
    pub(super) fn new(inner: R, most: u64) -> (Self, Limit) {
        let limit = Limit { most, left: Rc::new(Cell::new(most)) };
        (Self { inner, limit: limit.clone() }, limit)
    }
}

impl Limit {
    pub(super) fn reset(&self) {
        self.left.set(self.most);
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Limit { most, left } = &self.limit;
        if left.get() == 0 {
            return Err(io::Error::other(format!("a record is longer than {most} bytes")));
        }
        let read = self.inner.read(buffer)?;
        left.set(left.get().saturating_sub(read as u64));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gives_no_more_than_its_limit_until_that_is_reset() {
        let (mut reader, limit) = Limited::new([7_u8; 100].as_slice(), 10);
        let mut bytes = [0; 4];
        for _ in 0..3 {
            assert_eq!(reader.read(&mut bytes).unwrap(), 4);
        }
        let error = reader.read(&mut bytes).unwrap_err();
        assert!(error.to_string().contains("10 bytes"), "{error}");
        limit.reset();
        assert_eq!(reader.read(&mut bytes).unwrap(), 4);
    }
}
