//! Text that is separated by commas, as RFC 4180 has it, and as spreadsheets write it.

use std::borrow::Cow;
use std::ops::Range;

use super::{MAX_COLUMNS, check_names, check_values, refused};
use crate::Result;

/// What may separate fields; the first that the line of names has outside of quotes does.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// A text, taken apart into fields.
pub(super) struct Sheet<'t> {
    text: &'t str,
    names: Vec<Cow<'t, str>>,
    /// All rows, one after the other.
    fields: Vec<Field>,
}

/// A field: its bytes without the quotes around it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    start: u32,
    end: u32,
    is_quoted: bool,
}

impl<'t> Sheet<'t> {
    /// Takes a text apart. Lines end with a line feed, or with a carriage return before it or alone; lines of nothing
    /// are passed over.
    pub(super) fn read(text: &'t str) -> Result<Self> {
        let mut reader = Reader { text, at: 0, line: 1, separator: separator(text) };
        let mut header = Vec::new();
        if reader.next(&mut header)?.is_none() {
            return Err(refused("it is empty; its first line has the names of the columns"));
        }
        let names = header.iter().map(|field| field.text(text).map_or(Cow::Borrowed(""), trimmed)).collect::<Vec<_>>();
        check_names(names.iter().map(Cow::as_ref))?;
        let mut fields = Vec::new();
        let mut before = 0;
        while let Some(line) = reader.next(&mut fields)? {
            let (found, expected) = (fields.len() - before, names.len());
            if found != expected {
                return Err(refused(format!("line {line} has {found} fields, and the first line has {expected}")));
            }
            before = fields.len();
            check_values(expected, before / expected)?;
        }
        Ok(Self { text, names, fields })
    }

    /// The names of the columns.
    pub(super) fn names(&self) -> &[Cow<'t, str>] {
        &self.names
    }

    /// The values of a column; `None` for a field with nothing in it, not even quotes.
    pub(super) fn column(&self, column: usize) -> impl ExactSizeIterator<Item = Option<Cow<'t, str>>> + '_ {
        self.fields.iter().skip(column).step_by(self.names.len()).map(|field| field.text(self.text))
    }
}

fn trimmed(name: Cow<'_, str>) -> Cow<'_, str> {
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(name.trim()),
        Cow::Owned(name) => Cow::Owned(name.trim().to_owned()),
    }
}

impl Field {
    fn text<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        let field = text.get(self.start as usize..self.end as usize).unwrap_or_default();
        match (self.is_quoted, field) {
            (false, "") => None,
            (true, field) if field.contains("\"\"") => Some(Cow::Owned(field.replace("\"\"", "\""))),
            (_, field) => Some(Cow::Borrowed(field)),
        }
    }
}

/// The separator of a text: a comma, unless its first line has none.
fn separator(text: &str) -> u8 {
    let mut is_quoted = false;
    // Lines of nothing are passed over.
    let line = text.trim_start_matches(['\n', '\r']).bytes().take_while(|byte| {
        is_quoted ^= *byte == b'"';
        is_quoted || !matches!(byte, b'\n' | b'\r')
    });
    let mut is_inside = false;
    let outside = line.filter(|byte| {
        is_inside ^= *byte == b'"';
        !is_inside
    });
    let outside = outside.collect::<Vec<_>>();
    SEPARATORS.into_iter().find(|separator| outside.contains(separator)).unwrap_or(b',')
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    separator: u8,
}

impl Reader<'_> {
    /// Adds the fields of the next line that has some, and tells its number.
    fn next(&mut self, fields: &mut Vec<Field>) -> Result<Option<usize>> {
        while self.ends_line() {
            self.end_line();
        }
        if self.byte().is_none() {
            return Ok(None);
        }
        let (line, before) = (self.line, fields.len());
        loop {
            let (range, is_quoted) = if self.byte() == Some(b'"') { self.quoted()? } else { self.unquoted() };
            let place = |place: usize| u32::try_from(place).map_err(|_| refused("it is too long"));
            fields.push(Field { start: place(range.start)?, end: place(range.end)?, is_quoted });
            if fields.len() - before > MAX_COLUMNS {
                return Err(refused(format!("line {line} has more than {MAX_COLUMNS} fields")));
            }
            if self.byte() != Some(self.separator) {
                self.end_line();
                return Ok(Some(line));
            }
            self.at += 1;
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn ends_line(&self) -> bool {
        matches!(self.byte(), Some(b'\n' | b'\r'))
    }

    fn end_line(&mut self) {
        if self.byte() == Some(b'\r') {
            self.at += 1;
            if self.byte() != Some(b'\n') {
                self.line += 1;
            }
        }
        if self.byte() == Some(b'\n') {
            self.at += 1;
            self.line += 1;
        }
    }

    fn unquoted(&mut self) -> (Range<usize>, bool) {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte != self.separator) && !self.ends_line() {
            self.at += 1;
        }
        (start..self.at, false)
    }

    /// A field in quotes, in which two quotes stand for one.
    fn quoted(&mut self) -> Result<(Range<usize>, bool)> {
        let begun = self.line;
        self.at += 1;
        let start = self.at;
        loop {
            match self.byte() {
                None => return Err(refused(format!("the quotes that line {begun} opens are never closed"))),
                Some(b'"') => {
                    self.at += 1;
                    if self.byte() != Some(b'"') {
                        break;
                    }
                }
                Some(b'\n') => self.line += 1,
                Some(_) => {}
            }
            self.at += 1;
        }
        let end = self.at - 1;
        let is_ended = self.byte().is_none_or(|byte| byte == self.separator) || self.ends_line();
        if !is_ended {
            let line = self.line;
            return Err(refused(format!(
                "line {line} goes on after the quotes that close a field; write \"\" for a quote in one"
            )));
        }
        Ok((start..end, true))
    }
}
