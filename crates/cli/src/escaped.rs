//! Text from outside, shown so that it cannot act on a terminal or pretend to be another line.

use std::fmt::{self, Debug, Display, Formatter, Write};

/// Shows a value on one line. Characters that act instead of being seen become escapes such as `\n` or `\u{1b}`.
pub(crate) struct Escaped<T>(pub(crate) T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(EscapingWriter(f), "{}", self.0)
    }
}

impl<T: Debug> Debug for Escaped<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(EscapingWriter(f), "{:?}", self.0)
    }
}

struct EscapingWriter<'f, 'b>(&'f mut Formatter<'b>);

impl Write for EscapingWriter<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for piece in text.split_inclusive(acts) {
            match piece.char_indices().next_back() {
                Some((seen, last)) if acts(last) => {
                    self.0.write_str(piece.get(..seen).unwrap_or_default())?;
                    write!(self.0, "{}", last.escape_default())?;
                }
                _ => self.0.write_str(piece)?,
            }
        }
        Ok(())
    }
}

/// Whether a character does something to the text around it: control characters, of which terminal codes are made, the
/// line and paragraph separators, and the characters with Unicode's property `Bidi_Control`, which reorder a line.
fn acts(character: char) -> bool {
    const SEPARATORS: [char; 2] = ['\u{2028}', '\u{2029}'];
    character.is_control()
        || SEPARATORS.contains(&character)
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::Escaped;

    #[test]
    fn characters_that_act_are_shown_as_escapes() {
        let shown = [
            ("c-1\n\u{1b}[31mred", r"c-1\n\u{1b}[31mred"),
            ("line\r\ttab", r"line\r\ttab"),
            ("\u{7}\u{8}\u{7f}\u{9b}0m", r"\u{7}\u{8}\u{7f}\u{9b}0m"),
            ("\u{202e}txt.exe\u{2069}\u{2028}", r"\u{202e}txt.exe\u{2069}\u{2028}"),
        ];
        for (text, expected) in shown {
            assert_eq!(Escaped(text).to_string(), expected);
        }
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for text in ["", "c-1", r"C:\new 'quoted' \u{1b}", "žluťoučký, नमस्ते, 👩‍👧"] {
            assert_eq!(Escaped(text).to_string(), text);
        }
    }
}
