//! Text in UTF-16, read as UTF-8: some programs of Windows write it.

use std::io::{self, Read};

/// A reader of text in UTF-16. It gives UTF-8.
pub(super) struct Utf16<R> {
    inner: R,
    is_big_endian: bool,
    /// Bytes of a character that has not come whole.
    begun: Vec<u8>,
    text: Vec<u8>,
    place: usize,
}

impl<R: Read> Utf16<R> {
    pub(super) fn new(inner: R, is_big_endian: bool) -> Self {
        Self { inner, is_big_endian, begun: Vec::new(), text: Vec::new(), place: 0 }
    }

    /// Reads on, until there is text or the end.
    fn fill(&mut self) -> io::Result<()> {
        const PIECE_BYTES: usize = 1 << 14;
        (self.place, self.text) = (0, Vec::new());
        let mut piece = vec![0; PIECE_BYTES];
        while self.text.is_empty() {
            let read = self.inner.read(&mut piece)?;
            if read == 0 {
                return if self.begun.is_empty() { Ok(()) } else { Err(invalid()) };
            }
            self.begun.extend_from_slice(piece.get(..read).unwrap_or_default());
            self.decode()?;
        }
        Ok(())
    }

    fn decode(&mut self) -> io::Result<()> {
        let unit = |pair: [u8; 2]| if self.is_big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) };
        let (pairs, _) = self.begun.as_chunks::<2>();
        let mut units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        // The second half of a character may be still to come.
        units.pop_if(|last| (0xD800..0xDC00).contains(last));
        let text: String =
            char::decode_utf16(units.iter().copied()).collect::<Result<_, _>>().map_err(|_| invalid())?;
        self.begun.drain(..2 * units.len());
        self.text = text.into_bytes();
        Ok(())
    }
}

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is no valid UTF-16")
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.place == self.text.len() {
            self.fill()?;
        }
        let read = self.text.get(self.place..).unwrap_or_default().read(buffer)?;
        self.place += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A reader that gives one byte at a time.
    struct Dripping<'b>(&'b [u8]);

    impl Read for Dripping<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(1);
            self.0.read(&mut buffer[..length])
        }
    }

    proptest! {
        #[test]
        fn text_comes_back(text in "\\PC{0,40}", is_big_endian in any::<bool>()) {
            let bytes = |unit: u16| if is_big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
            let encoded: Vec<u8> = text.encode_utf16().flat_map(bytes).collect();
            let mut read = String::new();
            Utf16::new(Dripping(&encoded), is_big_endian).read_to_string(&mut read).unwrap();
            prop_assert_eq!(read, text);
        }
    }

    #[test]
    fn half_a_character_is_told() {
        for half in [&[0x3D, 0xD8][..], &[0x3D], &[0, 0xDC, 0x41, 0]] {
            let mut read = String::new();
            assert!(Utf16::new(half, false).read_to_string(&mut read).is_err(), "{half:?}");
        }
    }
}
