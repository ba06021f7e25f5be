//! What differs in each cell (a skill in a part of a recording's timeframe), and how well a segment explains it.
//!
//! A segment that the other endpoint does not have is missing from every cell in whose time it ended, and from no
//! other. So the recordings that differ and those that do not tell both which segment it can be.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::ops::{ControlFlow, Range};

use twox_hash::XxHash3_64;

use super::difference::Difference;
use super::placement::{Counts, Placement, Series};
use super::prediction::{CellKey, KnownSeries, predict};
use super::recordings::RecordedQuestion;
use super::score::Score;

/// The most cells that are kept. Recordings after them are no evidence.
const MAX_CELLS: usize = 1_000_000;

/// How far outside a part of the timeframe a segment may have ended here to be within it there, in milliseconds.
pub(super) const NEAR_MS: i64 = 60_000;

/// What differs in the recordings of an account.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub(super) series: Vec<KnownSeries>,
    cells: HashMap<CellKey, Cell>,
    /// The recordings of each series that differ in a skill, in ascending order.
    differing: HashMap<(usize, i64), Vec<usize>>,
    /// Whether there are more differences than were kept.
    pub(super) is_cut: bool,
}

/// What differs in a cell.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cell {
    /// What theirs is more than ours.
    pub(super) more: Counts,
    /// Whether an average differs although no count does.
    pub(super) average: bool,
}

impl Evidence {
    /// Begins with the recordings of a question, and returns its number.
    pub(super) fn begin(&mut self, question: &RecordedQuestion) -> usize {
        let known = if self.is_cut { 0 } else { question.answers.len() };
        self.series.push(KnownSeries { query: question.text(), recordings: Series::of(question), known });
        self.series.len().saturating_sub(1)
    }

    /// Adds what differs in a recording, which is the next of its series that differs.
    pub(super) fn add(&mut self, series: usize, recording: usize, differences: &[Difference]) {
        let Some(known) = self.series.get_mut(series).map(|series| &mut series.known) else { return };
        if self.cells.len() >= MAX_CELLS && *known > recording {
            (*known, self.is_cut) = (recording, true);
        }
        if recording >= *known {
            return;
        }
        let mut averages = Vec::new();
        for difference in differences {
            let (Some(skill), Some(more)) = (difference.skill, difference.more()) else { continue };
            let key = CellKey { series, skill, part: difference.part, recording };
            if !difference.is_of_count() {
                averages.push(key);
            } else if let Some(count) = self.cells.entry(key).or_default().more.get_mut(difference.metric) {
                *count = more;
            }
            let differing = self.differing.entry((series, skill)).or_default();
            if differing.last() != Some(&recording) {
                differing.push(recording);
            }
        }
        for key in averages {
            // Where a count differs, the average differs with it.
            let cell = self.cells.entry(key).or_default();
            cell.average = cell.more == Counts::default();
        }
    }

    /// The number of differences: counts of cells, and averages where no count differs.
    pub(super) fn differences(&self) -> u64 {
        self.cells.values().map(Cell::differences).sum()
    }

    /// The skills in which something differs.
    pub(super) fn skills(&self) -> BTreeSet<i64> {
        self.differing.keys().map(|(_, skill)| *skill).collect()
    }

    /// The most frequent changes of counts in single cells, each as if it were of one segment.
    pub(super) fn changes(&self, most: usize) -> Vec<Counts> {
        let mut changes = HashMap::<Counts, usize>::new();
        for cell in self.cells.values() {
            *changes.entry(cell.more.map(i64::signum)).or_default() += 1;
        }
        changes.remove(&Counts::default());
        let mut changes: Vec<(Counts, usize)> = changes.into_iter().collect();
        changes.sort_unstable_by_key(|(change, times)| (Reverse(*times), *change));
        changes.into_iter().take(most).map(|(change, _)| change).collect()
    }

    /// The time within which segments may have ended that explain a difference, as ranges in ascending order.
    pub(super) fn time(&self) -> Vec<Range<i64>> {
        let near = |range: Range<i64>| range.start.saturating_sub(NEAR_MS)..range.end.saturating_add(NEAR_MS);
        let of = |(key, recordings): (&(usize, i64), &Vec<usize>)| {
            let series = self.series.get(key.0);
            let ranges = recordings.iter().filter_map(|recording| series?.recordings.range(*recording)).map(near);
            ranges.collect::<Vec<_>>()
        };
        let mut ranges: Vec<Range<i64>> = self.differing.iter().flat_map(of).collect();
        ranges.sort_by_key(|range| range.start);
        let mut merged: Vec<Range<i64>> = Vec::new();
        for range in ranges {
            match merged.last_mut().filter(|last| last.end >= range.start) {
                Some(last) => last.end = last.end.max(range.end),
                None => merged.push(range),
            }
        }
        merged
    }

