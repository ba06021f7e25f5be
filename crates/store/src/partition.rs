use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Int8Type, Int32Type, Int64Type, TimestampMillisecondType};
use skillscope_segment::{AccountId, column};

use crate::Result;

/// Milliseconds of the time that one partition covers.
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// Runs are merged up to this size. With the longest texts, a column of so many is at the two gigabytes where its 32-bit
/// offsets end.
const MAX_RUN_ROWS: usize = 1 << 21;

/// The segments of one account that ended within one hour: some sorted runs, and the range of values in them.
///
/// Every run is sorted by skill, user type and end time. A new run is merged with its neighbours as soon as they are
/// not at least twice its size, so that a partition of n rows has at most log n runs and a row is copied log n times.
#[derive(Debug, Clone)]
pub struct Partition {
    account: AccountId,
    hour: i64,
    runs: Vec<RecordBatch>,
    rows: usize,
    end_times: RangeInclusive<i64>,
    skills: RangeInclusive<i64>,
}

impl Partition {
    /// The partition of a first run.
    pub(crate) fn new(run: &Run) -> Result<Self> {
        let (end_times, skills) = (end_times(&run.batch)?, skills(&run.batch)?);
        Ok(Self {
            account: run.account.clone(),
            hour: run.hour,
            rows: run.batch.num_rows(),
            end_times,
            skills,
            runs: vec![run.batch.clone()],
        })
    }

    /// Adds a run of the same account and hour.
    pub(crate) fn push(&mut self, run: &Run) -> Result<()> {
        self.rows += run.batch.num_rows();
        self.end_times = hull(&self.end_times, &end_times(&run.batch)?);
        self.skills = hull(&self.skills, &skills(&run.batch)?);
        self.runs.push(run.batch.clone());
        self.merge_small_runs();
        Ok(())
    }

    fn merge_small_runs(&mut self) {
        while let [.., before, last] = self.runs.as_slice() {
            let rows = before.num_rows() + last.num_rows();
            if before.num_rows() >= 2 * last.num_rows() || rows > MAX_RUN_ROWS {
                break;
            }
            // Two runs that cannot be merged are as good as one: they stay apart.
            let Ok(merged) = merged(before, last) else { break };
            self.runs.truncate(self.runs.len() - 2);
            self.runs.push(merged);
        }
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
    pub fn batches(&self) -> &[RecordBatch] {
        &self.runs
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
}

/// Rows of one account and one hour of `end_time`, sorted.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) account: AccountId,
    pub(crate) hour: i64,
    pub(crate) batch: RecordBatch,
}

/// Cuts a batch into sorted runs, one for each account and hour in it.
pub(crate) fn cut(batch: &RecordBatch) -> Result<Vec<Run>> {
    let by_place = sorted_by(batch, places(batch)?.into_iter().zip(sort_keys(batch)?).collect())?;
    let names = column(&by_place, column::ACCOUNT_ID)?.as_dictionary::<Int32Type>().values().as_string::<i32>();
    let mut runs = Vec::new();
    let mut start = 0;
    for rows in places(&by_place)?.chunk_by(|a, b| a == b) {
        let Some((account, hour)) = rows.first() else { continue };
        let account = AccountId::parse(names.value(*account as usize))?;
        runs.push(Run { account, hour: *hour, batch: by_place.slice(start, rows.len()) });
        start += rows.len();
    }
    Ok(runs)
}

/// One run of the rows of two.
fn merged(a: &RecordBatch, b: &RecordBatch) -> Result<RecordBatch> {
    let both = concat_batches(&a.schema(), [a, b])?;
    let columns = both.columns().iter().map(without_repeated_values).collect::<Result<_>>()?;
    let both = RecordBatch::try_new(both.schema(), columns)?;
    sorted_by(&both, sort_keys(&both)?)
}

/// Concatenating puts the two dictionaries of a text column one after the other, where they are not one and the same;
/// encoding it anew keeps each value once.
fn without_repeated_values(column: &ArrayRef) -> Result<ArrayRef> {
    match column.data_type() {
        encoded @ DataType::Dictionary(key, _) if **key == DataType::Int32 => {
            Ok(cast(&cast(column, &DataType::Utf8)?, encoded)?)
        }
        _ => Ok(Arc::clone(column)),
    }
}

/// For each row its account, as a dictionary key, and the hour in which it ended.
fn places(batch: &RecordBatch) -> Result<Vec<(i32, i64)>> {
    let accounts = column(batch, column::ACCOUNT_ID)?.as_dictionary::<Int32Type>().keys().values();
    let end_times = column(batch, column::END_TIME)?.as_primitive::<TimestampMillisecondType>().values();
    Ok(accounts.iter().zip(end_times).map(|(account, time)| (*account, time - time.rem_euclid(HOUR_MS))).collect())
}

/// For each row what a run is sorted by: skill, user type, end time.
fn sort_keys(batch: &RecordBatch) -> Result<Vec<(i64, i8, i64)>> {
    let skills = column(batch, column::SKILL_ID)?.as_primitive::<Int64Type>().values();
    let user_types = column(batch, column::USER_TYPE)?.as_dictionary::<Int8Type>().keys().values();
    let end_times = column(batch, column::END_TIME)?.as_primitive::<TimestampMillisecondType>().values();
    let keys = skills.iter().zip(user_types).zip(end_times);
    Ok(keys.map(|((skill, user_type), end_time)| (*skill, *user_type, *end_time)).collect())
}

/// The rows of `batch` in the order of `keys`, of which there is one a row; rows with equal keys keep their order.
fn sorted_by<K: Ord>(batch: &RecordBatch, keys: Vec<K>) -> Result<RecordBatch> {
    if keys.is_sorted() {
        return Ok(batch.clone());
    }
    let mut order: Vec<(K, u32)> = keys.into_iter().zip(0..).collect();
    // Merging two runs is a sort of two sorted halves, which the stable sort finds and merges.
    order.sort();
    let rows = UInt32Array::from_iter_values(order.into_iter().map(|(_, row)| row));
    Ok(take_record_batch(batch, &rows)?)
}

fn end_times(run: &RecordBatch) -> Result<RangeInclusive<i64>> {
    Ok(range(column(run, column::END_TIME)?.as_primitive::<TimestampMillisecondType>().values()))
}

fn skills(run: &RecordBatch) -> Result<RangeInclusive<i64>> {
    Ok(range(column(run, column::SKILL_ID)?.as_primitive::<Int64Type>().values()))
}

fn column<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a dyn Array> {
    match batch.column_by_name(name) {
        Some(array) => Ok(array.as_ref()),
        None => Err(arrow::error::ArrowError::SchemaError(format!("a batch of segments without {name}")).into()),
    }
}

fn range(values: &[i64]) -> RangeInclusive<i64> {
    let low = values.iter().min().copied().unwrap_or(i64::MAX);
    let high = values.iter().max().copied().unwrap_or(i64::MIN);
    low..=high
}

fn hull(a: &RangeInclusive<i64>, b: &RangeInclusive<i64>) -> RangeInclusive<i64> {
    *a.start().min(b.start())..=*a.end().max(b.end())
}
