//! What differs between a report of ours and a recorded one.

use std::collections::BTreeSet;

use skillscope_query::{Breakdown, Metric, Metrics, Report};

use super::recorded_answer::RecordedAnswer;
use super::recorded_report::RecordedBreakdown;
use super::told::Told;

/// A part of a report's timeframe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// All of it.
    Timeframe,
    /// An interval, by its place: 0 is the newest.
    Interval(usize),
}

/// A metric that is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) part: Part,
    /// The skill; `None` for all of them together.
    pub(super) skill: Option<i64>,
    /// The metric's place in [`Metric::ALL`].
    pub(super) metric: usize,
    pub(super) ours: i64,
    pub(super) theirs: Told,
    /// Whether it is of all skills together, and no other than the differences of the single skills bring about.
    pub(super) follows: bool,
}

impl Difference {
    /// What theirs is more than ours; `None` where theirs is no number.
    pub(super) fn more(&self) -> Option<i64> {
        self.theirs.number().map(|theirs| theirs.saturating_sub(self.ours))
    }

    /// Whether it is a count, as opposed to an average.
    pub(super) fn is_of_count(&self) -> bool {
        Metric::ALL.get(self.metric).is_some_and(|metric| metric.is_additive)
    }
}

/// Every metric that differs: of the timeframe and then of each interval, of each skill and then of all together.
pub(super) fn differences(ours: &Report, theirs: &RecordedAnswer) -> Vec<Difference> {
    let mut all = of_part(Part::Timeframe, &ours.summary, &theirs.summary);
    let intervals = ours.intervals.iter().flatten().zip(&theirs.intervals).enumerate();
    for (place, (ours, theirs)) in intervals {
        all.extend(of_part(Part::Interval(place), &ours.metrics, theirs));
    }
    all
}

fn of_part(part: Part, ours: &Breakdown, theirs: &RecordedBreakdown) -> Vec<Difference> {
    let (no_metrics, nothing) = (Metrics::default(), vec![Told::Number(0); Metric::ALL.len()]);
    let own = |skill: i64| ours.skills.binary_search_by_key(&skill, |(skill, _)| *skill).ok();
    let own = |skill: i64| own(skill).and_then(|place| ours.skills.get(place)).map_or(&no_metrics, |(_, own)| own);
    let skills: BTreeSet<i64> =
        ours.skills.iter().map(|(skill, _)| *skill).chain(theirs.skills.keys().copied()).collect();
    let mut all = Vec::new();
    for skill in skills {
        all.extend(of_metrics(part, Some(skill), own(skill), theirs.skills.get(&skill).unwrap_or(&nothing)));
    }
    let mut of_total = of_metrics(part, None, &ours.total, &theirs.total);
    for difference in &mut of_total {
        difference.follows = follows(difference, &all);
    }
    all.extend(of_total);
    all
}

fn of_metrics(part: Part, skill: Option<i64>, ours: &Metrics, theirs: &[Told]) -> Vec<Difference> {
    let differs = |(metric, (of, theirs)): (usize, (&Metric, &Told))| {
        let ours = of.of(ours);
        let theirs = theirs.clone();
        (theirs != Told::Number(ours)).then_some(Difference { part, skill, metric, ours, theirs, follows: false })
    };
    Metric::ALL.iter().zip(theirs).enumerate().filter_map(differs).collect()
}

/// Whether a difference of all skills together is the sum of those of the skills. An average of all is another one
/// where anything of a skill is.
fn follows(of_total: &Difference, of_skills: &[Difference]) -> bool {
    let Some(more) = of_total.more() else { return false };
    if !of_total.is_of_count() {
        return !of_skills.is_empty();
    }
    let of_metric = of_skills.iter().filter(|difference| difference.metric == of_total.metric);
    of_metric.filter_map(Difference::more).fold(0_i64, i64::saturating_add) == more
}
