//! Rows whose keys and end times are in memory already: whether they say the same as the first ones.
//!
//! The first row of a repeat is looked for in three places, the cheapest first: in a run among the rows that are sorted
//! to the same place, since a true repeat stands there; among the rows that are written together with it; and in the
//! whole of its hour, since a contradiction about skill or user type is sorted elsewhere. All repeats of a batch are
//! looked for together, so that each row in memory is looked at once or twice at most, however many come again.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, DynComparator, RecordBatch, make_comparator};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, TimestampMillisecondType};
use arrow::util::display::array_value_to_string;
use hashbrown::HashTable;
use skillscope_segment::column;

use crate::calendar::hour_of;
use crate::error::Result;
use crate::rows::keys::{Key, KeyColumns};
use crate::rows::run::{Run, SortColumns, SortKey};
use crate::snapshot::Snapshot;

/// The columns that are not compared: those by which a repeat is told, and when a store took the row.
const NOT_COMPARED: [&str; 5] =
    [column::ACCOUNT_ID, column::CONVERSATION_ID, column::SEGMENT_INDEX, column::END_TIME, column::ARRIVAL_TIME];

/// The rows of a batch that contradict the first row of the same key and end time.
pub(super) struct Contradictions<'b> {
    batch: &'b RecordBatch,
    comparisons: Vec<Comparison>,
    /// For each row the comparison that found it, and the first row.
    rows: BTreeMap<usize, (usize, usize)>,
}

/// Where first rows are.
#[derive(Clone, Copy)]
pub(super) struct FirstRows<'f> {
    /// What was stored before the group of writes that the batch is of.
    pub(super) snapshot: &'f Snapshot,
    /// Rows of the group that are written before the batch.
    pub(super) group: &'f [RecordBatch],
    /// Rows of the batch itself that are new.
    pub(super) own: &'f RecordBatch,
}

impl<'b> Contradictions<'b> {
    /// Compares `repeats`, which are rows of `batch` whose keys and end times are in memory, with the first of each. One
    /// whose first row is not found contradicts nothing.
    pub(super) fn of(batch: &'b RecordBatch, repeats: &[usize], first: FirstRows<'_>) -> Result<Self> {
        let mut found = Self { batch, comparisons: Vec::new(), rows: BTreeMap::new() };
        if repeats.is_empty() {
            return Ok(found);
        }
        let mut sought = Sought::of(batch, repeats)?;
        let hours = places(batch, repeats)?;
        let runs_of = |(account, hour): (&str, i64)| {
            let account = first.snapshot.account(account);
            let partition = account.and_then(|account| first.snapshot.partition(account, hour));
            partition.into_iter().flat_map(|partition| partition.runs())
        };
        for (hour, places) in &hours {
            runs_of(*hour).try_for_each(|run| found.look_at(run, places, &mut sought))?;
        }
        let mut together = first.group.iter().chain([first.own]);
        together.try_for_each(|rows| found.look_through(rows, &mut sought))?;
        for hour in sought.hours() {
            runs_of(hour).try_for_each(|run| found.look_through(&run.batch, &mut sought))?;
        }
        Ok(found)
    }

    /// The number of such rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Such rows in their order, each with the fields that differ: `skill_id 7, not 8`.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, String)> {
        self.rows.iter().filter_map(|(row, (comparison, first))| {
            let comparison = self.comparisons.get(*comparison)?;
            Some((*row, comparison.told(*first, self.batch, *row)))
        })
    }

    /// Looks for first rows at these places of a run.
    fn look_at(&mut self, run: &Run, places: &[SortKey], sought: &mut Sought<'b>) -> Result<()> {
        let (sorted, mut here) = (SortColumns::new(&run.batch)?, Here::new(&run.batch)?);
        places.iter().try_for_each(|place| self.compare(&mut here, sorted.rows_of(*place), sought))
    }

    /// Looks for first rows in all of `batch`.
    fn look_through(&mut self, batch: &RecordBatch, sought: &mut Sought<'b>) -> Result<()> {
        if sought.is_empty() {
            return Ok(());
        }
        self.compare(&mut Here::new(batch)?, 0..batch.num_rows(), sought)
    }

    /// Compares those of `rows` that are sought.
    fn compare(&mut self, here: &mut Here<'_>, rows: Range<usize>, sought: &mut Sought<'b>) -> Result<()> {
        for first in rows {
            let Some(repeats) = here.keys.key(first).and_then(|key| sought.take(&key)) else { continue };
            let number = match here.comparison {
                Some(number) => number,
                None => {
                    self.comparisons.push(Comparison::of(here.batch, self.batch)?);
                    *here.comparison.insert(self.comparisons.len() - 1)
                }
            };
            let Some(comparison) = self.comparisons.get(number) else { continue };
            let others = repeats.into_iter().filter(|row| comparison.differs(first, *row));
            self.rows.extend(others.map(|row| (row, (number, first))));
        }
        Ok(())
    }
}

/// An account, and an hour of end times.
type Hour<'b> = (&'b str, i64);

