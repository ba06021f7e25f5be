//! Which runs in memory are merged into one.

use std::ops::Range;

use crate::rows::run::{MAX_RUN_BYTES, MAX_RUN_ROWS};

/// So many runs of about one size are merged into one.
const MERGED_RUNS: usize = 8;

/// How large a run in memory is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunSize {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
}

/// Which of `runs`, in the order in which they came, are merged into one: the last runs that are no larger, by order of
/// size, than the very last one, if there are at least `MERGED_RUNS`. Otherwise an empty range.
///
/// If runs are merged as soon as they are due, n rows are in about log n runs, and each row is copied log n times.
pub(crate) fn runs_to_merge(runs: &[RunSize]) -> Range<usize> {
    let Some(last) = runs.last() else { return 0..0 };
    let size = order_of_size(last);
    let (mut rows, mut bytes) = (0, 0);
    let alike = runs.iter().rev().take_while(|run| {
        (rows, bytes) = (rows + run.rows, bytes + run.bytes);
        order_of_size(run) <= size && rows <= MAX_RUN_ROWS && bytes <= MAX_RUN_BYTES
    });
    let count = alike.count();
    if count >= MERGED_RUNS { runs.len() - count..runs.len() } else { 0..0 }
}

/// Each order is four times the one below.
fn order_of_size(run: &RunSize) -> u32 {
    run.rows.max(1).ilog2() / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to_merge(rows: &[usize]) -> Range<usize> {
        let runs: Vec<_> = rows.iter().map(|rows| RunSize { rows: *rows, bytes: rows * 100 }).collect();
        runs_to_merge(&runs)
    }

    #[test]
    fn eight_runs_of_about_one_size_are_merged() {
        assert_eq!(to_merge(&[100; 7]), 0..0);
        assert_eq!(to_merge(&[100; 8]), 0..8);
        assert_eq!(to_merge(&[]), 0..0);
    }

    #[test]
    fn larger_runs_before_them_stay() {
        assert_eq!(to_merge(&[5_000, 100, 100, 100, 100, 100, 100, 100, 100]), 1..9);
        assert_eq!(to_merge(&[100, 100, 100, 100, 5_000, 100, 100, 100, 100]), 0..0);
    }

    #[test]
    fn smaller_runs_are_taken_along() {
        assert_eq!(to_merge(&[3, 3, 3, 3, 100, 100, 100, 100]), 0..8);
    }

    #[test]
    fn no_run_becomes_too_large() {
        let fifth = MAX_RUN_ROWS / 5;
        assert_eq!(to_merge(&[fifth; 9]), 0..0);
        assert_eq!(to_merge(&[MAX_RUN_ROWS / 8; 9]), 1..9);
        assert_eq!(runs_to_merge(&[RunSize { rows: 100, bytes: MAX_RUN_BYTES / 5 }; 9]), 0..0);
    }

    #[test]
    fn rows_that_come_one_by_one_make_few_runs() {
        let mut runs: Vec<usize> = Vec::new();
        for rows in std::iter::repeat_n(1, 10_000) {
            runs.push(rows);
            loop {
                let merged = to_merge(&runs);
                if merged.is_empty() {
                    break;
                }
                let sum = runs.drain(merged).sum();
                runs.push(sum);
            }
        }
        assert_eq!(runs.iter().sum::<usize>(), 10_000);
        assert!(runs.len() < 50, "{} runs", runs.len());
    }
}
