//! Which files have expired.

/// Whether a file has expired whose hours end at `end`: all of its rows are older than `age_ms`. `None` keeps them
/// forever.
pub(crate) fn is_expired(end: i64, age_ms: Option<i64>, now: i64) -> bool {
    age_ms.is_some_and(|age| end.saturating_add(age) <= now)
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
    fn a_file_without_an_age_is_kept_forever() {
        assert!(!is_expired(1_000, None, i64::MAX));
    }
}
