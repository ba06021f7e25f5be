//! Hours and days of UTC, in milliseconds since the epoch.

/// Milliseconds of an hour.
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// Milliseconds of a UTC day.
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;

/// The first millisecond of the hour that a time lies in.
pub(crate) fn hour_of(time: i64) -> i64 {
    time - time.rem_euclid(HOUR_MS)
}

/// The first millisecond of the day that a time lies in.
pub(crate) fn day_of(time: i64) -> i64 {
    time - time.rem_euclid(DAY_MS)
}
