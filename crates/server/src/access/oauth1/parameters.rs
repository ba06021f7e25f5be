//! The parameters of a request (RFC 5849, section 3.4.1.3), and how they are encoded.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

/// What has to be encoded: all but letters, digits, `-`, `.`, `_` and `~` (RFC 5849, section 3.6).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The parameters of a request: those of its query, and of its header `Authorization` all but `realm`.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(Vec<u8>, Vec<u8>)>);

impl Parameters {
    pub(super) fn of_query(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let split = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(split.map(|(name, value)| (of_form(name), of_form(value))).collect())
    }

    /// Adds those of a header, which `list` are; `None` where it is none.
    pub(super) fn add_header(&mut self, list: &str) -> Option<()> {
        let mut rest = list.trim();
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=')?;
            let (value, after) = quoted(after.trim_start())?;
            let name = name.trim();
            if !name.eq_ignore_ascii_case("realm") {
                self.0.push((decoded(name), decoded(value)));
            }
            rest = after.trim_start();
            if !rest.is_empty() {
                rest = rest.strip_prefix(',')?.trim_start();
            }
        }
        Some(())
    }

    /// The value of the parameter `name`, which may be missing; `None` where it stands there twice, or is no text.
    pub(super) fn only(&self, name: &str) -> Option<Option<String>> {
        let mut values = self.0.iter().filter(|(other, _)| other == name.as_bytes()).map(|(_, value)| value);
        let value = values.next().map(|value| String::from_utf8(value.clone()));
        if values.next().is_some() { None } else { value.transpose().ok() }
    }

    /// All of them but the signature, as they are signed.
    pub(super) fn normalized(&self) -> String {
        let signed = self.0.iter().filter(|(name, _)| name != b"oauth_signature");
        let mut pairs: Vec<_> = signed.map(|(name, value)| (encoded(name), encoded(value))).collect();
        pairs.sort_unstable();
        let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("&")
    }
}

/// The text between quotation marks that `text` begins with, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('"')?;
    let mut is_escaped = false;
    let end = text.find(|c| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    })?;
    let (inside, rest) = text.split_at_checked(end)?;
    Some((inside, rest.strip_prefix('"')?))
}

pub(super) fn encoded(bytes: &[u8]) -> Cow<'_, str> {
    percent_encode(bytes, RESERVED).into()
}

fn decoded(text: &str) -> Vec<u8> {
    percent_decode(text.as_bytes()).collect()
}

/// The same in a query, where a plus is a blank.
fn of_form(text: &str) -> Vec<u8> {
    decoded(&text.replace('+', " "))
}
