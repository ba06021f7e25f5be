//! Who gives memory back where there is too little.

use skillscope_segment::AccountId;

use super::eviction::SealedHour;
use super::sealing::WaitingHour;

/// The rows of one account that are in memory.
#[derive(Debug)]
pub(crate) struct AccountInMemory<'a> {
    pub(crate) account: &'a AccountId,
    /// Memory that all of them take.
    pub(crate) bytes: usize,
    /// The oldest hour with rows that are in files, too.
    pub(crate) oldest_sealed: Option<i64>,
    /// The hours with rows that are in the journal alone.
    pub(crate) waiting: Vec<WaitingHour<'a>>,
}

/// How memory is given back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Gift<'a> {
    /// An hour leaves memory: its rows are in files.
    Evict(SealedHour<'a>),
    /// An hour is written to a file, so that it can leave memory.
    Seal(WaitingHour<'a>),
}

/// What is given next: by the account that takes most, so that no account costs another one its share. Rows that are
/// late or ahead of the clock go first, once they take `much`; then the oldest hour that is in files; then even an hour
/// that goes on, once it takes `much`. An account with nothing to give is passed over.
pub(crate) fn next_gift<'a>(
    accounts: impl IntoIterator<Item = AccountInMemory<'a>>,
    much: usize,
    now: i64,
) -> Option<Gift<'a>> {
    let mut accounts: Vec<_> = accounts.into_iter().collect();
    accounts.sort_by_key(|account| std::cmp::Reverse(account.bytes));
    accounts.iter().find_map(|account| account.gift(much, now))
}

impl<'a> AccountInMemory<'a> {
    fn gift(&self, much: usize, now: i64) -> Option<Gift<'a>> {
        let exceptions = || self.waiting.iter().filter(|hour| hour.can_be_sealed(now));
        if exceptions().map(|hour| hour.bytes).sum::<usize>() >= much {
            return exceptions().max_by_key(|hour| hour.bytes).copied().map(Gift::Seal);
        }
        let evicted = self.oldest_sealed.map(|hour| Gift::Evict(SealedHour { account: self.account, hour }));
        evicted.or_else(|| {
            let largest = self.waiting.iter().max_by_key(|hour| hour.bytes);
            largest.filter(|hour| hour.bytes >= much).copied().map(Gift::Seal)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::calendar::HOUR_MS;

    const MUCH: usize = 100;

    /// Half past nine.
    const NOW: i64 = 9 * HOUR_MS + HOUR_MS / 2;

    fn id(name: &str) -> AccountId {
        AccountId::parse(name).unwrap()
    }

    fn held<'a>(account: &'a AccountId, sealed: &[(i64, usize)], waiting: &[(i64, usize)]) -> AccountInMemory<'a> {
        let waiting = waiting.iter().map(|(hour, bytes)| WaitingHour {
            account,
            hour: hour * HOUR_MS,
            first_arrival: NOW,
            bytes: *bytes,
        });
        let waiting: Vec<_> = waiting.collect();
        AccountInMemory {
            account,
            bytes: sealed.iter().map(|(_, bytes)| bytes).sum::<usize>()
                + waiting.iter().map(|hour| hour.bytes).sum::<usize>(),
            oldest_sealed: sealed.iter().map(|(hour, _)| hour * HOUR_MS).min(),
            waiting,
        }
    }

    /// The account that gives, the hour, and whether it is sealed.
    fn gift<'a>(accounts: impl IntoIterator<Item = AccountInMemory<'a>>) -> Option<(&'a str, i64, bool)> {
        next_gift(accounts, MUCH, NOW).map(|gift| match gift {
            Gift::Evict(hour) => (hour.account.as_str(), hour.hour / HOUR_MS, false),
            Gift::Seal(hour) => (hour.account.as_str(), hour.hour / HOUR_MS, true),
        })
    }

    #[test]
    fn the_account_that_takes_most_gives_its_oldest_hour() {
        let (small, large) = (id("small"), id("large"));
        let accounts = [held(&small, &[(1, 50)], &[]), held(&large, &[(8, 90), (7, 90)], &[])];
        assert_eq!(gift(accounts), Some(("large", 7, false)));
    }

    #[test]
    fn rows_ahead_of_the_clock_and_late_ones_go_before_hours_that_reports_ask_for() {
        let (small, large) = (id("small"), id("large"));
        for hour in [2, 900] {
            let accounts = [held(&small, &[(1, 50)], &[]), held(&large, &[(8, 90)], &[(hour, 90), (hour + 1, 10)])];
            assert_eq!(gift(accounts), Some(("large", hour, true)));
        }
        // A few of them wait for others.
        let accounts = [held(&small, &[(1, 50)], &[]), held(&large, &[(8, 90)], &[(900, 99)])];
        assert_eq!(gift(accounts), Some(("large", 8, false)));
    }

    #[test]
    fn an_hour_that_goes_on_is_given_before_other_accounts_have_to_give() {
        let (small, large) = (id("small"), id("large"));
        let accounts = [held(&small, &[(1, 50)], &[]), held(&large, &[], &[(9, 500)])];
        assert_eq!(gift(accounts), Some(("large", 9, true)));
    }

    #[test]
    fn an_account_with_nothing_to_give_is_passed_over() {
        let (small, large) = (id("small"), id("large"));
        let accounts = [held(&small, &[(1, 50)], &[]), held(&large, &[], &[(9, 99)])];
        assert_eq!(gift(accounts), Some(("small", 1, false)));
        assert_eq!(gift([held(&large, &[], &[(9, 99)])]), None);
        assert_eq!(gift([]), None);
    }

    proptest! {
        /// However the hours of one account lie, another that takes less gives nothing while the first has something.
        #[test]
        fn no_account_costs_another_its_share(
            waiting in prop::collection::vec((0..1000_i64, 100..1000_usize), 1..20),
            sealed in prop::collection::vec((0..9_i64, 1..1000_usize), 0..20),
        ) {
            let (small, large) = (id("small"), id("large"));
            let accounts = [held(&small, &[(1, 50)], &[]), held(&large, &sealed, &waiting)];
            prop_assert_eq!(gift(accounts).unwrap().0, "large");
        }
    }
}
