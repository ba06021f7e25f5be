//! Cuts time into stretches, so that the counts of a stretch fit in memory.

use std::ops::{Range, RangeInclusive};

/// The times and the number of rows of a part of an archive, known without reading its rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Extent {
    /// The lowest and the highest end time.
    pub(crate) end_times: RangeInclusive<i64>,
    pub(crate) rows: u64,
}

/// A stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stretch {
    pub(crate) range: Range<i64>,
    /// The estimated number of rows in it.
    pub(crate) rows: u64,
}

/// Cuts time into stretches of about as many rows as fit in memory. It cuts between files where possible, so that no
/// file is read twice.
#[derive(Debug)]
pub(crate) struct Stretches {
    /// The instants at which an extent begins or ends, in order. Each has the change in the number of open extents, and
    /// in the rows per millisecond.
    changes: Vec<(i64, i64, f64)>,
    /// The index of the next change.
    next: usize,
    open: i64,
    density: f64,
    /// The time that is not cut yet.
    left: Range<i64>,
}

impl Stretches {
    pub(crate) fn new<'e>(extents: impl IntoIterator<Item = &'e Extent>, span: Range<i64>) -> Self {
        let mut changes = Vec::new();
        for Extent { end_times, rows } in extents {
            let (first, last) = (*end_times.start(), end_times.end().saturating_add(1));
            // The times in a file may be any numbers. A float is exact enough, and does not overflow.
            let density = *rows as f64 / (last as f64 - first as f64).max(1.0);
            changes.extend([(first, 1, density), (last, -1, -density)]);
        }
        changes.sort_by_key(|(instant, change, _)| (*instant, *change));
        Self { changes, next: 0, open: 0, density: 0.0, left: span }
    }

    /// The next stretch, of about `rows` rows or fewer, and of at least `shortest` milliseconds unless it is the last.
    pub(crate) fn next(&mut self, rows: u64, shortest: i64) -> Option<Stretch> {
        let begin = self.left.start;
        if self.left.is_empty() {
            return None;
        }
        let (mut at, mut sum) = (begin, 0.0);
        // The last place between files after half of the rows.
        let mut between = None;
        let end = loop {
            let Some((instant, change, density)) = self.changes.get(self.next).copied() else { break self.left.end };
            let until = instant.clamp(at, self.left.end);
            let more = self.density * (until as f64 - at as f64);
            if sum + more > rows as f64 {
                let whole = at.saturating_add(((rows as f64 - sum) / self.density) as i64);
                sum = rows as f64;
                break between.unwrap_or(whole);
            }
            (at, sum) = (until, sum + more);
            if instant >= self.left.end {
                break self.left.end;
            }
            self.next += 1;
            self.open += change;
            self.density = if self.open == 0 { 0.0 } else { (self.density + density).max(0.0) };
            if self.open == 0 && sum * 2.0 >= rows as f64 {
                between = Some(at);
            }
        };
        let end = end.max(begin.saturating_add(shortest.max(1))).min(self.left.end);
        self.left.start = end;
        self.rewind(end);
        Some(Stretch { range: begin..end, rows: sum as u64 })
    }

    /// Sets the open extents and their density to those at an instant.
    fn rewind(&mut self, instant: i64) {
        self.next = self.changes.partition_point(|(at, ..)| *at <= instant);
        let before = self.changes.get(..self.next).unwrap_or_default();
        self.open = before.iter().map(|(_, change, _)| change).sum();
        self.density =
            if self.open == 0 { 0.0 } else { before.iter().map(|(.., density)| density).sum::<f64>().max(0.0) };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn extent(end_times: RangeInclusive<i64>, rows: u64) -> Extent {
        Extent { end_times, rows }
    }

    fn all(mut stretches: Stretches, rows: u64, shortest: i64) -> Vec<Range<i64>> {
        std::iter::from_fn(|| stretches.next(rows, shortest)).map(|stretch| stretch.range).collect()
    }

    #[test]
    fn stretches_end_between_files() {
        let days = [extent(0..=99, 10), extent(100..=199, 10), extent(200..=299, 10), extent(300..=399, 10)];
        assert_eq!(all(Stretches::new(&days, 0..400), 25, 1), [0..200, 200..400]);
        assert_eq!(all(Stretches::new(&days, 50..350), 1_000, 1), std::slice::from_ref(&(50..350)));
    }

    #[test]
    fn one_large_file_is_cut_by_time() {
        assert_eq!(all(Stretches::new(&[extent(0..=99, 100)], 0..100), 50, 1), [0..50, 50..100]);
        assert_eq!(all(Stretches::new(&[extent(0..=99, 1_000)], 0..100), 1, 40), [0..40, 40..80, 80..100]);
    }

    #[test]
    fn a_span_without_files_is_one_stretch() {
        assert_eq!(all(Stretches::new(&[], 5..1_000), 1, 1), std::slice::from_ref(&(5..1_000)));
        assert_eq!(all(Stretches::new(&[], 5..5), 1, 1), []);
        assert_eq!(all(Stretches::new(&[extent(i64::MIN..=i64::MAX, u64::MAX)], 0..2), 1, 1), [0..1, 1..2]);
    }

    proptest! {
        #[test]
        fn stretches_follow_one_another_over_the_whole_span(
            extents in prop::collection::vec((-500_i64..500, 0_i64..400, 0_u64..1_000), 0..12),
            span in (-600_i64..600, 0_i64..600),
            rows in 0_u64..500,
            shortest in 0_i64..50,
        ) {
            let extents: Vec<_> =
                extents.into_iter().map(|(first, length, rows)| extent(first..=first + length, rows)).collect();
            let span = span.0..span.0 + span.1;
            let stretches = all(Stretches::new(&extents, span.clone()), rows, shortest);
            prop_assert_eq!(stretches.first().map(|first| first.start), (!span.is_empty()).then_some(span.start));
            prop_assert_eq!(stretches.last().map(|last| last.end), (!span.is_empty()).then_some(span.end));
            prop_assert!(stretches.iter().all(|stretch| stretch.start < stretch.end));
            prop_assert!(stretches.windows(2).all(|pair| pair[0].end == pair[1].start));
        }
    }
}
