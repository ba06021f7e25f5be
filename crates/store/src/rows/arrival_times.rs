//! When the rows of a run arrived, in little memory: most came together, or within days of each other.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, TimestampMillisecondArray};
use skillscope_segment::{TIME_ZONE, schema};

use crate::error::Result;

/// An offset that stands for an unknown time.
const UNKNOWN_OFFSET: u32 = u32::MAX;

/// When each row of a run arrived: nothing a row where all came together, 4 bytes a row where they came within seven
/// weeks, and 8 otherwise.
#[derive(Debug, Clone)]
pub struct ArrivalTimes {
    rows: usize,
    kept: Kept,
}

#[derive(Debug, Clone)]
enum Kept {
    /// All rows at the same time, or all at an unknown one.
    Same(Option<i64>),
    /// Milliseconds after the first arrival.
    Offsets {
        first: i64,
        offsets: Arc<[u32]>,
    },
    Times(Arc<[Option<i64>]>),
}

impl ArrivalTimes {
    /// Of so many rows, all of which arrived at `time`; `None` where it is not known.
    pub(crate) fn same(rows: usize, time: Option<i64>) -> Self {
        Self { rows, kept: Kept::Same(time) }
    }

    /// Of rows with these times, in milliseconds since the epoch.
    pub(crate) fn of(times: &TimestampMillisecondArray) -> Self {
        let rows = times.len();
        let first = times.iter().flatten().min();
        let last = times.iter().flatten().max();
        let (Some(first), Some(last)) = (first, last) else { return Self::same(rows, None) };
        if first == last && times.null_count() == 0 {
            return Self::same(rows, Some(first));
        }
        let is_near = last.checked_sub(first).is_some_and(|span| span < i64::from(UNKNOWN_OFFSET));
        let kept = if is_near {
            let offset = |time: Option<i64>| time.map_or(UNKNOWN_OFFSET, |time| (time - first) as u32);
            Kept::Offsets { first, offsets: times.iter().map(offset).collect() }
        } else {
            Kept::Times(times.iter().collect())
        };
        Self { rows, kept }
    }

    /// The column `arrival_time` of some of the rows.
    pub fn column(&self, rows: Range<usize>) -> ArrayRef {
        let (start, end) = (rows.start.min(self.rows), rows.end.min(self.rows));
        let times = match &self.kept {
            Kept::Same(Some(time)) => TimestampMillisecondArray::from_value(*time, end.saturating_sub(start)),
            Kept::Same(None) => TimestampMillisecondArray::new_null(end.saturating_sub(start)),
            Kept::Offsets { first, offsets } => {
                let time = |offset: &u32| (*offset != UNKNOWN_OFFSET).then(|| first.saturating_add((*offset).into()));
                offsets.get(start..end).unwrap_or_default().iter().map(time).collect()
            }
            Kept::Times(times) => times.get(start..end).unwrap_or_default().iter().copied().collect(),
        };
        Arc::new(times.with_timezone(TIME_ZONE))
    }

    /// The one time at which all rows arrived, where they came together.
    pub(crate) fn only(&self) -> Option<i64> {
        match self.kept {
            Kept::Same(time) => time,
            Kept::Offsets { .. } | Kept::Times(_) => None,
        }
    }

    /// Memory that the times take.
    pub(crate) fn bytes(&self) -> usize {
        match &self.kept {
            Kept::Same(_) => 0,
            Kept::Offsets { offsets, .. } => size_of_val(offsets.as_ref()),
            Kept::Times(times) => size_of_val(times.as_ref()),
        }
    }
}

/// The rows of a batch that lacks the column `arrival_time`, with it.
pub(crate) fn with_arrival_times(batch: &RecordBatch, arrival_times: &ArrivalTimes) -> Result<RecordBatch> {
    let mut columns = batch.columns().to_vec();
    columns.push(arrival_times.column(0..batch.num_rows()));
    Ok(RecordBatch::try_new(schema(), columns)?)
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::TimestampMillisecondType;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn kept(times: &[Option<i64>]) -> ArrivalTimes {
        ArrivalTimes::of(&times.iter().copied().collect())
    }

    fn told(times: &ArrivalTimes, rows: Range<usize>) -> Vec<Option<i64>> {
        times.column(rows).as_primitive::<TimestampMillisecondType>().iter().collect()
    }

    #[test]
    fn times_take_as_little_memory_as_they_can() {
        assert_eq!(kept(&[Some(7); 1_000]).bytes(), 0);
        assert_eq!(kept(&[None; 1_000]).bytes(), 0);
        let week: Vec<_> = (0..1_000).map(|row| Some(1_700_000_000_000 + row * 600_000)).collect();
        assert_eq!(kept(&week).bytes(), 4_000);
    }

    proptest! {
        #[test]
        fn every_time_comes_back(
            times in vec(proptest::option::of(prop_oneof![Just(5), 0..100_i64, 0..8_000_000_000_i64, any::<i64>()]), 0..40),
            rows in (0..50_usize, 0..50_usize),
        ) {
            let kept = kept(&times);
            prop_assert_eq!(told(&kept, 0..times.len()), times.clone());
            let rows = rows.0..rows.1;
            let expected: Vec<_> = times.iter().take(rows.end).skip(rows.start).copied().collect();
            prop_assert_eq!(told(&kept, rows), expected);
        }
    }
}
