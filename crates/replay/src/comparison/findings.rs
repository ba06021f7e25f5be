//! What a comparison found: differences of the same metric, skill and part of the timeframe, over all recordings.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use skillscope_query::Metric;
use skillscope_segment::AccountId;

use super::difference::{Difference, Part};
use super::told::Told;
use super::verdict::Verdict;

/// The most findings that are kept of a question. A comparison with more is of things that have nothing in common.
const MAX_FINDINGS: usize = 100_000;

/// What a comparison found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// The recordings that were compared.
    pub recordings: u64,
    /// Those that differ from ours in any metric.
    pub differing: u64,
    /// Those whose instant is the one that the timestamps of their intervals tell.
    pub by_timestamps: u64,
    /// How long after the recorded instant those timestamps put the answer, in milliseconds: the shortest and the
    /// longest time.
    pub delays: Option<(i64, i64)>,
    /// What was found for each question.
    pub questions: Vec<QuestionFindings>,
    /// Which conversations may be why, for each account whose recordings differ; `None` where nobody asked.
    pub verdicts: Option<Vec<Verdict>>,
}

/// What was found for a question.
#[derive(Debug, Clone)]
pub struct QuestionFindings {
    /// The account.
    pub account: AccountId,
    /// The parameters, as a query.
    pub query: String,
    /// The number of intervals of each report; 0 where none were asked for.
    pub intervals: usize,
    /// The recordings that were compared.
    pub recordings: u64,
    /// Those that differ from ours in any metric.
    pub differing: u64,
    /// The instants of the first and the last recording, in milliseconds since the epoch.
    pub span: (i64, i64),
    /// The differences, the most telling first. Those of all skills together are left out where they follow from those
    /// of the skills.
    pub findings: Vec<Finding>,
}

/// A metric of a skill, in a part of the timeframe, that differs in some recordings.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The part of the timeframe.
    pub part: Part,
    /// The skill; `None` for all of them together.
    pub skill: Option<i64>,
    /// The metric.
    pub metric: &'static Metric,
    /// The recordings in which it differs.
    pub recordings: u64,
    /// The first and the last of their instants, in milliseconds since the epoch.
    pub span: (i64, i64),
    /// The least and the most that theirs is more than ours; `None` where theirs is no number anywhere.
    pub more: Option<(i64, i64)>,
    /// Ours and theirs in the first recording that differs.
    pub first: (i64, Told),
    /// The recordings in which theirs is missing or no number.
    pub untold: u64,
}

impl Finding {
    fn new(difference: &Difference, metric: &'static Metric, instant: i64) -> Self {
        Self {
            part: difference.part,
            skill: difference.skill,
            metric,
            recordings: 0,
            span: (instant, instant),
            more: None,
            first: (difference.ours, difference.theirs.clone()),
            untold: 0,
        }
    }

    fn add(&mut self, difference: &Difference, instant: i64) {
        self.recordings = self.recordings.saturating_add(1);
        self.span.1 = instant;
        match difference.more() {
            Some(more) => {
                let (least, most) = self.more.unwrap_or((more, more));
                self.more = Some((least.min(more), most.max(more)));
            }
            None => self.untold = self.untold.saturating_add(1),
        }
    }

    /// Whether it is an average that differs by a millisecond at most, as those do that are rounded in another way.
    pub fn is_of_rounding(&self) -> bool {
        !self.metric.is_additive && self.untold == 0 && self.more.is_some_and(|(least, most)| least >= -1 && most <= 1)
    }
}

/// The differences of a question, as they are found.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    findings: BTreeMap<(Part, Option<i64>, usize), Finding>,
    pub(super) differing: u64,
}

impl Gathering {
    /// Adds the differences of a recording. Recordings come in the order of time.
    pub(super) fn add(&mut self, differences: &[Difference], instant: i64) {
        if !differences.is_empty() {
            self.differing = self.differing.saturating_add(1);
        }
        for difference in differences.iter().filter(|difference| !difference.follows) {
            let Some(metric) = Metric::ALL.get(difference.metric) else { continue };
            let key = (difference.part, difference.skill, difference.metric);
            if self.findings.len() >= MAX_FINDINGS && !self.findings.contains_key(&key) {
                continue;
            }
            let finding = self.findings.entry(key).or_insert_with(|| Finding::new(difference, metric, instant));
            finding.add(difference, instant);
        }
    }

    /// The findings, the most telling first: counts before averages, the timeframe before its intervals, and what
    /// differs most often.
    pub(super) fn finish(self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.findings.into_values().collect();
        // The order within the same importance is that of the map: part, skill and metric.
        findings.sort_by_key(|finding| {
            let is_of_interval = finding.part != Part::Timeframe;
            (finding.is_of_rounding(), !finding.metric.is_additive, is_of_interval, Reverse(finding.recordings))
        });
        findings
    }
}
