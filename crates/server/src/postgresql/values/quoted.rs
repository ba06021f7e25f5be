//! Text within the text of an array or a record.

use bytes::{BufMut, BytesMut};

/// Writes an element of an array. What would be read as something else stands in quotes.
pub(super) fn put_element(text: &[u8], out: &mut BytesMut) {
    let is_bare = !text.is_empty()
        && !text.eq_ignore_ascii_case(b"null")
        && !text.iter().any(|byte| b"{},\"\\".contains(byte) || is_space(*byte));
    if is_bare {
        out.extend_from_slice(text);
        return;
    }
    out.put_u8(b'"');
    for byte in text {
        if b"\"\\".contains(byte) {
            out.put_u8(b'\\');
        }
        out.put_u8(*byte);
    }
    out.put_u8(b'"');
}

/// Writes a field of a record.
pub(super) fn put_field(text: &[u8], out: &mut BytesMut) {
    let is_bare = !text.is_empty() && !text.iter().any(|byte| b"(),\"\\".contains(byte) || is_space(*byte));
    if is_bare {
        out.extend_from_slice(text);
        return;
    }
    out.put_u8(b'"');
    for byte in text {
        if b"\"\\".contains(byte) {
            out.put_u8(*byte);
        }
        out.put_u8(*byte);
    }
    out.put_u8(b'"');
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}
