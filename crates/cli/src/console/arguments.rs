//! The arguments of a command: words between blanks, which may stand in quotes.

use anyhow::{Result, bail};

/// The words of a text. In single quotes a word may have blanks, and a quote that is written twice.
pub(super) fn words(text: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut letters = text.trim().chars().peekable();
    while letters.next_if(|letter| letter.is_whitespace()).is_some() || letters.peek().is_some() {
        let mut word = String::new();
        let mut is_there = false;
        while let Some(letter) = letters.next_if(|letter| !letter.is_whitespace()) {
            is_there = true;
            if !matches!(letter, '\'' | '"') {
                word.push(letter);
                continue;
            }
            loop {
                match letters.next() {
                    None => bail!("a quote is missing at the end of {text}"),
                    Some(end) if end == letter => match letters.next_if_eq(&letter) {
                        Some(twice) => word.push(twice),
                        None => break,
                    },
                    Some(other) => word.push(other),
                }
            }
        }
        if is_there {
            words.push(word);
        }
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_between_blanks_or_quotes() {
        for (text, expected) in [
            ("", &[][..]),
            ("  a   b ", &["a", "b"]),
            ("'a b' \"c d\" e'f g'", &["a b", "c d", "ef g"]),
            ("'it''s' ''", &["it's", ""]),
            ("\u{fc}\t\u{1f980}", &["\u{fc}", "\u{1f980}"]),
        ] {
            assert_eq!(words(text).unwrap(), expected, "{text:?}");
        }
        assert!(words("'open").is_err());
    }
}
