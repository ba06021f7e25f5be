use std::ops::{AddAssign, SubAssign};

/// The metrics of some segments, as counts and sums: they add up over skills and intervals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Segments.
    pub total: i64,
    /// Segments with the outcome `abandoned`.
    pub abandoned: i64,
    /// Abandoned segments in which no agent was assigned at the close.
    pub abandoned_in_queue: i64,
    /// Segments with the outcome `non_responsive_consumer`.
    pub non_responsive_consumer: i64,
    /// Segments with the outcome `non_responsive_agent`.
    pub non_responsive_agent: i64,
    /// Segments with the outcome `interactive`.
    pub interactive: i64,
    /// Segments with a time to first agent message.
    pub samples: i64,
    /// The sum of those times, in milliseconds.
    pub sample_sum: i64,
}

impl Metrics {
    /// Milliseconds from assignment to first agent message on average: sum ÷ count over all rows in question, rounded
    /// half up; 0 without samples.
    pub fn average_time_to_first_agent_message(&self) -> i64 {
        if self.samples <= 0 {
            return 0;
        }
        let (sum, count) = (i128::from(self.sample_sum), i128::from(self.samples));
        let rounded = (2 * sum + count).div_euclid(2 * count);
        i64::try_from(rounded).unwrap_or(i64::MAX)
    }

    /// Every closed segment has exactly one of the four outcomes, so they add up to the total.
    pub fn outcomes_add_up(&self) -> bool {
        let outcomes = [self.interactive, self.non_responsive_consumer, self.abandoned, self.non_responsive_agent];
        outcomes.iter().sum::<i64>() == self.total && self.abandoned_in_queue <= self.abandoned
    }
}

impl AddAssign<&Metrics> for Metrics {
    fn add_assign(&mut self, other: &Metrics) {
        self.total += other.total;
        self.abandoned += other.abandoned;
        self.abandoned_in_queue += other.abandoned_in_queue;
        self.non_responsive_consumer += other.non_responsive_consumer;
        self.non_responsive_agent += other.non_responsive_agent;
        self.interactive += other.interactive;
        self.samples += other.samples;
        // As the sums of plans do, and so that what was added can be taken away.
        self.sample_sum = self.sample_sum.wrapping_add(other.sample_sum);
    }
}

impl SubAssign<&Metrics> for Metrics {
    /// Takes away what was added.
    fn sub_assign(&mut self, other: &Metrics) {
        self.total -= other.total;
        self.abandoned -= other.abandoned;
        self.abandoned_in_queue -= other.abandoned_in_queue;
        self.non_responsive_consumer -= other.non_responsive_consumer;
        self.non_responsive_agent -= other.non_responsive_agent;
        self.interactive -= other.interactive;
        self.samples -= other.samples;
        self.sample_sum = self.sample_sum.wrapping_sub(other.sample_sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_is_rounded_half_up_and_0_without_samples() {
        let average = |sample_sum, samples| {
            Metrics { samples, sample_sum, ..Metrics::default() }.average_time_to_first_agent_message()
        };
        assert_eq!(average(0, 0), 0);
        assert_eq!(average(5, 2), 3);
        assert_eq!(average(7, 3), 2);
        assert_eq!(average(8, 3), 3);
        assert_eq!(average(i64::MAX, 1), i64::MAX);
        // The sister method's documented total: (5·1800 + 3·4000) ÷ 8.
        assert_eq!(average(5 * 1800 + 3 * 4000, 8), 2625);
    }
}
