//! Which hour is sealed next.

use skillscope_segment::AccountId;

use crate::calendar::HOUR_MS;

/// Rows of hours that are over are sealed at once where more than this would wait in memory and in the journal.
const MOST_WAITING_BYTES: usize = 256 << 20;

/// An hour with rows that no archive file has yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WaitingHour<'a> {
    pub(crate) account: &'a AccountId,
    /// Its first millisecond.
    pub(crate) hour: i64,
    /// When the first of the rows arrived.
    pub(crate) first_arrival: i64,
    /// Memory that the rows take.
    pub(crate) bytes: usize,
}

/// How long rows wait for others that come late, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waits {
    /// From the end of their hour on.
    pub(crate) grace_ms: i64,
    /// From the arrival of the first of them on.
    pub(crate) late_ms: i64,
}

impl WaitingHour<'_> {
    fn is_over(&self, now: i64) -> bool {
        self.hour.saturating_add(HOUR_MS) <= now
    }

    /// Whether it begins so far ahead of the clock that its rows are no matter of clocks that differ a little.
    fn is_ahead(&self, now: i64) -> bool {
        self.hour > now.saturating_add(HOUR_MS)
    }

    /// Whether rows for it are the exception: they are late, or nobody asks for them yet.
    pub(crate) fn can_be_sealed(&self, now: i64) -> bool {
        self.is_over(now) || self.is_ahead(now)
    }

    /// When it is sealed if nothing else comes up. Rows that came later than now came before the clock was set back.
    fn due(&self, waits: Waits, now: i64) -> i64 {
        let grace_ends = match self.is_ahead(now) {
            true => i64::MIN,
            false => self.hour.saturating_add(HOUR_MS).saturating_add(waits.grace_ms),
        };
        let wait_ends = self.first_arrival.saturating_add(waits.late_ms);
        if self.first_arrival > now { grace_ends } else { grace_ends.max(wait_ends) }
    }
}

/// The next hour to seal: the one that has been due for longest, so that a busy account holds up no other. Where too
/// much waits, it is the hour with the most rows, due or not. An hour that goes on, or comes next, is not sealed; rows
/// for hours that are further ahead are like late ones, so that they take neither memory nor room in the journal.
pub(crate) fn next_to_seal<'a>(hours: &[WaitingHour<'a>], waits: Waits, now: i64) -> Option<WaitingHour<'a>> {
    let ready = || hours.iter().filter(|hour| hour.can_be_sealed(now));
    let chosen = if ready().map(|hour| hour.bytes).sum::<usize>() > MOST_WAITING_BYTES {
        ready().max_by_key(|hour| hour.bytes)
    } else {
        ready().filter(|hour| hour.due(waits, now) <= now).min_by_key(|hour| hour.due(waits, now))
    };
    chosen.copied()
}

/// What should have been sealed by now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Overdue {
    /// The number of hours of accounts.
    pub(crate) hours: usize,
    /// Memory that their rows take.
    pub(crate) bytes: usize,
    /// How long the first of them has been due, in milliseconds.
    pub(crate) longest_ms: i64,
}

/// How far sealing is behind.
pub(crate) fn overdue<'a>(hours: impl Iterator<Item = WaitingHour<'a>>, waits: Waits, now: i64) -> Overdue {
    let due = hours.filter(|hour| hour.can_be_sealed(now) && hour.due(waits, now) <= now);
    due.fold(Overdue::default(), |overdue, hour| Overdue {
        hours: overdue.hours + 1,
        bytes: overdue.bytes + hour.bytes,
        // Rows of an hour ahead of the clock are due when they have come.
        longest_ms: overdue.longest_ms.max(now.saturating_sub(hour.due(waits, now).max(hour.first_arrival.min(now)))),
    })
}

