//! Which hour leaves memory next.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use skillscope_segment::AccountId;

/// An hour with rows in memory that are in archive files, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SealedHour<'a> {
    pub(crate) account: &'a AccountId,
    /// Its first millisecond.
    pub(crate) hour: i64,
}

/// The oldest hour that is not needed in memory any more: neither it nor an hour that shares a file with it
/// (`together`) is `hot`.
pub(crate) fn next_to_evict<'a>(
    hours: impl IntoIterator<Item = SealedHour<'a>>,
    hot: &RangeInclusive<i64>,
    together: impl Fn(SealedHour<'a>) -> BTreeSet<i64>,
) -> Option<SealedHour<'a>> {
    let is_needed =
        |sealed: SealedHour<'a>| hot.contains(&sealed.hour) || together(sealed).iter().any(|hour| hot.contains(hour));
    hours.into_iter().filter(|sealed| !is_needed(*sealed)).min_by_key(|sealed| sealed.hour)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(hours: &[i64], hot: RangeInclusive<i64>, together: &[i64]) -> Option<i64> {
        let account = AccountId::parse("acme").unwrap();
        let hours = hours.iter().map(|hour| SealedHour { account: &account, hour: *hour });
        let together = |sealed: SealedHour<'_>| match together.contains(&sealed.hour) {
            true => together.iter().copied().collect(),
            false => BTreeSet::from([sealed.hour]),
        };
        next_to_evict(hours, &hot, together).map(|sealed| sealed.hour)
    }

    #[test]
    fn the_oldest_hour_that_is_not_hot_leaves_first() {
        assert_eq!(next(&[5, 3, 4], 5..=9, &[]), Some(3));
        assert_eq!(next(&[5, 6], 5..=9, &[]), None);
        assert_eq!(next(&[], 5..=9, &[]), None);
    }

    #[test]
    fn hours_ahead_of_the_clock_are_not_hot() {
        assert_eq!(next(&[7, 12], 5..=9, &[]), Some(12));
    }

    #[test]
    fn an_hour_stays_while_one_in_the_same_file_is_hot() {
        assert_eq!(next(&[3, 4, 5], 5..=9, &[3, 5]), Some(4));
        assert_eq!(next(&[3, 5], 5..=9, &[3, 5]), None);
    }
}
