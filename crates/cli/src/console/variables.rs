//! Variables, which `\set` gives values, and what stands for them in statements: `:name` for the value as it is,
//! `:'name'` for a text, and `:"name"` for a name.

use std::collections::BTreeMap;

use super::lexer::{Kind, Lexer, is_of_word};

/// The variables of a console.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Whether a variable can have this name.
    pub(super) fn is_name(name: &str) -> bool {
        !name.is_empty() && name.chars().all(|letter| is_of_word(letter) && letter != '$')
    }

    pub(super) fn set(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }

    /// Forgets a variable; false where there is none.
    pub(super) fn unset(&mut self, name: &str) -> bool {
        self.0.remove(name).is_some()
    }

    /// The variables, by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The text with values in the places of variables. What stands in texts, names and comments stays, and so does what
    /// names no variable.
    pub(super) fn interpolated(&self, text: &str) -> String {
        if self.0.is_empty() || !text.contains(':') {
            return text.to_owned();
        }
        let mut whole = String::with_capacity(text.len());
        let mut parts = Lexer::default().take(text).into_iter().peekable();
        while let Some((kind, part)) = parts.next() {
            if kind != Kind::Code {
                whole.push_str(part);
                continue;
            }
            let quoted = parts.peek().filter(|(kind, _)| *kind == Kind::Quoted).and_then(|(_, quoted)| {
                let before = part.strip_suffix(':').filter(|before| !before.ends_with(':'))?;
                Some((before, self.quoted(quoted)?))
            });
            match quoted {
                Some((before, value)) => {
                    parts.next();
                    self.add(before, &mut whole);
                    whole.push_str(&value);
                }
                None => self.add(part, &mut whole),
            }
        }
        whole
    }

    /// The value of the variable between these quotes, in them.
    fn quoted(&self, quoted: &str) -> Option<String> {
        let quote = quoted.chars().next()?;
        let name = quoted.strip_prefix(quote)?.strip_suffix(quote)?;
        let value = self.0.get(name)?;
        Some(format!("{quote}{}{quote}", value.replace(quote, &format!("{quote}{quote}"))))
    }

    /// Adds code with its variables replaced. Two colons are a cast.
    fn add(&self, code: &str, whole: &mut String) {
        let mut rest = code;
        while let Some(place) = rest.find(':') {
            let (before, colon) = rest.split_at(place);
            whole.push_str(before);
            let colons = colon.len() - colon.trim_start_matches(':').len();
            let (colons, after) = colon.split_at(colons);
            let length = after.find(|letter: char| !is_of_word(letter) || letter == '$').unwrap_or(after.len());
            let (name, after_name) = after.split_at(length);
            match self.0.get(name).filter(|_| colons.len() == 1) {
                Some(value) => whole.push_str(value),
                None => whole.extend([colons, name]),
            }
            rest = after_name;
        }
        whole.push_str(rest);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        for (name, value) in [("n", "7"), ("word", "it's"), ("table", "a \"b\""), ("condition", "skill_id = 7")] {
            variables.set(name, value.to_owned());
        }
        variables
    }

    #[test]
    fn values_stand_in_the_places_of_variables() {
        for (text, expected) in [
            ("select :n", "select 7"),
            ("select :n::int, :n ::text", "select 7::int, 7 ::text"),
            ("select x::n", "select x::n"),
            ("select :'word', :\"table\"", "select 'it''s', \"a \"\"b\"\"\""),
            ("select ':n', \":n\" -- :n\n, :n", "select ':n', \":n\" -- :n\n, 7"),
            ("select :unknown, :'unknown', a[1:2]", "select :unknown, :'unknown', a[1:2]"),
            ("where :condition", "where skill_id = 7"),
            ("select ::'word', : 'word'", "select ::'word', : 'word'"),
            ("select $$:n$$", "select $$:n$$"),
            ("select :n:n", "select 77"),
        ] {
            assert_eq!(variables().interpolated(text), expected);
        }
    }

    proptest! {
        #[test]
        fn a_value_in_quotes_is_a_text_whatever_it_is(value in "\\PC{0,20}") {
            let mut variables = Variables::default();
            variables.set("v", value.clone());
            let text = variables.interpolated("select :'v' as a");
            let parts = Lexer::default().take(&text);
            let kinds: Vec<Kind> = parts.iter().map(|(kind, _)| *kind).collect();
            prop_assert_eq!(kinds, [Kind::Code, Kind::Quoted, Kind::Code]);
            let inner = &parts[1].1[1..parts[1].1.len() - 1];
            prop_assert_eq!(inner.replace("''", "'"), value);
        }

        #[test]
        fn without_variables_a_text_stays(text in "\\PC{0,40}") {
            prop_assert_eq!(Variables::default().interpolated(&text), text.clone());
            let mut variables = Variables::default();
            variables.set("no_such_name_in_it", String::new());
            prop_assert_eq!(variables.interpolated(&text), text);
        }
    }
}
