//! Which files have expired.

use crate::calendar::{DAY_MS, HOUR_MS};

/// Whether a file has expired whose hours end at `end`: all of its rows are older than `age_ms`. `None` keeps them
/// forever.
pub(crate) fn is_expired(end: i64, age_ms: Option<i64>, now: i64) -> bool {
    age_ms.is_some_and(|age| end.saturating_add(age) <= now)
}

/// Whether a file has been kept for a day that was found to have expired within the hour from `hour` on.
pub(crate) fn is_kept_long_enough(hour: i64, now: i64) -> bool {
    hour.saturating_add(HOUR_MS + DAY_MS) <= now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_expires_when_its_last_hour_is_too_old() {
        assert!(!is_expired(1_000, Some(500), 1_499));
        assert!(is_expired(1_000, Some(500), 1_500));
    }

    #[test]
    fn a_file_that_expired_is_kept_for_a_whole_day() {
        // Whenever in the hour it was.
        assert!(!is_kept_long_enough(HOUR_MS, 2 * HOUR_MS - 1 + DAY_MS));
        assert!(is_kept_long_enough(HOUR_MS, 2 * HOUR_MS + DAY_MS));
    }

    #[test]
    fn a_file_without_an_age_is_kept_forever() {
        assert!(!is_expired(1_000, None, i64::MAX));
    }
}