/// Any hour that is over.
pub(crate) fn next_over<'a>(hours: &[WaitingHour<'a>], now: i64) -> Option<WaitingHour<'a>> {
    hours.iter().find(|hour| hour.is_over(now)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITS: Waits = Waits { grace_ms: 600_000, late_ms: 60_000 };

    fn account() -> AccountId {
        AccountId::parse("acme").unwrap()
    }

    fn waiting(account: &AccountId, hour: i64, first_arrival: i64, bytes: usize) -> WaitingHour<'_> {
        WaitingHour { account, hour: hour * HOUR_MS, first_arrival, bytes }
    }

    #[test]
    fn an_hour_is_sealed_when_its_grace_is_over() {
        let account = account();
        let hours = [waiting(&account, 1, HOUR_MS, 1)];
        let due = 2 * HOUR_MS + 600_000;
        assert_eq!(next_to_seal(&hours, WAITS, due - 1), None);
        assert_eq!(next_to_seal(&hours, WAITS, due), Some(hours[0]));
    }

    #[test]
    fn rows_that_come_late_are_collected_for_a_while() {
        let account = account();
        let hours = [waiting(&account, 1, 9 * HOUR_MS, 1)];
        assert_eq!(next_to_seal(&hours, WAITS, 9 * HOUR_MS + 59_999), None);
        assert_eq!(next_to_seal(&hours, WAITS, 9 * HOUR_MS + 60_000), Some(hours[0]));
    }

    #[test]
    fn rows_for_hours_far_ahead_are_sealed_like_late_ones_and_those_for_the_next_hour_are_not() {
        let account = account();
        let ahead = |hour| [waiting(&account, hour, 9 * HOUR_MS, 1)];
        assert_eq!(next_to_seal(&ahead(11), WAITS, 9 * HOUR_MS + 59_999), None);
        assert_eq!(next_to_seal(&ahead(11), WAITS, 9 * HOUR_MS + 60_000), Some(ahead(11)[0]));
        assert_eq!(next_to_seal(&ahead(10), WAITS, 9 * HOUR_MS + 60_000), None);
        // These came by a clock that was set back since.
        assert_eq!(next_to_seal(&ahead(11), WAITS, 5 * HOUR_MS), Some(ahead(11)[0]));
    }

    #[test]
    fn rows_that_came_before_the_clock_was_set_back_do_not_wait_for_it_to_catch_up() {
        let account = account();
        let hours = [waiting(&account, 1, 900 * HOUR_MS, 1)];
        let due = 2 * HOUR_MS + 600_000;
        assert_eq!(next_to_seal(&hours, WAITS, due - 1), None);
        assert_eq!(next_to_seal(&hours, WAITS, due), Some(hours[0]));
    }

    #[test]
    fn the_hour_that_is_due_for_longest_comes_first() {
        let account = account();
        let hours = [waiting(&account, 3, 0, 9), waiting(&account, 1, 0, 1), waiting(&account, 2, 0, 5)];
        assert_eq!(next_to_seal(&hours, WAITS, 9 * HOUR_MS), Some(hours[1]));
    }

    #[test]
    fn the_largest_hour_comes_first_where_too_much_waits() {
        let account = account();
        let half = MOST_WAITING_BYTES / 2;
        let hours = [waiting(&account, 1, 0, half), waiting(&account, 2, 0, half + 1)];
        // Neither of them is due.
        let now = 3 * HOUR_MS;
        assert_eq!(next_to_seal(&hours, Waits { grace_ms: i64::MAX, late_ms: 0 }, now), Some(hours[1]));
        let hours = [hours[0], waiting(&account, 2, 0, half)];
        assert_eq!(next_to_seal(&hours, Waits { grace_ms: i64::MAX, late_ms: 0 }, now), None);
    }

    #[test]
    fn an_hour_that_goes_on_is_never_sealed() {
        let account = account();
        let hours = [waiting(&account, 1, 0, 2 * MOST_WAITING_BYTES)];
        assert_eq!(next_to_seal(&hours, Waits { grace_ms: 0, late_ms: 0 }, 2 * HOUR_MS - 1), None);
        assert_eq!(next_over(&hours, 2 * HOUR_MS - 1), None);
        assert_eq!(next_over(&hours, 2 * HOUR_MS), Some(hours[0]));
    }
}
