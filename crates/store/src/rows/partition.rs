//! The rows in memory of one account and hour.

use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::RecordBatch;
use skillscope_segment::AccountId;

use crate::rows::arrival_times::ArrivalTimes;
use crate::rows::run::Run;
use crate::totals::Totals;

/// The range of the values of no rows.
const NOTHING: RangeInclusive<i64> = RangeInclusive::new(i64::MAX, i64::MIN);

/// The segments in memory of one account that ended within one hour: some sorted runs, and the range of values in them.
///
/// A partition does not change. A write makes a new one that shares most of its runs.
#[derive(Debug, Clone)]
pub struct Partition {
    account: AccountId,
    hour: i64,
    /// Rows that are in archive files too.
    sealed: Vec<Arc<Run>>,
    /// Rows that are being written to an archive file, and are in the journal until then.
    sealing: Vec<Arc<Run>>,
    /// Rows that are in the journal alone.
    open: Vec<Arc<Run>>,
    /// When the first open row arrived, by the store's clock.
    opened: i64,
    rows: usize,
    bytes: usize,
    totals_bytes: usize,
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
            totals_bytes: 0,
            end_times: NOTHING,
            skills: NOTHING,
        }
    }

    /// With rows that arrived now and are in the journal.
    pub(crate) fn with_open(mut self, run: Run, now: i64) -> Self {
        self.open.push(Arc::new(run));
        self.opened = self.opened.min(now);
        self.counted()
    }

    /// With rows of an archive file.
    pub(crate) fn with_sealed(mut self, run: Run) -> Self {
        self.sealed.push(Arc::new(run));
        self.counted()
    }

    /// With the open rows about to be sealed.
    pub(crate) fn with_sealing(mut self) -> Self {
        self.sealing.append(&mut self.open);
        self.opened = i64::MAX;
        self
    }

    /// With the rows that were about to be sealed open again, since sealing failed.
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

    /// With `merged` in place of the runs `pieces`; `None` where these have changed meanwhile.
    pub(crate) fn with_merged(mut self, pieces: &[Arc<Run>], merged: Run) -> Option<Self> {
        let merged = Arc::new(merged);
        let replaced = replace(&mut self.open, pieces, &merged) || replace(&mut self.sealed, pieces, &merged);
        replaced.then(|| self.counted())
    }

    fn counted(mut self) -> Self {
        (self.rows, self.bytes, self.totals_bytes) = (0, 0, 0);
        (self.end_times, self.skills) = (NOTHING, NOTHING);
        for run in self.sealed.iter().chain(&self.sealing).chain(&self.open) {
            self.rows += run.rows();
            self.bytes += run.bytes;
            self.totals_bytes += run.totals.as_ref().map_or(0, |totals| totals.bytes());
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

    /// The rows, in batches of [`skillscope_segment::record_schema`], each sorted by skill, user type and end time, and
    /// when they arrived.
    pub fn batches(&self) -> impl Iterator<Item = (&RecordBatch, &ArrivalTimes)> {
        self.runs().map(|run| (&run.batch, &run.arrival_times))
    }

    pub(crate) fn runs(&self) -> impl Iterator<Item = &Run> {
        self.sealed.iter().chain(&self.sealing).chain(&self.open).map(Arc::as_ref)
    }

    /// Running totals of the rows, each row in one of them. `None` where some rows allow no totals.
    pub fn totals(&self) -> Option<Vec<&Arc<Totals>>> {
        self.sealed.iter().chain(&self.sealing).chain(&self.open).map(|run| run.totals.as_ref()).collect()
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

    pub(crate) fn sealed(&self) -> &[Arc<Run>] {
        &self.sealed
    }

    pub(crate) fn sealing(&self) -> &[Arc<Run>] {
        &self.sealing
    }

    pub(crate) fn open(&self) -> &[Arc<Run>] {
        &self.open
    }

    /// When the first open row arrived; the end of time where there is none.
    pub(crate) fn opened(&self) -> i64 {
        self.opened
    }

    /// The number of rows that no archive file has.
    pub fn unsealed_rows(&self) -> usize {
        self.sealing.iter().chain(&self.open).map(|run| run.rows()).sum()
    }

    /// Memory that the rows and their running totals take, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Memory that running totals of the rows take, which is a part of [`bytes`](Self::bytes).
    pub(crate) fn totals_bytes(&self) -> usize {
        self.totals_bytes
    }

    /// Memory that rows take that no archive file has, in bytes.
    pub(crate) fn unsealed_bytes(&self) -> usize {
        self.sealing.iter().chain(&self.open).map(|run| run.bytes).sum()
    }
}

/// Puts `merged` in the place of the runs `pieces`, if they stand in `runs` one after the other.
fn replace(runs: &mut Vec<Arc<Run>>, pieces: &[Arc<Run>], merged: &Arc<Run>) -> bool {
    let Some(first) = pieces.first() else { return false };
    let Some(start) = runs.iter().position(|run| Arc::ptr_eq(run, first)) else { return false };
    let end = start + pieces.len();
    let there = runs.get(start..end).unwrap_or_default();
    let same = !there.is_empty() && there.iter().zip(pieces).all(|(run, piece)| Arc::ptr_eq(run, piece));
    if same {
        runs.splice(start..end, [Arc::clone(merged)]);
    }
    same
}

fn hull(a: &RangeInclusive<i64>, b: &RangeInclusive<i64>) -> RangeInclusive<i64> {
    *a.start().min(b.start())..=*a.end().max(b.end())
}
