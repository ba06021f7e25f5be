//! Sorted rows of one account and hour: cutting a batch into runs, and merging runs.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{Int8Type, Int32Type, Int64Type, TimestampMillisecondType};
use arrow::error::ArrowError;
use skillscope_segment::{AccountId, column, normalize_encoding, schema};

use crate::calendar::hour_of;
use crate::error::Result;
use crate::rows::arrival_times::{ArrivalTimes, with_arrival_times};
use crate::totals::Totals;

/// Rows of one account and one hour of `end_time`, sorted by skill, user type and end time.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// The rows, without the time when they arrived.
    pub(crate) batch: RecordBatch,
    pub(crate) arrival_times: ArrivalTimes,
    pub(crate) end_times: RangeInclusive<i64>,
    pub(crate) skills: RangeInclusive<i64>,
    /// `None` where the rows allow none.
    pub(crate) totals: Option<Arc<Totals>>,
    /// Memory that the rows and their totals take.
    pub(crate) bytes: usize,
}

impl Run {
    /// The run of these rows, which are of one account and one hour, in any order.
    pub(crate) fn new(batch: &RecordBatch) -> Result<Self> {
        let keys = sort_keys(batch)?;
        Self::of_sorted(sorted_by(batch, keys)?)
    }

    fn of_sorted(mut batch: RecordBatch) -> Result<Self> {
        let place = batch.schema_ref().index_of(column::ARRIVAL_TIME)?;
        let arrived = batch.remove_column(place);
        let arrival_times = ArrivalTimes::of(arrived.as_primitive());
        let end_times = range(column(&batch, column::END_TIME)?.as_primitive::<TimestampMillisecondType>().values());
        let skills = range(column(&batch, column::SKILL_ID)?.as_primitive::<Int64Type>().values());
        let mut bytes = 0;
        for array in batch.columns() {
            bytes += array.to_data().get_slice_memory_size()?;
        }
        let totals = Totals::of(&batch).map(Arc::new);
        bytes += totals.as_ref().map_or(0, |totals| totals.bytes()) + arrival_times.bytes();
        Ok(Self { batch, arrival_times, end_times, skills, totals, bytes })
    }

    /// Notes that all rows have arrived at `time`.
    pub(crate) fn arrived(&mut self, time: i64) {
        self.bytes = self.bytes.saturating_sub(self.arrival_times.bytes());
        self.arrival_times = ArrivalTimes::same(self.rows(), Some(time));
    }

    /// The rows with the time when each arrived, with the schema of segments.
    pub(crate) fn whole(&self) -> Result<RecordBatch> {
        with_arrival_times(&self.batch, &self.arrival_times)
    }

    /// One run of the rows of several.
    pub(crate) fn merged(runs: &[Arc<Self>]) -> Result<Self> {
        match runs {
            [only] => Ok(only.as_ref().clone()),
            _ => {
                let batches = runs.iter().map(|run| run.whole()).collect::<Result<Vec<_>>>()?;
                Self::new(&concatenated(&batches)?)
            }
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.batch.num_rows()
    }
}

/// Runs are merged up to so many rows.
pub(crate) const MAX_RUN_ROWS: usize = 1 << 21;

/// Runs are merged up to this size, in bytes: the 32-bit offsets of a column of text end at two gigabytes.
pub(crate) const MAX_RUN_BYTES: usize = 1 << 30;

/// Runs in groups, each of which can be merged into one run.
pub(crate) fn mergeable(runs: Vec<Arc<Run>>) -> Vec<Vec<Arc<Run>>> {
    let mut groups: Vec<Vec<Arc<Run>>> = Vec::new();
    let (mut rows, mut bytes) = (0, 0);
    for run in runs {
        (rows, bytes) = (rows + run.rows(), bytes + run.bytes);
        match groups.last_mut() {
            Some(group) if rows <= MAX_RUN_ROWS && bytes <= MAX_RUN_BYTES => group.push(run),
            _ => {
                (rows, bytes) = (run.rows(), run.bytes);
                groups.push(vec![run]);
            }
        }
    }
    groups
}

/// The rows of several batches in one.
pub(crate) fn concatenated<'b>(batches: impl IntoIterator<Item = &'b RecordBatch>) -> Result<RecordBatch> {
    // Concatenating puts dictionaries one after the other; each value is kept once.
    Ok(normalize_encoding(&concat_batches(&schema(), batches)?)?)
}

/// A batch's rows of one account and one hour.
#[derive(Debug)]
pub(crate) struct Cut {
    pub(crate) account: AccountId,
    pub(crate) hour: i64,
    pub(crate) run: Run,
}

