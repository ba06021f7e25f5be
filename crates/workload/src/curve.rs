//! How the workload is spread over the hours of a day.

use std::ops::Range;

pub(crate) const HOUR_MS: i64 = 3_600_000;

/// How busy each hour of a day is, in UTC: quiet nights, peaks before and after noon.
const HOURLY_WEIGHTS: [u64; 24] = [2, 1, 1, 1, 1, 2, 4, 8, 14, 20, 24, 25, 22, 20, 22, 24, 23, 20, 16, 13, 10, 7, 5, 3];

/// The curve of a day, repeated over a period. It maps shares of the workload to times.
#[derive(Debug)]
pub(crate) struct DayCurve {
    /// The period in pieces of at most an hour. Each has its times, and the weight of all pieces before it.
    pieces: Vec<(Range<i64>, f64)>,
    total: f64,
}

impl DayCurve {
    pub(crate) fn new(period: Range<i64>) -> Self {
        let mut pieces = Vec::new();
        let mut total = 0.0;
        let mut start = period.start;
        while start < period.end {
            let end = (start - start.rem_euclid(HOUR_MS) + HOUR_MS).min(period.end);
            pieces.push((start..end, total));
            total += weight(start) * (end - start) as f64;
            start = end;
        }
        Self { pieces, total }
    }

    /// The time before which a share of the workload, `quantile` (0 to 1), lies.
    pub(crate) fn time(&self, quantile: f64) -> i64 {
        let target = quantile.clamp(0.0, 1.0) * self.total;
        let after = self.pieces.partition_point(|(_, before)| *before <= target);
        let Some((times, before)) = after.checked_sub(1).and_then(|index| self.pieces.get(index)) else { return 0 };
        let offset = (target - before) / weight(times.start);
        (times.start + offset as i64).min(times.end - 1)
    }

    /// How much of the workload a whole hour at the time of day of `time` has; 1 is all of it. The hour need not be of the
    /// period.
    pub(crate) fn share_of_hour(&self, time: i64) -> f64 {
        weight(time) * HOUR_MS as f64 / self.total
    }
}

fn weight(time: i64) -> f64 {
    let hour = time.div_euclid(HOUR_MS).rem_euclid(24) as usize;
    HOURLY_WEIGHTS.get(hour).copied().unwrap_or(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stay_within_the_period_and_do_not_run_backwards() {
        let period = 1_000_000..1_000_000 + 26 * HOUR_MS;
        let curve = DayCurve::new(period.clone());
        let times: Vec<i64> = (0..=1000).map(|step| curve.time(f64::from(step) / 1000.0)).collect();
        assert!(times.is_sorted());
        assert!(times.iter().all(|time| period.contains(time)));
    }

    #[test]
    fn an_hour_gets_the_share_of_its_weight() {
        let curve = DayCurve::new(0..24 * HOUR_MS);
        let total: u64 = HOURLY_WEIGHTS.iter().sum();
        // 0 to 10 o'clock together weigh 2+1+1+1+1+2+4+8+14+20.
        assert_eq!(curve.time(54.0 / total as f64), 10 * HOUR_MS);
        assert_eq!(curve.share_of_hour(24 * HOUR_MS * 365 + 10 * HOUR_MS + 1), 24.0 / total as f64);
    }
}