    /// The recordings that differ in a skill, and that cover an instant or nearly do, with their series.
    pub(super) fn differing_near(&self, skill: i64, instant: i64) -> impl Iterator<Item = (&Series, usize)> {
        self.series.iter().enumerate().flat_map(move |(number, known)| {
            let first = known.recordings.covering(instant.saturating_sub(NEAR_MS)).start;
            let after = known.recordings.covering(instant.saturating_add(NEAR_MS)).end;
            let all = self.differing.get(&(number, skill)).map(Vec::as_slice).unwrap_or_default();
            let from = all.partition_point(|recording| *recording < first);
            let to = all.partition_point(|recording| *recording < after);
            let near = all.get(from..to).unwrap_or_default();
            near.iter().map(move |recording| (&known.recordings, *recording))
        })
    }

    /// How much is explained by the other endpoint's having `theirs` instead of `ours`; `None` is nothing.
    pub(super) fn weigh(&self, ours: &Placement, theirs: Option<&Placement>) -> Score {
        let mut score = Score::default();
        let _ = predict(&self.series, ours, theirs, |prediction| {
            let cell = self.cells.get(&prediction.key).copied().unwrap_or_default();
            for ((predicted, is_common), actual) in prediction.more.iter().zip(prediction.common).zip(cell.more) {
                let is_right = predicted.signum() == actual.signum();
                match (*predicted != 0, is_common) {
                    (true, _) if is_right => score.explains += 1,
                    (true, _) => score.contradicts += 1,
                    (false, true) if !is_right => score.contradicts += 1,
                    (false, _) => {}
                }
            }
            if score.is_hopeless() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        score
    }

    /// A number that is the same for those who would differ in the same cells by the same counts.
    pub(super) fn signature(&self, ours: &Placement, theirs: Option<&Placement>) -> u64 {
        let mut hasher = XxHash3_64::new();
        let _ = predict(&self.series, ours, theirs, |prediction| {
            (prediction.key, prediction.more).hash(&mut hasher);
            ControlFlow::Continue(())
        });
        hasher.finish()
    }

    /// Takes away what is explained so.
    pub(super) fn explain(&mut self, ours: &Placement, theirs: Option<&Placement>) {
        let mut predictions = Vec::new();
        let _ = predict(&self.series, ours, theirs, |prediction| {
            predictions.push(*prediction);
            ControlFlow::Continue(())
        });
        for prediction in predictions {
            let Some(cell) = self.cells.get_mut(&prediction.key) else { continue };
            for (predicted, actual) in prediction.more.iter().zip(&mut cell.more) {
                if predicted.signum() == actual.signum() {
                    *actual = actual.saturating_sub(*predicted);
                }
            }
        }
    }

    /// How much is explained by another time to the first message in a segment: an average differs wherever it counts.
    pub(super) fn weigh_average(&self, ours: &Placement) -> Score {
        let mut score = Score::default();
        let _ = predict(&self.series, ours, None, |prediction| {
            match self.cells.get(&prediction.key) {
                Some(cell) if cell.average => score.explains += 1,
                // The average of a cell whose counts differ says nothing, since it is another one in any case.
                Some(cell) if cell.more != Counts::default() => {}
                _ => score.contradicts += 1,
            }
            if score.is_hopeless() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        score
    }

    /// Takes away the averages that are explained so.
    pub(super) fn explain_average(&mut self, ours: &Placement) {
        let mut keys = Vec::new();
        let _ = predict(&self.series, ours, None, |prediction| {
            keys.push(prediction.key);
            ControlFlow::Continue(())
        });
        for key in keys {
            if let Some(cell) = self.cells.get_mut(&key) {
                cell.average = false;
            }
        }
    }

    /// The cells in which something differs still, in order.
    pub(super) fn left(&self) -> Vec<(CellKey, Cell)> {
        let mut left: Vec<_> =
            self.cells.iter().filter(|(_, cell)| cell.differences() > 0).map(|(key, cell)| (*key, *cell)).collect();
        left.sort_unstable_by_key(|(key, _)| *key);
        left
    }
}

impl Cell {
    fn differences(&self) -> u64 {
        self.more.iter().filter(|more| **more != 0).count() as u64 + u64::from(self.average)
    }
}
