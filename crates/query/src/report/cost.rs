//! How much there is to count for a report.

use std::ops::{Range, RangeInclusive};

use skillscope_store::{Snapshot, Totals};

use super::request::ReportRequest;

/// Rows without running totals are scanned, and files may have to be read first. As many cells are counted meanwhile.
const CELLS_PER_FILE: u64 = 1 << 13;

/// About how many cells a report has to count.
pub(crate) fn report_cells(snapshot: &Snapshot, request: &ReportRequest) -> u64 {
    let Some(account) = snapshot.account(request.account()) else { return 0 };
    let parameters = request.parameters();
    let (range, interval) = (parameters.range(), parameters.interval_ms());
    let asked = parameters.skills().map_or(u64::MAX, |skills| skills.len() as u64);
    let is_in_time = |times: &RangeInclusive<i64>| *times.end() >= range.start && *times.start() < range.end;
    let of_totals = |totals: &Totals| {
        let skills = asked.min(totals.skills().len() as u64);
        skills.saturating_mul(intervals(&range, &totals.end_times(), interval)).min(totals.rows() as u64)
    };
    let partitions = snapshot.partitions(account).filter(|partition| is_in_time(&partition.end_times()));
    let in_memory = partitions.map(|partition| match partition.totals() {
        Some(totals) => totals.into_iter().map(|totals| of_totals(totals)).fold(0, u64::saturating_add),
        None => (partition.rows() as u64).max(CELLS_PER_FILE),
    });
    // Naming very many skills costs something, even where few of them have segments.
    let named = parameters.skills().map_or(0, |skills| skills.len() as u64);
    let in_files = snapshot.archived(account).filter(|file| is_in_time(&file.end_times())).map(|_| CELLS_PER_FILE);
    in_memory.chain(in_files).fold(named, u64::saturating_add)
}

/// In how many intervals of the range some of these times may be.
fn intervals(range: &Range<i64>, times: &RangeInclusive<i64>, interval: Option<i64>) -> u64 {
    let Some(interval) = interval else { return 1 };
    let (first, last) = ((*times.start()).max(range.start), (*times.end()).min(range.end));
    let whole = last.saturating_sub(first).max(0) / interval.max(1);
    u64::try_from(whole).unwrap_or(0).saturating_add(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_that_times_may_lie_in() {
        assert_eq!(intervals(&(0..100), &(0..=99), None), 1);
        assert_eq!(intervals(&(0..100), &(0..=99), Some(10)), 11);
        assert_eq!(intervals(&(0..100), &(95..=500), Some(10)), 2);
        assert_eq!(intervals(&(0..100), &(40..=40), Some(10)), 2);
    }
}
