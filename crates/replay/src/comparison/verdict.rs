//! Which conversations may be why the recordings of an account differ.

use std::collections::BTreeMap;

use skillscope_query::Metric;
use skillscope_segment::AccountId;

use super::difference::Part;
use super::evidence::{Cell, Evidence};
use super::prediction::CellKey;
use super::suspects::Suspect;

/// The most explanations that are looked for.
const MAX_EXPLANATIONS: usize = 1_000;

/// Which conversations may be why the recordings of an account differ.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The account.
    pub account: AccountId,
    /// The differences of skills: counts of a skill in a part of a recording's timeframe, and averages where no count
    /// differs.
    pub differences: u64,
    /// Whether there are more, which were not looked at.
    pub is_cut: bool,
    /// What explains them, the most at first. Each explains some of what those before it left.
    pub explanations: Vec<Explanation>,
    /// What nothing explains.
    pub unexplained: Vec<Unexplained>,
}

/// Segments of which one explains some differences.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The differences that it explains.
    pub explains: u64,
    /// Those that there should be, too, and are not.
    pub contradicts: u64,
    /// How many of the suspects it takes.
    pub segments: usize,
    /// Those who explain the same, the likeliest at first.
    pub suspects: Vec<Suspect>,
}

/// Differences of a skill that no segment explains.
#[derive(Debug, Clone)]
pub struct Unexplained {
    /// The parameters, as a query.
    pub query: String,
    /// The skill.
    pub skill: i64,
    /// The first metric that differs.
    pub metric: &'static Metric,
    /// The least and the most that theirs is more than ours; `None` of an average.
    pub more: Option<(i64, i64)>,
    /// The recordings in which it does.
    pub recordings: u64,
    /// The first and the last of their instants, in milliseconds since the epoch.
    pub span: (i64, i64),
}

impl Verdict {
    /// Finds segments that together explain what differs: the one that explains the most, then the one that explains
    /// the most of what is left.
    pub(super) fn of(account: &AccountId, mut evidence: Evidence, mut suspects: Vec<Suspect>) -> Self {
        let differences = evidence.differences();
        let mut explanations = Vec::new();
        while explanations.len() < MAX_EXPLANATIONS {
            suspects.iter_mut().for_each(|suspect| suspect.weigh(&evidence));
            suspects.retain(|suspect| suspect.score.is_possible());
            suspects.sort_by(|one, other| one.rank().cmp(&other.rank()));
            let Some(place) = suspects.iter().position(|suspect| suspect.score.is_likely()) else { break };
            explanations.extend(explanation(place, &mut suspects, &mut evidence));
        }
        let (account, is_cut) = (account.clone(), evidence.is_cut);
        Self { account, differences, is_cut, explanations, unexplained: unexplained(&evidence) }
    }
}

/// The explanation by the likeliest suspect, or by as many of those who explain the same as it takes.
fn explanation(likeliest: usize, suspects: &mut Vec<Suspect>, evidence: &mut Evidence) -> Option<Explanation> {
    let signature = suspects.get(likeliest)?.signature(evidence);
    let mut same = Vec::new();
    suspects.retain(|suspect| {
        let is_same = suspect.signature(evidence) == signature;
        if is_same {
            same.push(suspect.clone());
        }
        !is_same
    });
    let mut segments: Vec<_> = same.iter().map(Suspect::key).collect();
    segments.sort_unstable();
    segments.dedup();
    let most = segments.len();
    let mut explanation = Explanation { explains: 0, contradicts: 0, segments: 0, suspects: same.clone() };
    let mut next = same.first().cloned()?;
    while explanation.segments < most && next.score.is_likely() {
        next.explain(evidence);
        explanation.explains = explanation.explains.saturating_add(next.score.explains);
        explanation.contradicts = explanation.contradicts.saturating_add(next.score.contradicts);
        explanation.segments = explanation.segments.saturating_add(1);
        next.weigh(evidence);
    }
    Some(explanation)
}

/// What is left, by question and skill: of the whole timeframe where it differs there, or else of the intervals.
fn unexplained(evidence: &Evidence) -> Vec<Unexplained> {
    let mut by_skill = BTreeMap::<(usize, i64), Vec<(CellKey, Cell)>>::new();
    for (key, cell) in evidence.left() {
        by_skill.entry((key.series, key.skill)).or_default().push((key, cell));
    }
    by_skill.into_iter().filter_map(|((series, skill), cells)| of_skill(evidence, series, skill, &cells)).collect()
}

fn of_skill(evidence: &Evidence, series: usize, skill: i64, cells: &[(CellKey, Cell)]) -> Option<Unexplained> {
    let known = evidence.series.get(series)?;
    let counted = |metric: usize| {
        let more = move |(key, cell): &(CellKey, Cell)| {
            cell.more.get(metric).copied().filter(|more| *more != 0).map(|more| (*key, more))
        };
        let all: Vec<(CellKey, i64)> = cells.iter().filter_map(more).collect();
        let whole: Vec<_> = all.iter().copied().filter(|(key, _)| key.part == Part::Timeframe).collect();
        if whole.is_empty() { all } else { whole }
    };
    let metrics = Metric::ALL.iter().enumerate();
    let first = metrics.map(|(place, metric)| (metric, counted(place))).find(|(_, cells)| !cells.is_empty());
    let (metric, keys, more) = match first {
        Some((metric, cells)) => {
            let least = cells.iter().map(|(_, more)| *more).min()?;
            let most = cells.iter().map(|(_, more)| *more).max()?;
            (metric, cells.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), Some((least, most)))
        }
        None => {
            let average = Metric::ALL.iter().find(|metric| !metric.is_additive)?;
            (average, cells.iter().map(|(key, _)| *key).collect(), None)
        }
    };
    let mut recordings: Vec<usize> = keys.iter().map(|key| key.recording).collect();
    recordings.sort_unstable();
    recordings.dedup();
    let end = |recording: Option<&usize>| known.recordings.end(*recording?);
    Some(Unexplained {
        query: known.query.clone(),
        skill,
        metric,
        more,
        recordings: recordings.len() as u64,
        span: (end(recordings.first())?, end(recordings.last())?),
    })
}