/// Where the first rows of `repeats` stand in sorted runs if they say the same: places by account and hour.
fn places<'b>(batch: &'b RecordBatch, repeats: &[usize]) -> Result<BTreeMap<Hour<'b>, Vec<SortKey>>> {
    let (keys, columns) = (KeyColumns::new(batch)?, SortColumns::new(batch)?);
    let mut hours: BTreeMap<Hour<'b>, Vec<SortKey>> = BTreeMap::new();
    for row in repeats {
        let (Some(key), Some(place)) = (keys.key(*row), columns.key(*row)) else { continue };
        hours.entry(hour(&key)).or_default().push(place);
    }
    for places in hours.values_mut() {
        places.sort_unstable();
        places.dedup();
    }
    Ok(hours)
}

fn hour<'b>(key: &Key<'b>) -> Hour<'b> {
    (key.account, hour_of(key.end_time))
}

/// The repeats whose first rows are not found yet.
struct Sought<'b> {
    hasher: RandomState,
    /// Each key with the rows that have it.
    rows: HashTable<(Key<'b>, Vec<usize>)>,
    end_times: HashSet<i64>,
}

impl<'b> Sought<'b> {
    fn of(batch: &'b RecordBatch, repeats: &[usize]) -> Result<Self> {
        let (keys, hasher) = (KeyColumns::new(batch)?, RandomState::new());
        let mut rows: HashTable<(Key<'b>, Vec<usize>)> = HashTable::with_capacity(repeats.len());
        let mut end_times = HashSet::new();
        for row in repeats {
            let Some(key) = keys.key(*row) else { continue };
            end_times.insert(key.end_time);
            let entry =
                rows.entry(hasher.hash_one(key), |(other, _)| *other == key, |(other, _)| hasher.hash_one(other));
            entry.or_insert_with(|| (key, Vec::new())).into_mut().1.push(*row);
        }
        Ok(Self { hasher, rows, end_times })
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The hours that they are of.
    fn hours(&self) -> BTreeSet<Hour<'b>> {
        self.rows.iter().map(|(key, _)| hour(key)).collect()
    }

    /// The repeats of a row, which are sought no longer.
    fn take(&mut self, first: &Key<'_>) -> Option<Vec<usize>> {
        // Most rows are not sought, and a number is looked up faster than text.
        if !self.end_times.contains(&first.end_time) {
            return None;
        }
        let found = self.rows.find_entry(self.hasher.hash_one(first), |(key, _)| key == first);
        found.ok().map(|entry| entry.remove().0.1)
    }
}

/// A batch in which first rows are looked for.
struct Here<'f> {
    batch: &'f RecordBatch,
    keys: KeyColumns<'f>,
    /// The number of its comparison, once there is one.
    comparison: Option<usize>,
}

impl<'f> Here<'f> {
    fn new(batch: &'f RecordBatch) -> Result<Self> {
        Ok(Self { batch, keys: KeyColumns::new(batch)?, comparison: None })
    }
}

/// Compares rows of one batch with rows of another, field by field.
struct Comparison {
    fields: Vec<Field>,
}

struct Field {
    name: String,
    first: ArrayRef,
    compare: DynComparator,
}

impl Comparison {
    fn of(first: &RecordBatch, other: &RecordBatch) -> Result<Self> {
        let mut fields = Vec::with_capacity(other.num_columns());
        for (field, column) in other.schema().fields().iter().zip(other.columns()) {
            let compared =
                first.column_by_name(field.name()).filter(|_| !NOT_COMPARED.contains(&field.name().as_str()));
            let Some(first) = compared else { continue };
            let compare = make_comparator(first, column, SortOptions::default())?;
            fields.push(Field { name: field.name().clone(), first: ArrayRef::clone(first), compare });
        }
        Ok(Self { fields })
    }

    fn differs(&self, first: usize, other: usize) -> bool {
        self.fields.iter().any(|field| (field.compare)(first, other).is_ne())
    }

    /// The fields that differ, each with its first value and that of row `row` of `other`.
    fn told(&self, first: usize, other: &RecordBatch, row: usize) -> String {
        let mut told = String::new();
        for field in self.fields.iter().filter(|field| (field.compare)(first, row).is_ne()) {
            let Some(column) = other.column_by_name(&field.name) else { continue };
            let comma = if told.is_empty() { "" } else { ", " };
            let (stored, new) = (value(&field.first, first), value(column, row));
            // Writing to text does not fail.
            let _ = write!(told, "{comma}{} {stored}, not {new}", field.name);
        }
        told
    }
}

/// A value as errors tell it: times in milliseconds, free text in quotes.
fn value(array: &ArrayRef, row: usize) -> String {
    let plain = || array_value_to_string(array, row).unwrap_or_default();
    match array.data_type() {
        _ if array.is_null(row) => "null".to_owned(),
        DataType::Timestamp(..) => array.as_primitive::<TimestampMillisecondType>().value(row).to_string(),
        DataType::Utf8 => format!("{:?}", plain()),
        DataType::Dictionary(key, _) if **key == DataType::Int32 => format!("{:?}", plain()),
        _ => plain(),
    }
}