/// Cuts a batch into sorted runs, one for each account and hour in it.
pub(crate) fn cut(batch: &RecordBatch) -> Result<Vec<Cut>> {
    let by_place = sorted_by(batch, places(batch)?.into_iter().zip(sort_keys(batch)?).collect())?;
    let names = column(&by_place, column::ACCOUNT_ID)?.as_dictionary::<Int32Type>().values().as_string::<i32>();
    let mut cuts = Vec::new();
    let mut start = 0;
    for rows in places(&by_place)?.chunk_by(|a, b| a == b) {
        let Some((account, hour)) = rows.first() else { continue };
        let account = AccountId::parse(names.value(*account as usize))?;
        let batch = of_account(&by_place.slice(start, rows.len()), &account)?;
        cuts.push(Cut { account, hour: *hour, run: Run::of_sorted(batch)? });
        start += rows.len();
    }
    Ok(cuts)
}

/// The batch, all of whose rows are of `account`, without the names of other accounts.
fn of_account(batch: &RecordBatch, account: &AccountId) -> Result<RecordBatch> {
    let place = batch.schema().index_of(column::ACCOUNT_ID)?;
    let keys = Int32Array::from_value(0, batch.num_rows());
    let mut columns = batch.columns().to_vec();
    if let Some(accounts) = columns.get_mut(place) {
        let names: ArrayRef = Arc::new(StringArray::from_iter_values([account.as_str()]));
        *accounts = Arc::new(DictionaryArray::try_new(keys, names)?);
    }
    Ok(RecordBatch::try_new(batch.schema(), columns)?)
}

/// For each row its account, as a dictionary key, and the hour in which it ended.
fn places(batch: &RecordBatch) -> Result<Vec<(i32, i64)>> {
    let accounts = column(batch, column::ACCOUNT_ID)?.as_dictionary::<Int32Type>().keys().values();
    let end_times = column(batch, column::END_TIME)?.as_primitive::<TimestampMillisecondType>().values();
    Ok(accounts.iter().zip(end_times).map(|(account, time)| (*account, hour_of(*time))).collect())
}

/// What a run is sorted by: skill, user type, end time.
pub(crate) type SortKey = (i64, i8, i64);

/// The sort key of each row.
fn sort_keys(batch: &RecordBatch) -> Result<Vec<SortKey>> {
    let SortColumns { skills, user_types, end_times } = SortColumns::new(batch)?;
    let keys = skills.iter().zip(user_types).zip(end_times);
    Ok(keys.map(|((skill, user_type), end_time)| (*skill, *user_type, *end_time)).collect())
}

/// The columns of a batch that runs are sorted by.
#[derive(Clone, Copy)]
pub(crate) struct SortColumns<'b> {
    skills: &'b [i64],
    user_types: &'b [i8],
    end_times: &'b [i64],
}

impl<'b> SortColumns<'b> {
    pub(crate) fn new(batch: &'b RecordBatch) -> Result<Self> {
        Ok(Self {
            skills: column(batch, column::SKILL_ID)?.as_primitive::<Int64Type>().values(),
            user_types: column(batch, column::USER_TYPE)?.as_dictionary::<Int8Type>().keys().values(),
            end_times: column(batch, column::END_TIME)?.as_primitive::<TimestampMillisecondType>().values(),
        })
    }

    /// The sort key of a row; `None` past the end.
    pub(crate) fn key(&self, row: usize) -> Option<SortKey> {
        Some((*self.skills.get(row)?, *self.user_types.get(row)?, *self.end_times.get(row)?))
    }

    /// The rows with this sort key, in a batch that is sorted.
    pub(crate) fn rows_of(&self, key: SortKey) -> Range<usize> {
        self.first_not(|other| other < key)..self.first_not(|other| other <= key)
    }

    /// The first row that is not before, where the rows that are before come first.
    fn first_not(&self, is_before: impl Fn(SortKey) -> bool) -> usize {
        let (mut low, mut high) = (0, self.skills.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle).is_some_and(&is_before) { low = middle + 1 } else { high = middle }
        }
        low
    }
}

/// The rows of `batch` in the order of `keys`, of which there is one a row; rows with equal keys keep their order.
fn sorted_by<K: Ord>(batch: &RecordBatch, keys: Vec<K>) -> Result<RecordBatch> {
    if keys.is_sorted() {
        return Ok(batch.clone());
    }
    let mut order: Vec<(K, u32)> = keys.into_iter().zip(0..).collect();
    // Merging runs is a sort of sorted pieces, which the stable sort finds and merges.
    order.sort();
    let rows = UInt32Array::from_iter_values(order.into_iter().map(|(_, row)| row));
    Ok(take_record_batch(batch, &rows)?)
}

fn column<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a dyn Array> {
    match batch.column_by_name(name) {
        Some(array) => Ok(array.as_ref()),
        None => Err(ArrowError::SchemaError(format!("a batch of segments without {name}")).into()),
    }
}

fn range(values: &[i64]) -> RangeInclusive<i64> {
    let low = values.iter().min().copied().unwrap_or(i64::MAX);
    let high = values.iter().max().copied().unwrap_or(i64::MIN);
    low..=high
}
