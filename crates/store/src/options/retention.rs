//! How long segments are kept, and the texts that say it.

use std::collections::BTreeMap;

use skillscope_segment::AccountId;

use crate::calendar::HOUR_MS;

/// How long the segments of each account are kept, counted from their end time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// In milliseconds, for accounts without an age of their own; `None` keeps everything.
    others: Option<i64>,
    accounts: BTreeMap<AccountId, Option<i64>>,
}

/// A text that is not a retention.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} tells no age: it is a number of days or hours, such as 400d or 36h, or forever, also as ACCOUNT=AGE")]
pub struct RetentionError {
    text: String,
}

impl Retention {
    /// Reads texts such as `400d`, `acme=36h` or `acme=forever`. Of several for the same account, the last counts.
    ///
    /// # Errors
    /// Where a text is of another form.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self, RetentionError> {
        let mut retention = Self::default();
        for text in texts.iter().map(AsRef::as_ref) {
            let wrong = || RetentionError { text: text.to_owned() };
            match text.split_once('=') {
                None => retention.others = age(text).ok_or_else(wrong)?,
                Some((account, text)) => {
                    let account = AccountId::parse(account).map_err(|_| wrong())?;
                    retention.accounts.insert(account, age(text).ok_or_else(wrong)?);
                }
            }
        }
        Ok(retention)
    }

    /// Whether the segments of any account are removed at some time.
    pub(crate) fn removes_any(&self) -> bool {
        self.others.is_some() || self.accounts.values().any(Option::is_some)
    }

    /// The accounts that have an age of their own, in alphabetical order.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.accounts.keys()
    }

    /// How old the segments of an account may become, in milliseconds; `None` keeps them forever.
    pub(crate) fn age_ms(&self, account: &AccountId) -> Option<i64> {
        self.accounts.get(account).copied().unwrap_or(self.others)
    }
}

/// `None` where the text is wrong, `Some(None)` for forever.
fn age(text: &str) -> Option<Option<i64>> {
    if text == "forever" {
        return Some(None);
    }
    let (number, hours) = match text.strip_suffix('d') {
        Some(days) => (days, 24),
        None => (text.strip_suffix('h')?, 1),
    };
    let number = number.parse::<u32>().ok().filter(|number| *number > 0)?;
    Some(Some(i64::from(number) * hours * HOUR_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_has_the_age_that_was_given_last() {
        let retention = Retention::parse(&["400d", "acme=36h", "bolt=forever"]).unwrap();
        let age = |account| retention.age_ms(&AccountId::parse(account).unwrap());
        assert_eq!(age("acme"), Some(36 * 3_600_000));
        assert_eq!(age("bolt"), None);
        assert_eq!(age("another"), Some(400 * 86_400_000));
        assert_eq!(Retention::default().age_ms(&AccountId::parse("acme").unwrap()), None);
    }

    #[test]
    fn other_texts_are_told_what_is_allowed() {
        for text in ["", "400", "d", "0d", "-1d", "1.5d", "4000000000000d", "=1d", "a b=1d", "acme=", "acme=never"] {
            let error = Retention::parse(&[text]).unwrap_err();
            assert!(error.to_string().contains("400d or 36h"), "{text}");
        }
    }
}
