//! Which files of the archive are merged into one.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::calendar::{DAY_MS, HOUR_MS};
use crate::journal::file_record::FileRecord;
use crate::rows::run::MAX_RUN_ROWS;

/// Files below this size are merged with others.
const SMALL_BYTES: u64 = 16 << 20;

/// As many small files are merged at once.
const MANY: usize = 4;

/// Fewer are merged once none has been written for so long.
const QUIET_MS: i64 = HOUR_MS;

/// A file that may be merged with others of its account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MergeCandidate<'f> {
    pub(crate) record: &'f FileRecord,
    /// Whether its rows are in memory, too.
    pub(crate) is_resident: bool,
}

/// The numbers of small files of one account that should become one file; `None` where there are none.
///
/// Files of one day are merged once the day is over and none of its hours is `hot`; before that, files of the same
/// hour, so that each hour can leave memory by itself.
pub(crate) fn files_to_merge<'f>(
    files: impl IntoIterator<Item = MergeCandidate<'f>>,
    hot: &RangeInclusive<i64>,
    now: i64,
) -> Option<Vec<u64>> {
    let due = merges_due(files, hot, now).next()?;
    Some(due.iter().map(|file| file.number).collect())
}

/// All files of one account that should be merged, those together that should become one file.
pub(crate) fn merges_due<'f>(
    files: impl IntoIterator<Item = MergeCandidate<'f>>,
    hot: &RangeInclusive<i64>,
    now: i64,
) -> impl Iterator<Item = Vec<&'f FileRecord>> {
    let mut groups: BTreeMap<(i64, i64, bool), Vec<&FileRecord>> = BTreeMap::new();
    for MergeCandidate { record, is_resident } in files {
        let is_small = record.bytes < SMALL_BYTES && record.rows < (MAX_RUN_ROWS / MANY) as u64;
        if let (true, Some((first, last))) = (is_small, hours_merged(record, hot, now)) {
            groups.entry((first, last, is_resident)).or_default().push(record);
        }
    }
    groups.into_values().map(fitting).filter(move |files| {
        let newest = files.iter().map(|file| file.written).max().unwrap_or(now);
        files.len() >= MANY || (files.len() >= 2 && newest.saturating_add(QUIET_MS) <= now)
    })
}

/// The first and the last of the hours whose files a file may be merged with.
fn hours_merged(record: &FileRecord, hot: &RangeInclusive<i64>, now: i64) -> Option<(i64, i64)> {
    let day = record.day();
    let last = day.saturating_add(DAY_MS - HOUR_MS);
    let is_over = last.saturating_add(HOUR_MS) <= now;
    if is_over && !(day..=last).step_by(HOUR_MS as usize).any(|hour| hot.contains(&hour)) {
        Some((day, last))
    } else {
        (record.first_hour == record.last_hour).then_some((record.first_hour, record.last_hour))
    }
}

/// As many of the files, the smallest first, as fit into one.
fn fitting(mut files: Vec<&FileRecord>) -> Vec<&FileRecord> {
    files.sort_by_key(|file| file.rows);
    let mut room = MAX_RUN_ROWS as u64;
    let fits = |file: &&FileRecord| {
        let fits = file.rows <= room;
        room = room.saturating_sub(file.rows);
        fits
    };
    files.into_iter().take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first hour of some day.
    const DAY: i64 = 100 * DAY_MS;

    /// No hour is hot.
    const NONE_HOT: RangeInclusive<i64> = RangeInclusive::new(i64::MAX, i64::MIN);

    fn file(number: u64, hour: i64) -> FileRecord {
        FileRecord {
            number,
            account: "acme".to_owned(),
            first_hour: DAY + hour * HOUR_MS,
            last_hour: DAY + hour * HOUR_MS,
            rows: 1_000,
            bytes: 100_000,
            checksum: 0,
            end_times: (DAY, DAY),
            skills: (1, 1),
            written: DAY + (hour + 1) * HOUR_MS,
            verified: None,
            expired: None,
            has_arrival_time: true,
        }
    }

    fn merged(files: &[FileRecord], hot: &RangeInclusive<i64>, now: i64) -> Option<Vec<u64>> {
        files_to_merge(files.iter().map(|record| MergeCandidate { record, is_resident: false }), hot, now)
    }

    #[test]
    fn files_of_a_day_are_merged_when_the_day_is_over() {
        let files: Vec<_> = (0..4).map(|hour| file(hour as u64 + 1, hour)).collect();
        assert_eq!(merged(&files, &NONE_HOT, DAY + DAY_MS - 1), None);
        assert_eq!(merged(&files, &NONE_HOT, DAY + DAY_MS), Some(vec![1, 2, 3, 4]));
    }

    #[test]
    fn files_of_a_hot_day_are_merged_by_the_hour() {
        let hot = DAY..=DAY + DAY_MS;
        let apart: Vec<_> = (0..4).map(|hour| file(hour as u64 + 1, hour)).collect();
        assert_eq!(merged(&apart, &hot, DAY + 9 * DAY_MS), None);
        let together: Vec<_> = (1..5).map(|number| file(number, 7)).collect();
        assert_eq!(merged(&together, &hot, DAY + 8 * HOUR_MS), Some(vec![1, 2, 3, 4]));
    }

    #[test]
    fn a_few_files_are_merged_once_no_more_come() {
        let files = [file(1, 7), file(2, 7)];
        let written = DAY + 8 * HOUR_MS;
        assert_eq!(merged(&files, &NONE_HOT, written + QUIET_MS - 1), None);
        assert_eq!(merged(&files, &NONE_HOT, written + QUIET_MS), Some(vec![1, 2]));
        assert_eq!(merged(&files[..1], &NONE_HOT, written + 9 * QUIET_MS), None);
    }

    #[test]
    fn large_files_stay_as_they_are() {
        let large = |number| FileRecord { bytes: SMALL_BYTES, ..file(number, 7) };
        let long = |number| FileRecord { rows: (MAX_RUN_ROWS / MANY) as u64, ..file(number, 7) };
        assert_eq!(merged(&[large(1), large(2), long(3), long(4)], &NONE_HOT, DAY + 9 * DAY_MS), None);
    }

    #[test]
    fn files_in_memory_are_merged_among_themselves() {
        let files: Vec<_> = (1..7).map(|number| file(number, 7)).collect();
        let candidates = files.iter().map(|record| MergeCandidate { record, is_resident: record.number > 2 });
        assert_eq!(files_to_merge(candidates, &NONE_HOT, DAY + 8 * HOUR_MS), Some(vec![3, 4, 5, 6]));
    }

    #[test]
    fn the_smallest_files_are_merged_first_as_many_as_fit() {
        let rows = (MAX_RUN_ROWS / MANY) as u64 - 1;
        let files: Vec<_> = (1..9).map(|number| FileRecord { rows: rows - number, ..file(number, 7) }).collect();
        assert_eq!(merged(&files, &NONE_HOT, DAY + DAY_MS), Some(vec![8, 7, 6, 5]));
    }
}
