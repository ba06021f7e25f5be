//! The values of many groups.

use std::mem;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array};
use arrow::datatypes::Float64Type;
use datafusion::error::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::{lists, percentile};

/// The values of many groups, in the order in which they came.
#[derive(Debug)]
pub(super) struct GroupedValues {
    share: f64,
    /// The group of each value.
    groups: Vec<u32>,
    values: Vec<f64>,
    /// The number of groups.
    total: usize,
}

impl GroupedValues {
    pub(super) fn new(share: f64) -> Self {
        Self { share, groups: Vec::new(), values: Vec::new(), total: 0 }
    }

    /// Takes the values of some groups out. Gives the number of values of each group, and all values, group by group.
    fn take(&mut self, emit: EmitTo) -> (Vec<usize>, Vec<f64>) {
        let emitted = match emit {
            EmitTo::All => self.total,
            EmitTo::First(count) => count.min(self.total),
        };
        let (groups, values) = (mem::take(&mut self.groups), mem::take(&mut self.values));
        let mut lengths = vec![0_usize; emitted];
        for group in &groups {
            if let Some(length) = lengths.get_mut(*group as usize) {
                *length += 1;
            }
        }
        let mut ends = Vec::with_capacity(emitted);
        let mut end = 0;
        for length in &lengths {
            ends.push(end);
            end += length;
        }
        let mut sorted = vec![0.0; end];
        for (group, value) in groups.into_iter().zip(values) {
            match ends.get_mut(group as usize) {
                Some(place) => {
                    if let Some(slot) = sorted.get_mut(*place) {
                        *slot = value;
                    }
                    *place += 1;
                }
                None => {
                    self.groups.push(group.saturating_sub(emitted as u32));
                    self.values.push(value);
                }
            }
        }
        self.total -= emitted;
        (lengths, sorted)
    }
}

impl GroupsAccumulator for GroupedValues {
    fn update_batch(
        &mut self,
        columns: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.total = total;
        let Some(column) = columns.first() else { return Ok(()) };
        let column = column.as_primitive::<Float64Type>();
        if filter.is_none() && column.null_count() == 0 {
            self.groups.extend(groups.iter().map(|group| *group as u32));
            self.values.extend_from_slice(column.values());
            return Ok(());
        }
        for (row, (group, value)) in groups.iter().zip(column).enumerate() {
            if let Some(value) = value
                && filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
            {
                self.groups.push(*group as u32);
                self.values.push(value);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let (lengths, mut values) = self.take(emit);
        let mut rest = values.as_mut_slice();
        let mut percentiles = Vec::with_capacity(lengths.len());
        for length in lengths {
            let (group, after) = rest.split_at_mut(length);
            percentiles.push(percentile(group, self.share));
            rest = after;
        }
        Ok(Arc::new(Float64Array::from(percentiles)))
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let (lengths, values) = self.take(emit);
        Ok(vec![Arc::new(lists(values, lengths.into_iter())?)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.total = total;
        let Some(states) = states.first() else { return Ok(()) };
        for (group, values) in groups.iter().zip(states.as_list::<i32>().iter()) {
            let Some(values) = values else { continue };
            let values = values.as_primitive::<Float64Type>();
            self.groups.extend(std::iter::repeat_n(*group as u32, values.len()));
            self.values.extend_from_slice(values.values());
        }
        Ok(())
    }

    /// Every row as a group of its own.
    fn convert_to_state(&self, columns: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let Some(column) = columns.first() else { return Ok(Vec::new()) };
        let column = column.as_primitive::<Float64Type>();
        let passes = |row| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        let rows: Vec<Option<f64>> =
            column.iter().enumerate().map(|(row, value)| value.filter(|_| passes(row))).collect();
        let lengths = rows.iter().map(|row| usize::from(row.is_some())).collect::<Vec<_>>();
        let values = rows.into_iter().flatten().collect();
        Ok(vec![Arc::new(lists(values, lengths.into_iter())?)])
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * size_of::<f64>() + self.groups.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn groups_have_the_percentiles_of_their_own_values(
            rows in vec((0_usize..5, proptest::option::of(-100_i32..100), any::<bool>()), 0..60),
            share in 0.0..=1.0,
            first in 0_usize..5,
        ) {
            let column: ArrayRef =
                Arc::new(rows.iter().map(|(_, value, _)| value.map(f64::from)).collect::<Float64Array>());
            let groups: Vec<usize> = rows.iter().map(|(group, ..)| *group).collect();
            let filter: BooleanArray = rows.iter().map(|(.., passes)| Some(*passes)).collect();
            let expected: Vec<Option<f64>> = (0..5)
                .map(|group| {
                    let mut values: Vec<f64> = rows
                        .iter()
                        .filter(|(of, _, passes)| *of == group && *passes)
                        .filter_map(|(_, value, _)| value.map(f64::from))
                        .collect();
                    values.sort_by(f64::total_cmp);
                    let place: f64 = share * values.len().checked_sub(1)? as f64;
                    let (low, high) = (values[place.floor() as usize], values[place.ceil() as usize]);
                    Some(low + (high - low) * place.fract())
                })
                .collect();
            let new = || GroupedValues::new(share);
            let answers = |grouped: &mut GroupedValues| -> Vec<Option<f64>> {
                let mut answers = Vec::new();
                for emit in [EmitTo::First(first), EmitTo::All] {
                    answers.extend(grouped.evaluate(emit).unwrap().as_primitive::<Float64Type>().iter());
                }
                answers
            };
            let mut whole = new();
            whole.update_batch(&[Arc::clone(&column)], &groups, Some(&filter), 5).unwrap();
            prop_assert_eq!(&answers(&mut whole), &expected);
            // In two parts, put together by their states.
            let (mut one, other, mut both) = (new(), new(), new());
            let half = rows.len() / 2;
            one.update_batch(&[column.slice(0, half)], &groups[..half], Some(&filter.slice(0, half)), 5).unwrap();
            both.merge_batch(&one.state(EmitTo::All).unwrap(), &[0, 1, 2, 3, 4], 5).unwrap();
            let rest = filter.slice(half, rows.len() - half);
            let states = other.convert_to_state(&[column.slice(half, rows.len() - half)], Some(&rest)).unwrap();
            both.merge_batch(&states, &groups[half..], 5).unwrap();
            prop_assert_eq!(&answers(&mut both), &expected);
        }
    }
}
