use std::ops::RangeInclusive;

use arrow::array::RecordBatch;
use skillscope_segment::AccountId;

use crate::run::{MAX_RUN_BYTES, MAX_RUN_ROWS, Run};

/// Milliseconds of the time that one partition covers.
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// The range of the values of no rows.
const NOTHING: RangeInclusive<i64> = RangeInclusive::new(i64::MAX, i64::MIN);

/// So many runs of about one size are merged into one.
const MERGED_RUNS: usize = 4;

/// The segments of one account that ended within one hour, as far as they are in memory: some sorted runs, and the range
/// of values in them.
///
/// A partition does not change; what is written makes a new one that shares most of its runs.
#[derive(Debug, Clone)]
pub struct Partition {
    account: AccountId,
    hour: i64,
    /// Rows that are in archive files too.
    sealed: Vec<Run>,
    /// Rows that are being written to an archive file, and are in the journal until then.
    sealing: Vec<Run>,
    /// Rows that are in the journal alone.
    open: Vec<Run>,
    /// When the first open row arrived, by the store's clock.
    opened: i64,
    rows: usize,
    bytes: usize,
    end_times: RangeInclusive<i64>,
    skills: RangeInclusive<i64>,
}

impl Partition {
    pub(crate) fn new(account: AccountId, hour: i64) -> Self {
        Self {
            account,
            hour,
            sealed: Vec::new(),
            sealing: Vec::new(),
            open: Vec::new(),
            opened: i64::MAX,
            rows: 0,
            bytes: 0,
            end_times: NOTHING,
            skills: NOTHING,
        }
    }

    /// With rows that arrived now and are in the journal.
    pub(crate) fn with_open(mut self, run: Run, now: i64) -> Self {
        self.open.push(run);
        self.opened = self.opened.min(now);
        merge_runs_of_a_size(&mut self.open);
        self.counted()
    }

    /// With rows of an archive file.
    pub(crate) fn with_sealed(mut self, run: Run) -> Self {
        self.sealed.push(run);
        merge_runs_of_a_size(&mut self.sealed);
        self.counted()
    }

    /// With the open rows about to be sealed.
    pub(crate) fn with_sealing(mut self) -> Self {
        self.sealing.append(&mut self.open);
        self.opened = i64::MAX;
        self
    }

    /// With the rows that were about to be sealed open again, since they could not be.
    pub(crate) fn with_sealing_undone(mut self, now: i64) -> Self {
        self.sealing.append(&mut self.open);
        self.open = std::mem::take(&mut self.sealing);
        self.opened = now;
        self
    }

    /// Without the rows that were about to be sealed: they are in an archive file now.
    pub(crate) fn without_sealing(mut self) -> Self {
        self.sealing.clear();
        self.counted()
    }

    /// Without the rows that are in archive files.
    pub(crate) fn without_sealed(mut self) -> Self {
        self.sealed.clear();
        self.counted()
    }

    /// With the rows that are in archive files open again, since a file is lost.
    pub(crate) fn with_sealed_opened(mut self, now: i64) -> Self {
        self.open.append(&mut self.sealed);
        self.opened = self.opened.min(now);
        self
    }

    fn counted(mut self) -> Self {
        (self.rows, self.bytes) = (0, 0);
        (self.end_times, self.skills) = (NOTHING, NOTHING);
        for run in self.sealed.iter().chain(&self.sealing).chain(&self.open) {
            self.rows += run.rows();
            self.bytes += run.bytes;
            self.end_times = hull(&self.end_times, &run.end_times);
            self.skills = hull(&self.skills, &run.skills);
        }
        self
    }

    /// The account that all rows are of.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The first millisecond of the hour, since the epoch, UTC.
    pub fn hour(&self) -> i64 {
        self.hour
    }

    /// The rows, in batches of [`skillscope_segment::schema`], each sorted by skill, user type and end time.
    pub fn batches(&self) -> impl Iterator<Item = &RecordBatch> {
        self.sealed.iter().chain(&self.sealing).chain(&self.open).map(|run| &run.batch)
    }

    /// The number of rows in all batches.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The lowest and the highest `end_time`, in milliseconds since the epoch.
    pub fn end_times(&self) -> RangeInclusive<i64> {
        self.end_times.clone()
    }

    /// The lowest and the highest `skill_id`.
    pub fn skills(&self) -> RangeInclusive<i64> {
        self.skills.clone()
    }

    pub(crate) fn sealed(&self) -> &[Run] {
        &self.sealed
    }

    pub(crate) fn sealing(&self) -> &[Run] {
        &self.sealing
    }

    pub(crate) fn open(&self) -> &[Run] {
        &self.open
    }

    /// When the first open row arrived; the end of time where there is none.
    pub(crate) fn opened(&self) -> i64 {
        self.opened
    }

    /// Memory that the rows take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Memory that the rows take which no archive file has.
    pub(crate) fn unsealed_bytes(&self) -> usize {
        self.sealing.iter().chain(&self.open).map(|run| run.bytes).sum()
    }
}

/// Merges the last runs as long as there are [`MERGED_RUNS`] that are no larger than the last by an order of size: n rows
/// are in some log n runs, and each is copied log n times.
fn merge_runs_of_a_size(runs: &mut Vec<Run>) {
    while let Some(last) = runs.last() {
        let size = order_of_size(last);
        let alike = runs.iter().rev().take_while(|run| order_of_size(run) <= size).count();
        let start = runs.len() - alike;
        let pieces = runs.get(start..).unwrap_or_default();
        let (rows, bytes) = pieces.iter().fold((0, 0), |sum, run| (sum.0 + run.rows(), sum.1 + run.bytes));
        if alike < MERGED_RUNS || rows > MAX_RUN_ROWS || bytes > MAX_RUN_BYTES {
            break;
        }
        // Runs that cannot be merged are as good as one: they stay apart.
        let Ok(merged) = Run::merged(pieces) else { break };
        runs.truncate(start);
        runs.push(merged);
    }
}

/// Each order is four times the one below.
fn order_of_size(run: &Run) -> u32 {
    run.rows().max(1).ilog2() / 2
}

fn hull(a: &RangeInclusive<i64>, b: &RangeInclusive<i64>) -> RangeInclusive<i64> {
    *a.start().min(b.start())..=*a.end().max(b.end())
}
