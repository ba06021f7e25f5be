//! How often something was of what size, counted without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The bounds of a histogram.
#[derive(Debug)]
pub struct Buckets {
    /// The upper bounds, which belong to their buckets, ascending.
    bounds: &'static [u64],
    /// As many make one of the unit in which the histogram is read.
    per_unit: f64,
}

impl Buckets {
    /// Durations from 0.1 ms to a minute, counted in nanoseconds and read in seconds.
    pub const SECONDS: Self = Self {
        bounds: &[
            100_000,
            250_000,
            500_000,
            1_000_000,
            2_500_000,
            5_000_000,
            10_000_000,
            25_000_000,
            50_000_000,
            100_000_000,
            250_000_000,
            500_000_000,
            1_000_000_000,
            2_500_000_000,
            5_000_000_000,
            10_000_000_000,
            30_000_000_000,
            60_000_000_000,
        ],
        per_unit: 1e9,
    };

    /// Sizes from 1 KiB to 256 MiB.
    pub const BYTES: Self = Self {
        bounds: &[1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26, 1 << 28],
        per_unit: 1.0,
    };
}

/// Counts values by size. Adding one takes some nanoseconds.
#[derive(Debug)]
pub struct Histogram {
    buckets: &'static Buckets,
    /// One for each bound, and one for what is above the last.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// A histogram at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// The sum of all values.
    pub sum: f64,
    /// The upper bound of each bucket, and the values in it alone. The last bound is infinite.
    pub buckets: Vec<(f64, u64)>,
}

impl Histogram {
    /// A histogram without values.
    pub fn new(buckets: &'static Buckets) -> Self {
        let counts = (0..=buckets.bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { buckets, counts, sum: AtomicU64::new(0) }
    }

    /// A histogram of [durations](Buckets::SECONDS).
    pub fn of_seconds() -> Self {
        Self::new(&Buckets::SECONDS)
    }

    /// A histogram of [sizes](Buckets::BYTES).
    pub fn of_bytes() -> Self {
        Self::new(&Buckets::BYTES)
    }

    /// Adds a value: of durations, in nanoseconds.
    pub fn add(&self, value: u64) {
        let place = self.buckets.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Adds a duration.
    pub fn add_duration(&self, duration: Duration) {
        self.add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Adds the time since `start`.
    pub fn add_since(&self, start: Instant) {
        self.add_duration(start.elapsed());
    }

    /// What was counted so far.
    pub fn read(&self) -> Distribution {
        let of_unit = |value: u64| value as f64 / self.buckets.per_unit;
        let bounds = self.buckets.bounds.iter().map(|bound| of_unit(*bound)).chain([f64::INFINITY]);
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        Distribution { sum: of_unit(self.sum.load(Ordering::Relaxed)), buckets: bounds.zip(counts).collect() }
    }
}

impl Distribution {
    /// The number of values.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_up_to_their_bounds_and_summed() {
        let histogram = Histogram::of_bytes();
        [0, 1024, 1025, 1 << 28, (1 << 28) + 1].into_iter().for_each(|bytes| histogram.add(bytes));
        let read = histogram.read();
        assert_eq!(read.count(), 5);
        assert_eq!(read.sum, (2049 + 2 * (1 << 28) + 1) as f64);
        let filled: Vec<_> = read.buckets.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [(1024.0, 2), (4096.0, 1), (268_435_456.0, 1), (f64::INFINITY, 1)]);
    }

    #[test]
    fn durations_are_read_in_seconds() {
        let histogram = Histogram::of_seconds();
        histogram.add_duration(Duration::from_micros(100));
        histogram.add_duration(Duration::from_millis(1500));
        let read = histogram.read();
        assert_eq!(read.sum, 1.5001);
        let filled: Vec<_> = read.buckets.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [(0.0001, 1), (2.5, 1)]);
    }
}
