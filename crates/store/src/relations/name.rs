//! The names of tables and views.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use super::RelationError;

/// The most bytes of a name, as in PostgreSQL.
const MAX_BYTES: usize = 63;

/// The name of a table or a view that somebody added: letters, digits, `_`, `-`, `$`, points and blanks, of which a
/// letter or `_` comes first. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationName(Arc<str>);

impl RelationName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`RelationError::Name`].
    pub fn parse(name: &str) -> Result<Self, RelationError> {
        let is_part = |letter: char| letter.is_alphanumeric() || ['_', '-', '$', '.', ' '].contains(&letter);
        let begins = name.starts_with(|first: char| first.is_alphabetic() || first == '_');
        if begins && name.len() <= MAX_BYTES && name.chars().all(is_part) && !name.ends_with(' ') {
            return Ok(Self(Arc::from(name)));
        }
        let shown: String = name.chars().take(MAX_BYTES + 1).collect();
        let reason = format!(
            "{shown:?} cannot be the name of a table or a view: it has at most {MAX_BYTES} bytes of letters, digits, _, \
             -, $, points and blanks, and begins with a letter or _"
        );
        Err(RelationError::Name { reason })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of its file: other bytes than small letters, digits and `_` are written as `%` and two digits, so that
    /// two names have two files also where a disk takes no notice of capitals.
    pub(super) fn of_file(&self) -> String {
        let mut name = String::new();
        for byte in self.0.bytes() {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'_' => name.push(char::from(byte)),
                other => name.push_str(&format!("%{other:02x}")),
            }
        }
        name
    }

    /// The name whose file has this name.
    pub(super) fn from_file(file: &str) -> Option<Self> {
        let (mut bytes, mut rest) = (Vec::new(), file);
        while let Some((plain, escaped)) = rest.split_once('%') {
            bytes.extend(plain.bytes());
            let (digits, after) = escaped.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after;
        }
        bytes.extend(rest.bytes());
        let name = Self::parse(&String::from_utf8(bytes).ok()?).ok()?;
        (name.of_file() == file).then_some(name)
    }
}

impl Display for RelationName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_what_sql_takes_for_one() {
        for good in ["skills", "_x", "Skills of 2026", "x__dbt_tmp", "größe", "a-b.c$d", &"x".repeat(63)] {
            assert_eq!(RelationName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "1a", "-a", " a", "a ", "a/b", "a\"b", "a\nb", "a%", "..", &"x".repeat(64)] {
            assert!(RelationName::parse(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn capitals_have_files_of_their_own() {
        let file = |name: &str| RelationName::parse(name).unwrap().of_file();
        assert_eq!(file("skills_2"), "skills_2");
        assert_eq!(file("Skills"), "%53kills");
        assert_eq!(file("a.b é"), "a%2eb%20%c3%a9");
        for other in ["%", "%5", "%zz", "Skills", "%61", "a%2Eb", "1a"] {
            assert_eq!(RelationName::from_file(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_file_tells_its_name(name in "[a-zA-Zé_][a-zA-Z0-9é_ .$-]{0,20}[a-z]") {
            let name = RelationName::parse(&name).unwrap();
            prop_assert_eq!(RelationName::from_file(&name.of_file()), Some(name));
        }
    }
}
