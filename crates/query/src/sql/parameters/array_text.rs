//! Arrays as PostgreSQL writes them: `{a,"b c",NULL}`.

use std::str::Chars;

/// The most dimensions of an array, as in PostgreSQL.
const MOST_DIMENSIONS: usize = 6;

/// Why a text is no array.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArrayText {
    /// It is not laid out as an array.
    #[error("malformed array literal: \"{0}\"")]
    Malformed(String),
    /// It has more elements than may be.
    #[error("an array has more than {0} elements")]
    Elements(usize),
}

/// An element of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArrayItem {
    /// `NULL`, without quotes.
    Null,
    /// The text of a value.
    Text(String),
    /// An array within it.
    Array(Vec<ArrayItem>),
}

impl ArrayItem {
    /// The elements of the array that `text` is, in all dimensions together at most `most`.
    ///
    /// # Errors
    /// Where it is none, or has more.
    pub fn parse(text: &str, most: usize) -> Result<Vec<Self>, ArrayText> {
        // The indices of the elements may stand before them.
        let trimmed = text.trim();
        let braces = match trimmed.split_once('=') {
            Some((indices, braces)) if indices.starts_with('[') => braces.trim_start(),
            _ => trimmed,
        };
        let mut reading = Reading { letters: braces.chars(), left: most };
        let items = if reading.letters.next() == Some('{') { reading.array(1) } else { Err(Wrong::Layout) };
        match items {
            Ok(items) if reading.letters.as_str().trim().is_empty() && is_even(&items) => Ok(items),
            Err(Wrong::Elements) => Err(ArrayText::Elements(most)),
            _ => Err(ArrayText::Malformed(text.chars().take(200).collect())),
        }
    }
}

/// Whether there are either arrays or values in an array, of equal lengths in each dimension.
fn is_even(items: &[ArrayItem]) -> bool {
    let shape = |item: &ArrayItem| match item {
        ArrayItem::Array(items) => Some(items.len()),
        ArrayItem::Null | ArrayItem::Text(_) => None,
    };
    let Some(first) = items.first().map(shape) else { return true };
    items
        .iter()
        .all(|item| shape(item) == first && if let ArrayItem::Array(items) = item { is_even(items) } else { true })
}

enum Wrong {
    Layout,
    Elements,
}

struct Reading<'a> {
    letters: Chars<'a>,
    /// How many elements there may still be.
    left: usize,
}

impl Reading<'_> {
    /// What follows an opening brace, up to the one that closes it.
    fn array(&mut self, dimension: usize) -> Result<Vec<ArrayItem>, Wrong> {
        let mut items = Vec::new();
        self.skip_blanks();
        if self.take('}') {
            return Ok(items);
        }
        loop {
            self.left = self.left.checked_sub(1).ok_or(Wrong::Elements)?;
            self.skip_blanks();
            items.push(if self.take('{') {
                if dimension == MOST_DIMENSIONS {
                    return Err(Wrong::Layout);
                }
                ArrayItem::Array(self.array(dimension + 1)?)
            } else if self.take('"') {
                ArrayItem::Text(self.quoted()?)
            } else {
                self.bare()?
            });
            self.skip_blanks();
            match self.letters.next() {
                Some(',') => {}
                Some('}') => return Ok(items),
                _ => return Err(Wrong::Layout),
            }
        }
    }

    /// What follows an opening quote.
    fn quoted(&mut self) -> Result<String, Wrong> {
        let mut text = String::new();
        loop {
            match self.letters.next().ok_or(Wrong::Layout)? {
                '"' => return Ok(text),
                '\\' => text.push(self.letters.next().ok_or(Wrong::Layout)?),
                other => text.push(other),
            }
        }
    }

    /// An element without quotes. Blanks around it are not part of it.
    fn bare(&mut self) -> Result<ArrayItem, Wrong> {
        let (mut text, mut end, mut is_escaped) = (String::new(), 0, false);
        loop {
            let before = self.letters.clone();
            match self.letters.next().ok_or(Wrong::Layout)? {
                ',' | '}' => {
                    self.letters = before;
                    break;
                }
                '{' | '"' => return Err(Wrong::Layout),
                '\\' => {
                    text.push(self.letters.next().ok_or(Wrong::Layout)?);
                    (end, is_escaped) = (text.len(), true);
                }
                other => {
                    text.push(other);
                    if !other.is_ascii_whitespace() {
                        end = text.len();
                    }
                }
            }
        }
        text.truncate(end);
        match text {
            text if text.is_empty() => Err(Wrong::Layout),
            text if !is_escaped && text.eq_ignore_ascii_case("null") => Ok(ArrayItem::Null),
            text => Ok(ArrayItem::Text(text)),
        }
    }

    fn skip_blanks(&mut self) {
        let rest = self.letters.as_str().trim_start();
        self.letters = rest.chars();
    }

    fn take(&mut self, letter: char) -> bool {
        let rest = self.letters.as_str().strip_prefix(letter);
        self.letters = rest.map_or_else(|| self.letters.clone(), str::chars);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> ArrayItem {
        ArrayItem::Text(text.to_owned())
    }

    #[test]
    fn arrays_have_quoted_nested_and_missing_elements() {
        for (array, expected) in [
            ("{a,b}", vec![text("a"), text("b")]),
            (" { a b ,\tc } ", vec![text("a b"), text("c")]),
            ("{}", vec![]),
            ("{ }", vec![]),
            (r#"{"a,b","","\"\\{}","null"}"#, vec![text("a,b"), text(""), text("\"\\{}"), text("null")]),
            ("{NULL,null,nil}", vec![ArrayItem::Null, ArrayItem::Null, text("nil")]),
            (r"{a\,b,\n\ull}", vec![text("a,b"), text("null")]),
            ("[0:1]={1,2}", vec![text("1"), text("2")]),
            (
                "{{1,2},{3,NULL}}",
                vec![ArrayItem::Array(vec![text("1"), text("2")]), ArrayItem::Array(vec![text("3"), ArrayItem::Null])],
            ),
        ] {
            assert_eq!(ArrayItem::parse(array, 10), Ok(expected), "{array}");
        }
    }

    #[test]
    fn anything_else_is_no_array() {
        for wrong in [
            "",
            "a",
            "{",
            "{a",
            "{a}}",
            "{a} b",
            "{,}",
            "{a,}",
            "{a,,b}",
            "{\"a}",
            "{\"a\"b}",
            "{a\"b\"}",
            "{{1},2}",
            "{{1},{2,3}}",
            "{{{{{{{1}}}}}}}",
            "{a\\",
        ] {
            assert_eq!(ArrayItem::parse(wrong, 10), Err(ArrayText::Malformed(wrong.to_owned())), "{wrong}");
        }
        assert_eq!(ArrayItem::parse("{1,2,3}", 2), Err(ArrayText::Elements(2)));
    }
}
