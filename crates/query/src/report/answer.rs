//! The answer to a report request.

use super::metrics::Metrics;

/// The answer to a report request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Every interval of the timeframe, newest first, also those without segments; `None` where none were asked for.
    pub intervals: Option<Vec<Interval>>,
    /// The whole timeframe.
    pub summary: Breakdown,
}

/// The metrics of one interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// The interval's start, in milliseconds since the epoch.
    pub timestamp: i64,
    /// Its metrics.
    pub metrics: Breakdown,
}

/// Metrics by skill, and their sum.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breakdown {
    /// Every skill that has segments, in ascending order.
    pub skills: Vec<(i64, Metrics)>,
    /// All these skills together.
    pub total: Metrics,
}

impl Report {
    /// Every set of metrics in the report.
    pub fn all_metrics(&self) -> impl Iterator<Item = &Metrics> {
        let intervals = self.intervals.iter().flatten().map(|interval| &interval.metrics);
        intervals
            .chain([&self.summary])
            .flat_map(|breakdown| breakdown.skills.iter().map(|(_, metrics)| metrics).chain([&breakdown.total]))
    }
}

impl Breakdown {
    /// Adds the metrics of the next skill, whose number is higher than that of the last.
    pub fn push(&mut self, skill: i64, metrics: Metrics) {
        self.total += &metrics;
        self.skills.push((skill, metrics));
    }
}
