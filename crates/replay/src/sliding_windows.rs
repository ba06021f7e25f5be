//! Sums over windows of time that slide forward from report to report.

use std::collections::BTreeMap;
use std::ops::Range;

use skillscope_query::{Breakdown, Interval, Metrics, Report};

use crate::skill_index::{AccountSkills, SkillIndex};
use crate::timeline::{SliceMetrics, Timeline};

/// The metrics of each skill in a window of time that slides forward.
#[derive(Debug, Default)]
struct SlidingWindow {
    /// The place of the first entry in the window, and of the first entry after it.
    from: usize,
    to: usize,
    sums: Vec<Metrics>,
    /// The places of entries in the window that are not in the sums, since they are not known yet, by the instant at
    /// which they will be.
    unknown: BTreeMap<i64, Vec<usize>>,
}

impl SlidingWindow {
    /// Slides to the slices from `start` up to, and without, `end`, as they are known at `now`. None may go back.
    fn slide(&mut self, timeline: &Timeline, skills: usize, slices: Range<i64>, now: i64) {
        self.sums.resize(skills, Metrics::default());
        self.learn(timeline, now);
        while let Some(entry) = timeline.get(self.to).filter(|entry| entry.slice < slices.end) {
            match entry.known_from.filter(|known_from| *known_from > now) {
                Some(known_from) => self.unknown.entry(known_from).or_default().push(self.to),
                None => self.add(entry),
            }
            self.to += 1;
        }
        while let Some(entry) =
            timeline.get(self.from).filter(|entry| entry.slice < slices.start && self.from < self.to)
        {
            let is_known = entry.known_from.is_none_or(|known_from| known_from <= now);
            if let Some(sum) = self.sums.get_mut(entry.skill).filter(|_| is_known) {
                *sum -= &entry.metrics;
            }
            self.from += 1;
        }
    }

    /// Adds the entries in the window that are known by now.
    fn learn(&mut self, timeline: &Timeline, now: i64) {
        while let Some(known) = self.unknown.first_entry().filter(|first| *first.key() <= now) {
            for place in known.remove() {
                // Those that have left the window without being known are in no sum.
                if let Some(entry) = timeline.get(place).filter(|_| place >= self.from) {
                    self.add(entry);
                }
            }
        }
    }

    fn add(&mut self, entry: &SliceMetrics) {
        if let Some(sum) = self.sums.get_mut(entry.skill) {
            *sum += &entry.metrics;
        }
    }

    /// The metrics of those skills of an account that have segments in the window.
    fn breakdown(&self, account: &AccountSkills) -> Breakdown {
        let mut breakdown = Breakdown::default();
        for (skill, number) in &account.skills {
            if let Some(metrics) = self.sums.get(*number).filter(|metrics| metrics.total != 0) {
                breakdown.push(*skill, *metrics);
            }
        }
        breakdown
    }
}

/// The windows of a report: one for each interval, or one for the whole timeframe.
#[derive(Debug)]
pub(crate) struct SlidingWindows {
    /// The newest first.
    windows: Vec<SlidingWindow>,
    length: i64,
    has_intervals: bool,
}

impl SlidingWindows {
    /// Windows for reports of this timeframe, with intervals of this length if there is one; both in milliseconds.
    pub(crate) fn new(timeframe: i64, interval: Option<i64>) -> Self {
        let length = interval.unwrap_or(timeframe).max(1);
        let count = timeframe / length;
        Self {
            windows: (0..count).map(|_| SlidingWindow::default()).collect(),
            length,
            has_intervals: interval.is_some(),
        }
    }

    /// Slides to the report at `now`, which may not be before the last one, and forgets entries that no later report
    /// needs.
    pub(crate) fn slide(&mut self, timeline: &mut Timeline, skills: &SkillIndex, now: i64) {
        let mut end = now;
        for window in &mut self.windows {
            let start = end.saturating_sub(self.length);
            window.slide(timeline, skills.count(), start..end, now);
            end = start;
        }
        if let Some(oldest) = self.windows.last() {
            timeline.forget_before(oldest.from);
        }
    }

    /// The report of an account at `now`, to which the windows have slid.
    pub(crate) fn report(&self, account: &AccountSkills, now: i64) -> Report {
        if !self.has_intervals {
            let summary = self.windows.first().map(|window| window.breakdown(account)).unwrap_or_default();
            return Report { intervals: None, summary };
        }
        let mut timestamp = now;
        let interval = |window: &SlidingWindow| {
            timestamp = timestamp.saturating_sub(self.length);
            Interval { timestamp, metrics: window.breakdown(account) }
        };
        let intervals = self.windows.iter().map(interval).collect();
        Report { intervals: Some(intervals), summary: self.summary(account) }
    }

    fn summary(&self, account: &AccountSkills) -> Breakdown {
        let mut summary = Breakdown::default();
        for (skill, number) in &account.skills {
            let mut sum = Metrics::default();
            self.windows.iter().filter_map(|window| window.sums.get(*number)).for_each(|metrics| sum += metrics);
            if sum.total != 0 {
                summary.push(*skill, sum);
            }
        }
        summary
    }
}
