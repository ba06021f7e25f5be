//! What would differ, in which cells, if another endpoint had something else of a segment.

use std::ops::{ControlFlow, Range};

use skillscope_query::Metric;

use super::difference::Part;
use super::placement::{Counts, Placement, Series};

/// A question's recordings, and how many of them, from the first, are evidence.
#[derive(Debug)]
pub(super) struct KnownSeries {
    pub(super) query: String,
    pub(super) recordings: Series,
    pub(super) known: usize,
}

/// A skill in a part of a recording's timeframe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct CellKey {
    pub(super) series: usize,
    pub(super) skill: i64,
    pub(super) part: Part,
    pub(super) recording: usize,
}

/// What would differ in a cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prediction {
    pub(super) key: CellKey,
    pub(super) more: Counts,
    /// The metrics in which the segment counts here and there.
    pub(super) common: [bool; Metric::ALL.len()],
}

/// Tells every cell in which anything would differ.
pub(super) fn predict(
    series: &[KnownSeries],
    ours: &Placement,
    theirs: Option<&Placement>,
    mut tell: impl FnMut(&Prediction) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for (series, known) in series.iter().enumerate() {
        let recordings = &known.recordings;
        let ours = Some(ours).filter(|ours| recordings.counts(ours));
        let theirs = theirs.filter(|theirs| recordings.counts(theirs));
        for recording in touched(recordings, ours, theirs, known.known) {
            for prediction in cells(recordings, (series, recording), ours, theirs).iter().flatten() {
                if prediction.more != Counts::default() {
                    tell(prediction)?;
                }
            }
        }
    }
    ControlFlow::Continue(())
}

/// The known recordings that cover the end of either.
fn touched(series: &Series, ours: Option<&Placement>, theirs: Option<&Placement>, known: usize) -> Range<usize> {
    let ranges = [ours, theirs].into_iter().flatten().map(|placement| series.covering(placement.end_time));
    let range = ranges.reduce(|one, other| one.start.min(other.start)..one.end.max(other.end)).unwrap_or(0..0);
    range.start..range.end.min(known)
}

/// What would differ in a recording: in two cells of ours, and in two of theirs where those are others.
fn cells(
    recordings: &Series,
    (series, recording): (usize, usize),
    ours: Option<&Placement>,
    theirs: Option<&Placement>,
) -> [Option<Prediction>; 4] {
    let mut cells = [None; 4];
    let key = |placement: &Placement, part| CellKey { series, skill: placement.skill, part, recording };
    if let Some(placement) = ours {
        for (cell, part) in cells.iter_mut().zip(recordings.parts(recording, placement.end_time)) {
            let more = placement.counts.map(|count| -count);
            *cell = Some(Prediction { key: key(placement, part), more, common: Default::default() });
        }
    }
    if let Some(placement) = theirs {
        for part in recordings.parts(recording, placement.end_time) {
            let key = key(placement, part);
            let same = cells.iter().position(|cell: &Option<Prediction>| cell.is_some_and(|cell| cell.key == key));
            let place = same.or_else(|| cells.iter().position(Option::is_none));
            let Some(cell) = place.and_then(|place| cells.get_mut(place)) else { continue };
            let cell = cell.get_or_insert(Prediction { key, more: Counts::default(), common: Default::default() });
            for ((more, common), count) in cell.more.iter_mut().zip(&mut cell.common).zip(placement.counts) {
                *common = *more != 0 && count != 0;
                *more += count;
            }
        }
    }
    cells
}
