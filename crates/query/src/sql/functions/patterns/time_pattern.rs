//! A pattern of a time, taken apart.

use datafusion::common::exec_err;
use datafusion::error::Result;

use super::field::{Field, Letters};

/// A pattern such as `YYYY-MM-DD HH24:MI`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sql::functions) struct TimePattern(pub(super) Vec<Item>);

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A blank or a sign.
    Separator(char),
    /// Any other character that stands for itself.
    Literal(char),
    Field(Place),
}

/// A field where it stands in a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) field: Field,
    pub(super) letters: Letters,
    /// Without blanks and zeros that fill it (`FM`).
    pub(super) is_short: bool,
    /// With `th`, or `TH`, behind the number.
    pub(super) ordinal: Option<Letters>,
}

impl TimePattern {
    /// # Errors
    /// Where PostgreSQL would know a part that is not known here.
    pub(in crate::sql::functions) fn of(pattern: &str) -> Result<Self> {
        let mut items = Vec::new();
        let mut rest = pattern;
        while !rest.is_empty() {
            rest = next(rest, &mut items)?;
        }
        Ok(Self(items))
    }
}

/// Takes the next part of a pattern; gives what follows it.
fn next<'p>(pattern: &'p str, items: &mut Vec<Item>) -> Result<&'p str> {
    if let Some(quoted) = pattern.strip_prefix('"') {
        return Ok(take_quoted(quoted, items));
    }
    let (is_short, rest) = match strip_either(pattern, "FM") {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    for prefix in ["FX", "TM"] {
        if strip_either(rest, prefix).is_some() {
            return exec_err!("the pattern '{pattern}' begins with {prefix}, which is not known here; leave it out");
        }
    }
    for era in ["BC", "AD", "B.C.", "A.D.", "RM"] {
        if strip_either(rest, era).is_some() {
            return exec_err!("the pattern '{pattern}' begins with {era}, which is not known here; write YYYY, or MM");
        }
    }
    if let Some((field, letters, length)) = Field::at(rest) {
        let rest = rest.get(length..).unwrap_or_default();
        let (ordinal, rest) = match (rest.strip_prefix("TH"), rest.strip_prefix("th")) {
            (Some(rest), _) => (Some(Letters::Upper), rest),
            (_, Some(rest)) => (Some(Letters::Lower), rest),
            _ => (None, rest),
        };
        items.push(Item::Field(Place { field, letters, is_short, ordinal: ordinal.filter(|_| field.is_number()) }));
        return Ok(rest);
    }
    let rest = rest.strip_prefix('\\').filter(|rest| rest.starts_with('"')).unwrap_or(rest);
    let mut characters = rest.chars();
    match characters.next() {
        Some(character) if character.is_ascii_punctuation() || character.is_whitespace() => {
            items.push(Item::Separator(character));
        }
        Some(character) => items.push(Item::Literal(character)),
        None => {}
    }
    Ok(characters.as_str())
}

fn take_quoted<'p>(quoted: &'p str, items: &mut Vec<Item>) -> &'p str {
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => items.extend(characters.next().map(Item::Literal)),
            other => items.push(Item::Literal(other)),
        }
    }
    characters.as_str()
}

/// What follows `word`, in capitals or without.
fn strip_either<'p>(pattern: &'p str, word: &str) -> Option<&'p str> {
    pattern.strip_prefix(word).or_else(|| pattern.strip_prefix(word.to_lowercase().as_str()))
}
