//! Accounts and their identifiers.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use crate::error::shortened;
use crate::{Error, Result};

/// The identifier of a brand's account: 1 to 64 of `A-Z a-z 0-9 . _ -`, but not `.` or `..`, so that it is safe as the
/// name of a folder. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(Arc<str>);

impl AccountId {
    /// The name of no account, but of all of them together, as PostgreSQL's database. There may be segments of an
    /// account of this name from before it was taken. No new ones are.
    pub const OF_ALL: &str = "skillscope";

    const MAX_LENGTH: usize = 64;

    /// Parses an account identifier.
    ///
    /// # Errors
    /// [`Error::AccountSyntax`] where `id` is not one.
    pub fn parse(id: &str) -> Result<Self> {
        Self::check(id)?;
        Ok(Self(Arc::from(id)))
    }

    /// As [`AccountId::parse`], but only checks the identifier.
    pub(crate) fn check(id: &str) -> Result<()> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let valid = (1..=Self::MAX_LENGTH).contains(&id.len()) && id.bytes().all(allowed) && id != "." && id != "..";
        if valid { Ok(()) } else { Err(Error::AccountSyntax { value: shortened(id) }) }
    }

    /// As [`AccountId::check`], for a new record.
    pub(crate) fn check_new(id: &str) -> Result<()> {
        Self::check(id)?;
        if id == Self::OF_ALL { Err(Error::AccountOfAll) } else { Ok(()) }
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lets a map with accounts as keys be searched by text.
impl Borrow<str> for AccountId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_is_1_to_64_letters_digits_dots_underscores_and_hyphens() {
        for good in ["a", "le12345", "A.b_c-9", "...", &"x".repeat(64)] {
            assert_eq!(AccountId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "a/b", "a b", "ä", "a=b", &"x".repeat(65)] {
            assert!(matches!(AccountId::parse(bad), Err(Error::AccountSyntax { .. })), "{bad:?} was taken");
        }
    }
}
