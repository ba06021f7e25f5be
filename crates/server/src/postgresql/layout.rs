//! Whether the body of a message is laid out as its kind says. What decodes messages takes each length and count in them
//! at its word.

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("there are fewer bytes in the message than it says")]
    Short,
    #[error("there are more bytes in the message than it says")]
    Long,
    #[error("a text in the message is not UTF-8")]
    NotText,
    #[error("the format {0} is not known; 0 is text, 1 is binary")]
    Format(u16),
    #[error("a message with {values} values has {formats} formats")]
    Formats { formats: usize, values: usize },
    #[error("{0:?} is neither a statement (S) nor a portal (P)")]
    Target(char),
}

/// Checks the body of a message of this kind.
pub(super) fn check(kind: u8, body: &[u8]) -> Result<(), Malformed> {
    let mut fields = Fields(body);
    match kind {
        b'Q' => fields.text()?,
        b'P' => {
            fields.text()?;
            fields.text()?;
            let types = fields.count()?;
            fields.skip(types.saturating_mul(4))?;
        }
        b'B' => bound(&mut fields)?,
        b'C' | b'D' => {
            let [target] = fields.array()?;
            if !b"SP".contains(&target) {
                return Err(Malformed::Target(target.into()));
            }
            fields.text()?;
        }
        b'E' => {
            fields.text()?;
            fields.skip(4)?;
        }
        // What is passed over may be anything.
        b'c' | b'd' | b'f' | b'F' => return Ok(()),
        _ => {}
    }
    if fields.0.is_empty() { Ok(()) } else { Err(Malformed::Long) }
}

/// A portal, a statement, the formats of its values, the values, and the formats of the columns.
fn bound(fields: &mut Fields<'_>) -> Result<(), Malformed> {
    fields.text()?;
    fields.text()?;
    let formats = fields.formats()?;
    let values = fields.count()?;
    for _ in 0..values {
        // A negative length is a null.
        if let Ok(length) = usize::try_from(i32::from_be_bytes(fields.array()?)) {
            fields.skip(length)?;
        }
    }
    fields.formats()?;
    if formats > 1 && formats != values { Err(Malformed::Formats { formats, values }) } else { Ok(()) }
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(*array)
    }

    fn skip(&mut self, bytes: usize) -> Result<(), Malformed> {
        self.0 = self.0.get(bytes..).ok_or(Malformed::Short)?;
        Ok(())
    }

    /// A text, which ends with a zero.
    fn text(&mut self) -> Result<(), Malformed> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or(Malformed::Short)?;
        let text = self.0.get(..end).unwrap_or_default();
        std::str::from_utf8(text).map_err(|_| Malformed::NotText)?;
        self.skip(end + 1)
    }

    fn count(&mut self) -> Result<usize, Malformed> {
        self.array().map(u16::from_be_bytes).map(usize::from)
    }

    fn formats(&mut self) -> Result<usize, Malformed> {
        let formats = self.count()?;
        for _ in 0..formats {
            let format = u16::from_be_bytes(self.array()?);
            if format > 1 {
                return Err(Malformed::Format(format));
            }
        }
        Ok(formats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_send_is_laid_out_well() {
        for (kind, body) in [
            (b'Q', &b"select 1\0"[..]),
            (b'P', b"\0select 1\0\0\0"),
            (b'P', b"a\0select $1\0\0\x01\0\0\0\x17"),
            (b'B', b"\0\0\0\0\0\0\0\0"),
            (b'B', b"p\0s\0\0\x01\0\x01\0\x02\0\0\0\x01x\xff\xff\xff\xff\0\x01\0\x01"),
            (b'D', b"S\0"),
            (b'C', b"Pname\0"),
            (b'E', b"\0\0\0\0\0"),
            (b'S', b""),
            (b'd', b"anything"),
        ] {
            assert_eq!(check(kind, body), Ok(()), "{kind} {body:?}");
        }
    }

    #[test]
    fn lengths_and_counts_are_those_of_the_bytes() {
        for (kind, body, wrong) in [
            (b'Q', &b"select 1"[..], Malformed::Short),
            (b'Q', b"a\0b\0", Malformed::Long),
            (b'Q', b"\xff\0", Malformed::NotText),
            (b'P', b"", Malformed::Short),
            (b'P', b"\0select 1\0\xff\xff", Malformed::Short),
            (b'B', b"\0\0\xff\xff", Malformed::Short),
            (b'B', b"\0\0\0\0\xff\xff", Malformed::Short),
            (b'B', b"\0\0\0\0\0\x01\x7f\xff\xff\xffx\0\0", Malformed::Short),
            (b'B', b"\0\0\0\0\0\0\xff\xff\0\0", Malformed::Short),
            (b'B', b"\0\0\0\x02\0\0\0\0\0\0\0\0", Malformed::Formats { formats: 2, values: 0 }),
            (b'B', b"\0\0\0\x01\0\x02\0\0\0\0", Malformed::Format(2)),
            (b'D', b"", Malformed::Short),
            (b'D', b"X\0", Malformed::Target('X')),
            (b'E', b"\0\0", Malformed::Short),
            (b'S', b"x", Malformed::Long),
        ] {
            assert_eq!(check(kind, body), Err(wrong), "{kind} {body:?}");
        }
    }
}
