//! Where a segment counts, and where it would count if another endpoint had something else of it.

use std::collections::BTreeSet;
use std::ops::Range;

use skillscope_query::{Metric, Metrics, UserTypeFilter};
use skillscope_segment::UserType;

use super::difference::Part;
use super::recordings::RecordedQuestion;

/// A number for each metric, in the order of [`Metric::ALL`]. Averages have none, and so are 0.
pub(super) type Counts = [i64; Metric::ALL.len()];

/// What decides where a segment counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) skill: i64,
    pub(super) end_time: i64,
    pub(super) user_type: UserType,
    pub(super) counts: Counts,
}

/// What another endpoint may have of a segment instead of what we have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variation {
    /// Not the segment.
    Absent,
    /// Other metrics that it counts in, by their JSON keys.
    Counted {
        /// Those that it does not count in here.
        as_well: Vec<&'static str>,
        /// Those that it does not count in there.
        not: Vec<&'static str>,
    },
    /// Another skill.
    Skill(i64),
    /// Another user type.
    UserType(UserType),
    /// Another end: this many milliseconds later at least, or earlier where it is below 0.
    Moved(i64),
    /// Another time to the first agent message, or one where we have none, or none.
    FirstMessage,
}

/// The counts of some metrics: those that add up.
pub(super) fn counts(metrics: &Metrics) -> Counts {
    let mut counts = Counts::default();
    for (count, metric) in counts.iter_mut().zip(Metric::ALL).filter(|(_, metric)| metric.is_additive) {
        *count = metric.of(metrics);
    }
    counts
}

/// A question that was asked at many instants: what is needed of it to tell where a segment counts.
#[derive(Debug)]
pub(super) struct Series {
    filter: UserTypeFilter,
    skills: Option<BTreeSet<i64>>,
    timeframe: i64,
    interval: Option<i64>,
    /// The instants, in ascending order.
    ends: Vec<i64>,
}

impl Series {
    pub(super) fn of(question: &RecordedQuestion) -> Self {
        let parameters = &question.parameters;
        Self {
            filter: parameters.user_type(),
            skills: parameters.skills().cloned(),
            timeframe: question.timeframe(),
            interval: parameters.interval_ms(),
            ends: question.answers.iter().map(|answer| answer.end).collect(),
        }
    }

    /// The instant of a recording.
    pub(super) fn end(&self, recording: usize) -> Option<i64> {
        self.ends.get(recording).copied()
    }

    /// The instants that a recording covers.
    pub(super) fn range(&self, recording: usize) -> Option<Range<i64>> {
        self.end(recording).map(|end| end.saturating_sub(self.timeframe)..end)
    }

    /// The recordings that cover an instant.
    pub(super) fn covering(&self, instant: i64) -> Range<usize> {
        let first = self.ends.partition_point(|end| *end <= instant);
        let after = self.ends.partition_point(|end| end.saturating_sub(self.timeframe) <= instant);
        first..after.max(first)
    }

    /// Whether a segment of this skill and user type counts where it ends in the timeframe.
    pub(super) fn counts(&self, placement: &Placement) -> bool {
        self.filter.only().is_none_or(|only| only == placement.user_type)
            && self.skills.as_ref().is_none_or(|skills| skills.contains(&placement.skill))
    }

    /// The parts of a recording's timeframe in which an instant lies.
    pub(super) fn parts(&self, recording: usize, instant: i64) -> impl Iterator<Item = Part> + use<> {
        let range = self.range(recording).filter(|range| range.contains(&instant));
        let interval = range.as_ref().zip(self.interval).and_then(|(range, length)| {
            let before_end = range.end.saturating_sub(instant).saturating_sub(1);
            usize::try_from(before_end / length.max(1)).ok().map(Part::Interval)
        });
        range.map(|_| Part::Timeframe).into_iter().chain(interval)
    }

    /// The boundaries next to an instant within a recording's timeframe, before and after it: the last instant of the
    /// part before, and the first of the part after.
    pub(super) fn across(&self, recording: usize, instant: i64) -> Option<[i64; 2]> {
        let end = self.end(recording)?;
        let length = self.interval.unwrap_or(self.timeframe).max(1);
        let to_next = end.saturating_sub(instant).rem_euclid(length);
        let next = instant.saturating_add(if to_next == 0 { length } else { to_next });
        Some([next.saturating_sub(length).saturating_sub(1), next])
    }
}

/// Whether one segment can count so: it has one outcome, and is in the queue only where it is abandoned.
pub(super) fn is_of_one_segment(counts: &Counts) -> bool {
    let of = |name: &str| {
        Metric::ALL.iter().zip(counts).find(|(metric, _)| metric.name == name).map_or(0, |(_, count)| *count)
    };
    let outcomes = ["interactive", "non_responsive_consumer", "abandoned", "non_responsive_agent"].map(of);
    counts.iter().all(|count| (0..=1).contains(count))
        && outcomes.iter().sum::<i64>() == of("total")
        && of("abandoned_in_queue") <= of("abandoned")
}
