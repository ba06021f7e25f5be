//! Counting in a stretch of bins that stays in the processor's caches.

use std::ops::{AddAssign, Range};

use skillscope_store::{Counted, Cursor, Stop};

use super::bins::Bins;

/// The bins that are counted at a time. Their tallies stay in the processor's nearest caches.
pub(super) const WINDOW_BINS: i64 = 512;

/// A stretch of bins without gaps.
pub(super) struct BinWindow {
    bins: Bins,
    pub(super) first_bin: i64,
    /// The first end time that is not counted any more: after the last bin, or after the condition on time.
    pub(super) end: i64,
}

impl BinWindow {
    pub(super) fn new(bins: Bins, first: i64, until: i64) -> Self {
        let first_bin = bins.of(first);
        Self { bins, first_bin, end: bins.start(first_bin.saturating_add(WINDOW_BINS)).min(until) }
    }

    /// The number of cells up to the last one that may have rows.
    pub(super) fn cells<T: Counted>(&self, cursors: &[Cursor<'_, T>]) -> usize {
        let last = cursors.iter().map(Cursor::last_time).max().unwrap_or(self.end).min(self.end.saturating_sub(1));
        let bins = self.bins.of(last).saturating_sub(self.first_bin).clamp(0, WINDOW_BINS - 1);
        usize::try_from(bins).unwrap_or(0) + 1
    }

    /// Adds the rows of the cursors to the tallies of their bins.
    pub(super) fn count<T: Counted + AddAssign>(&self, cursors: &mut [Cursor<'_, T>], cells: &mut [T]) {
        // The blocks of this many stops stay in the processor's caches until they are counted.
        const STOPS: usize = 128;
        let (mut stops, mut start) = (Vec::new(), 0);
        let mut ahead = Vec::with_capacity(cursors.len());
        for end in 1..=cursors.len() {
            if let Some(cursor) = cursors.get(end - 1) {
                ahead.push(self.look_ahead(cursor, &mut stops));
            }
            if stops.len() >= STOPS || end == cursors.len() {
                let cursors = cursors.get_mut(start..end).unwrap_or_default();
                for (cursor, found) in cursors.iter().zip(&ahead) {
                    let of_cursor = found.as_ref().and_then(|(_, of_cursor)| stops.get(of_cursor.clone()));
                    cursor.fetch(of_cursor.unwrap_or_default());
                }
                for (cursor, found) in cursors.iter_mut().zip(ahead.drain(..)) {
                    self.advance(cursor, &stops, found, cells);
                }
                stops.clear();
                start = end;
            }
        }
    }

    /// Finds where the bins of a cursor end, if nearly all of them have rows. Gives the place of the first bin, and the
    /// range of its stops.
    fn look_ahead<T: Counted>(&self, cursor: &Cursor<'_, T>, stops: &mut Vec<Stop>) -> Option<(usize, Range<usize>)> {
        let first = cursor.next_time().filter(|time| *time < self.end)?;
        let (first, last) = (self.bins.of(first), self.bins.of(cursor.last_time().min(self.end.saturating_sub(1))));
        if last.saturating_sub(first) > cursor.rows_left() {
            return None;
        }
        let start = stops.len();
        cursor.look_ahead((first..=last).map(|bin| self.bins.start(bin.saturating_add(1)).min(self.end)), stops);
        Some((usize::try_from(first.saturating_sub(self.first_bin)).ok()?, start..stops.len()))
    }

    fn advance<T: Counted + AddAssign>(
        &self,
        cursor: &mut Cursor<'_, T>,
        stops: &[Stop],
        found: Option<(usize, Range<usize>)>,
        cells: &mut [T],
    ) {
        match found {
            Some((place, of_cursor)) => {
                let cells = cells.get_mut(place..).unwrap_or_default();
                cursor.advance_over(stops.get(of_cursor).unwrap_or_default(), cells);
            }
            None => self.count_sparse(cursor, cells),
        }
    }

    /// Adds the rows of a cursor to the tallies of their bins, and skips bins without rows.
    fn count_sparse<T: Counted + AddAssign>(&self, cursor: &mut Cursor<'_, T>, cells: &mut [T]) {
        let mut bin = self.first_bin;
        let mut bin_end = self.bins.start(bin.saturating_add(1));
        while let Some(time) = cursor.next_time().filter(|time| *time < self.end) {
            if time >= bin_end {
                // Mostly the next bin, which is found without a division.
                bin += 1;
                bin_end = self.bins.start(bin.saturating_add(1));
                if time >= bin_end {
                    bin = self.bins.of(time);
                    bin_end = self.bins.start(bin.saturating_add(1));
                }
            }
            let tally = cursor.advance(bin_end.min(self.end));
            let place = usize::try_from(bin.saturating_sub(self.first_bin)).ok();
            if let Some(cell) = place.and_then(|place| cells.get_mut(place)) {
                *cell += tally;
            }
        }
    }
}
