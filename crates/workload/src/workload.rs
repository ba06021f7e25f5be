//! The options of a workload, and its conversations one after the other.

use std::ops::Range;

use arrow::array::RecordBatch;
use skillscope_segment::{AccountId, Result, SegmentBatchBuilder};

use crate::Conversation;
use crate::conversation::mean_stays;
use crate::curve::{DayCurve, HOUR_MS};
use crate::draw::Draw;

/// The options of a workload.
#[derive(Debug, Clone)]
pub struct WorkloadOptions {
    /// The total number of closed segments.
    pub rows: u64,
    /// The number of skills, which are numbered from 1.
    pub skills: u32,
    /// The accounts of the conversations.
    pub accounts: Vec<AccountId>,
    /// The length of the period before `end` in which every segment ends, in hours.
    pub hours: u32,
    /// The instant before which every segment ends, in milliseconds since the epoch.
    pub end: i64,
    /// The seed. Each seed makes another workload of the same options.
    pub seed: u64,
}

/// A workload, whose conversations are made one after the other.
pub struct Workload {
    options: WorkloadOptions,
    curve: DayCurve,
    /// For each skill, the sum of its weight and the weights of the skills before it.
    skill_weights: Vec<f64>,
    agents: Names,
    bots: Names,
}

impl Workload {
    /// The workload of `options`.
    pub fn new(mut options: WorkloadOptions) -> Self {
        options.skills = options.skills.max(1);
        options.hours = options.hours.max(1);
        let curve = DayCurve::new(period(&options));
        let mut sum = 0.0;
        let skill_weights = (1..=options.skills).map(|rank| {
            sum += 1.0 / f64::from(rank);
            sum
        });
        let skill_weights = skill_weights.collect();
        let agents = Names::new("agent", options.skills.saturating_mul(8));
        let bots = Names::new("bot", options.skills.div_ceil(4));
        Self { options, curve, skill_weights, agents, bots }
    }

    /// The instant before which every segment ends, in milliseconds since the epoch.
    pub fn end(&self) -> i64 {
        self.options.end
    }

    /// The conversations, roughly in the order in which they end, until the number of segments is reached.
    pub fn conversations(&self) -> impl Iterator<Item = Conversation<'_>> {
        let mut rows = 0;
        let mut index = 0;
        std::iter::from_fn(move || {
            let left = self.options.rows.checked_sub(rows).filter(|left| *left > 0)?;
            let mut draw = self.decisions(index);
            // The share of segments made so far is the place of the next conversation on the curve.
            let quantile = (rows as f64 + draw.unit()) / self.options.rows as f64;
            let conversation = Conversation::draw(self, &mut draw, self.curve.time(quantile), left);
            rows += conversation.segment_count() as u64;
            index += 1;
            Some(conversation)
        })
    }

    /// The closed segments of all conversations, in batches of about `rows`.
    pub fn batches(&self, rows: usize) -> impl Iterator<Item = Result<RecordBatch>> {
        let mut conversations = self.conversations();
        let mut builder = SegmentBatchBuilder::with_capacity(rows);
        std::iter::from_fn(move || {
            while builder.len() < rows {
                let Some(conversation) = conversations.next() else { break };
                conversation.segments().for_each(|segment| builder.append(&segment));
            }
            (!builder.is_empty()).then(|| builder.finish())
        })
    }

    /// The time at which conversations close after `rows` segments have been made. Later conversations close after it.
    pub(crate) fn time_after(&self, rows: u64) -> i64 {
        self.curve.time(rows as f64 / self.options.rows.max(1) as f64)
    }

    /// How many conversations close in the hour that begins at `start`, where the workload goes on as it is.
    pub(crate) fn conversations_in_hour(&self, start: i64) -> u64 {
        let segments = self.options.rows as f64 * self.curve.share_of_hour(start);
        (segments / mean_stays()).round() as u64
    }

    /// The decisions of conversation number `number`.
    pub(crate) fn decisions(&self, number: u64) -> Draw {
        Draw::new(self.options.seed, number)
    }

    /// The period in which segments end.
    pub(crate) fn period(&self) -> Range<i64> {
        period(&self.options)
    }

    pub(crate) fn account(&self, draw: &mut Draw) -> &str {
        let accounts = &self.options.accounts;
        accounts.get(draw.below(accounts.len() as u64) as usize).map_or("", AccountId::as_str)
    }

    /// A skill. Low numbers are by far the most likely.
    pub(crate) fn skill(&self, draw: &mut Draw) -> i64 {
        let target = draw.unit() * self.skill_weights.last().copied().unwrap_or(1.0);
        self.skill_weights.partition_point(|sum| *sum <= target) as i64 + 1
    }

    /// A skill other than `skill`; `None` if there is only one.
    pub(crate) fn other_skill(&self, draw: &mut Draw, skill: i64) -> Option<i64> {
        let skills = i64::from(self.options.skills);
        let drawn = self.skill(draw);
        let other = if drawn == skill { drawn % skills + 1 } else { drawn };
        (other != skill).then_some(other)
    }

    pub(crate) fn agents(&self) -> &Names {
        &self.agents
    }

    pub(crate) fn bots(&self) -> &Names {
        &self.bots
    }
}

fn period(options: &WorkloadOptions) -> Range<i64> {
    options.end.saturating_sub(i64::from(options.hours) * HOUR_MS)..options.end
}

/// The names of all agents of a kind.
pub(crate) struct Names(Vec<String>);

impl Names {
    fn new(kind: &str, count: u32) -> Self {
        Self((1..=count).map(|number| format!("{kind}-{number}")).collect())
    }

    pub(crate) fn draw(&self, draw: &mut Draw) -> &str {
        self.0.get(draw.below(self.0.len() as u64) as usize).map_or("", String::as_str)
    }
}
