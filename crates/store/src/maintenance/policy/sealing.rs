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

    /// When it is sealed if nothing else comes up.
    fn due(&self, waits: Waits) -> i64 {
        let grace_ends = self.hour.saturating_add(HOUR_MS).saturating_add(waits.grace_ms);
        grace_ends.max(self.first_arrival.saturating_add(waits.late_ms))
    }
}

/// The next hour to seal: the one that has been due for longest, so that a busy account holds up no other. Where too
/// much waits, it is the hour with the most rows, due or not. The hour that is not over yet is never sealed.
pub(crate) fn next_to_seal<'a>(hours: &[WaitingHour<'a>], waits: Waits, now: i64) -> Option<WaitingHour<'a>> {
    let over = || hours.iter().filter(|hour| hour.is_over(now));
    let chosen = if over().map(|hour| hour.bytes).sum::<usize>() > MOST_WAITING_BYTES {
        over().max_by_key(|hour| hour.bytes)
    } else {
        over().filter(|hour| hour.due(waits) <= now).min_by_key(|hour| hour.due(waits))
    };
    chosen.copied()
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
