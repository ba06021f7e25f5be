//! What the first bytes of an input show: how its text is encoded, and that it is something else than it was said to
//! be.

use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};

use bytes::Bytes;

use super::utf16::Utf16;
use super::{Compression, Format, Input, buffered};
use crate::{Error, Result};

/// As many bytes are looked at. The first that is not blank is hardly ever behind them.
const SHOWN_BYTES: usize = 64;

const UTF8_MARK: &[u8] = "\u{feff}".as_bytes();

const GZIP: &[u8] = &[0x1F, 0x8B];
const ZSTD: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];
const PARQUET: &[u8] = b"PAR1";
pub(super) const ARROW_FILE: &[u8] = b"ARROW1";
const ARROW_STREAM: &[u8] = &[0xFF; 4];

/// What nobody asks for, and what people send all the same.
const OTHERS: [(&[u8], &str); 8] = [
    (b"PK\x03\x04", "a zip archive, as spreadsheets are"),
    (b"BZh", "compressed with bzip2"),
    (&[0xFD, b'7', b'z', b'X', b'Z', 0], "compressed with xz"),
    (&[0x04, 0x22, 0x4D, 0x18], "compressed with lz4"),
    (&[0xFF, 0xFE, 0, 0], "text in UTF-32"),
    (&[0, 0, 0xFE, 0xFF], "text in UTF-32"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
];

impl Input {
    /// The first bytes of the input, and the input with them.
    ///
    /// # Errors
    /// [`Error::Io`] where they cannot be read.
    pub fn peeked(self) -> Result<(Vec<u8>, Self)> {
        match self {
            Self::Bytes(bytes) => {
                let first = bytes.get(..SHOWN_BYTES).unwrap_or(&bytes).to_vec();
                Ok((first, Self::Bytes(bytes)))
            }
            Self::File(mut file) => {
                let first = first_of(&mut file)?;
                match file.seek(SeekFrom::Start(0)) {
                    Ok(_) => Ok((first, Self::File(file))),
                    // A pipe.
                    Err(_) => Ok((first.clone(), Self::Stream(Box::new(Cursor::new(first).chain(file))))),
                }
            }
            Self::Stream(mut stream) => {
                let first = first_of(&mut stream)?;
                Ok((first.clone(), Self::Stream(Box::new(Cursor::new(first).chain(stream)))))
            }
        }
    }

    /// The same input, decompressed as its first bytes say, whatever its name says. What was compressed twice is
    /// decompressed twice.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, or the decoder cannot be created.
    pub fn unpacked(mut self) -> Result<Self> {
        for _ in 0..2 {
            let (first, input) = self.peeked()?;
            self = match Compression::of(&first) {
                Compression::None => return Ok(input),
                compression => input.decompressed(compression)?,
            };
        }
        Ok(self)
    }
}

impl Compression {
    /// The compression that the first bytes of an input show.
    pub fn of(first: &[u8]) -> Self {
        if first.starts_with(GZIP) {
            Self::Gzip
        } else if first.starts_with(ZSTD) {
            Self::Zstd
        } else {
            Self::None
        }
    }
}

impl Format {
    /// The format that the first bytes of segments show, if they show one.
    pub fn of(first: &[u8]) -> Option<Self> {
        if first.starts_with(PARQUET) {
            return Some(Self::Parquet);
        }
        if first.starts_with(ARROW_FILE) || first.starts_with(ARROW_STREAM) {
            return Some(Self::Arrow);
        }
        // Text in UTF-16, too.
        let is_blank = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, 0 | 0xEF | 0xBB | 0xBF | 0xFE | 0xFF);
        match first.iter().find(|byte| !is_blank(byte)) {
            Some(b'[') => Some(Self::Json),
            Some(b'{') => Some(Self::Ndjson),
            _ => None,
        }
    }
}

/// An input of text as UTF-8, without a mark of its encoding.
///
/// # Errors
/// [`Error::Unreadable`] where its first bytes show that it is no text.
pub(super) fn text(input: Input, format: &'static str) -> Result<BufReader<Box<dyn Read>>> {
    let (first, input) = match input.peeked() {
        Ok(peeked) => peeked,
        Err(error) => return Err(Error::Unreadable { format, reason: error.to_string() }),
    };
    if let Some(what) = what_else(&first) {
        return Err(Error::Unreadable { format, reason: what });
    }
    let mark = if first.starts_with(UTF8_MARK) { UTF8_MARK.len() } else { 0 };
    let input: Box<dyn Read> = match (input, utf16(&first)) {
        (input, Some((is_big_endian, mark))) => Box::new(Utf16::new(without(input, mark).into_read(), is_big_endian)),
        (input, None) => without(input, mark).into_read(),
    };
    Ok(buffered(input))
}

/// Says that an input is something else than segments in a format of columns, if its first bytes show that.
pub(super) fn other_than(format: Format, first: &[u8]) -> Option<String> {
    let is_text = !first.iter().take(4).any(|byte| *byte == 0);
    match Format::of(first) {
        Some(found) if found == format => None,
        Some(found @ (Format::Json | Format::Ndjson)) if is_text => {
            Some(format!("it looks like JSON ({})", found.name()))
        }
        _ => what_else(first),
    }
}

/// What an input is that is no text in UTF-8 or UTF-16.
fn what_else(first: &[u8]) -> Option<String> {
    let told = match Compression::of(first) {
        Compression::Gzip => Some("compressed with gzip, and this was not told (.gz, Content-Encoding: gzip)"),
        Compression::Zstd => Some("compressed with zstd, and this was not told (.zst, Content-Encoding: zstd)"),
        Compression::None => match Format::of(first) {
            Some(Format::Parquet) => Some("a Parquet file"),
            Some(Format::Arrow) => Some("an Arrow file or stream"),
            _ => OTHERS.iter().find(|(magic, _)| first.starts_with(magic)).map(|(_, what)| *what),
        },
    };
    told.map(|what| format!("it is {what}"))
}

/// Whether text is in UTF-16: the order of its bytes, and the length of its mark. JSON without a mark begins with two
/// characters of ASCII.
fn utf16(first: &[u8]) -> Option<(bool, usize)> {
    match first {
        [0xFF, 0xFE, ..] => Some((false, 2)),
        [0xFE, 0xFF, ..] => Some((true, 2)),
        [1..=255, 0, 1..=255, 0, ..] => Some((false, 0)),
        [0, 1..=255, 0, 1..=255, ..] => Some((true, 0)),
        _ => None,
    }
}

fn without(input: Input, bytes: usize) -> Input {
    match input {
        input if bytes == 0 => input,
        Input::Bytes(all) => Input::Bytes(all.get(bytes..).map(|rest| all.slice_ref(rest)).unwrap_or_default()),
        input => {
            let mut stream = input.into_read();
            let mut mark = vec![0; bytes];
            // The bytes have been seen.
            match stream.read_exact(&mut mark) {
                Ok(()) => Input::Stream(stream),
                Err(_) => Input::Bytes(Bytes::new()),
            }
        }
    }
}

/// The first bytes of a stream. One that fails behind them does so when it is read on.
fn first_of(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut first = Vec::new();
    match stream.take(SHOWN_BYTES as u64).read_to_end(&mut first) {
        Err(error) if first.is_empty() => Err(error),
        _ => Ok(first),
    }
}
