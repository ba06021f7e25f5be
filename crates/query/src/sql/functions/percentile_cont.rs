//! `percentile_cont`, exact. DataFusion's own rounds the place between two values to a millionth, and sums the sizes of all
//! groups with every batch.

use std::hash::{Hash, Hasher};
use std::mem;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{ScalarValue, plan_err, resources_err};
use datafusion::error::Result;
use datafusion::functions_aggregate::percentile_cont::percentile_cont_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::physical_expr::expressions::Literal;

/// `percentile_cont(p) within group (order by x)`, or `percentile_cont(x, p)`: the value below which a share `p` of all values
/// lies. Between two values it lies on the line from one to the other, at `p · (n − 1)` places from the least.
pub(super) fn percentile_cont() -> AggregateUDF {
    AggregateUDF::new_from_impl(PercentileCont {
        signature: Signature::exact(vec![DataType::Float64, DataType::Float64], Volatility::Immutable),
        inner: percentile_cont_udaf(),
    })
}

#[derive(Debug)]
struct PercentileCont {
    signature: Signature,
    inner: Arc<AggregateUDF>,
}

/// There is one such function.
impl PartialEq for PercentileCont {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for PercentileCont {}

impl Hash for PercentileCont {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl AggregateUDFImpl for PercentileCont {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[values]", arguments.name), DataType::List(item()), true))])
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Values { share: share(&arguments)?, values: Vec::new(), is_distinct: arguments.is_distinct }))
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs) -> bool {
        !arguments.is_distinct
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(GroupedValues { share: share(&arguments)?, groups: Vec::new(), values: Vec::new(), total: 0 }))
    }

    fn simplify(&self) -> Option<AggregateFunctionSimplification> {
        self.inner.inner().simplify()
    }

    fn supports_within_group_clause(&self) -> bool {
        true
    }
}

fn item() -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Float64, true))
}

/// The share below the value that is asked for, counted from the least.
fn share(arguments: &AccumulatorArgs) -> Result<f64> {
    let literal = arguments.exprs.get(1).and_then(|share| share.downcast_ref::<Literal>());
    match literal.map(Literal::value) {
        Some(ScalarValue::Float64(Some(share))) if (0.0..=1.0).contains(share) => {
            let is_descending = arguments.order_bys.first().is_some_and(|order| order.options.descending);
            Ok(if is_descending { 1.0 - share } else { *share })
        }
        _ => plan_err!("percentile_cont takes a share from 0 to 1, as a number"),
    }
}

/// The value with a share of all below it. It changes the order of the values.
fn percentile(values: &mut [f64], share: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let place = share * last as f64;
    let (below, above) = (place.floor(), place.ceil());
    let (_, lower, higher) = values.select_nth_unstable_by(last.min(below as usize), f64::total_cmp);
    let lower = *lower;
    if below == above {
        return Some(lower);
    }
    let upper = higher.iter().copied().min_by(f64::total_cmp).unwrap_or(lower);
    Some(lower + (upper - lower) * (place - below))
}

/// A list of values for each of some groups.
fn lists(values: Vec<f64>, lengths: impl Iterator<Item = usize>) -> Result<ListArray> {
    if i32::try_from(values.len()).is_err() {
        return resources_err!("percentile_cont has more values than a list can hold");
    }
    let values: ArrayRef = Arc::new(Float64Array::from(values));
    Ok(ListArray::try_new(item(), OffsetBuffer::from_lengths(lengths), values, None)?)
}

/// The values of one group.
#[derive(Debug)]
struct Values {
    share: f64,
    values: Vec<f64>,
    is_distinct: bool,
}

impl Accumulator for Values {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        if let Some(column) = columns.first() {
            self.values.extend(column.as_primitive::<Float64Type>().iter().flatten());
        }
        Ok(())
    }

    /// What leaves a moving window.
    fn retract_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let Some(column) = columns.first() else { return Ok(()) };
        for value in column.as_primitive::<Float64Type>().iter().flatten() {
            if let Some(place) = self.values.iter().position(|known| known.total_cmp(&value).is_eq()) {
                self.values.swap_remove(place);
            }
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if !self.is_distinct {
            return Ok(ScalarValue::Float64(percentile(&mut self.values, self.share)));
        }
        let mut distinct = self.values.clone();
        distinct.sort_unstable_by(f64::total_cmp);
        distinct.dedup();
        Ok(ScalarValue::Float64(percentile(&mut distinct, self.share)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = mem::take(&mut self.values);
        let length = values.len();
        Ok(vec![ScalarValue::List(Arc::new(lists(values, std::iter::once(length))?))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for values in states.iter().flat_map(|lists| lists.as_list::<i32>().iter().flatten()) {
            self.update_batch(&[values])?;
        }
        Ok(())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * size_of::<f64>()
    }
}

/// The values of many groups, in the order in which they came.
#[derive(Debug)]
struct GroupedValues {
    share: f64,
    /// The group of each value.
    groups: Vec<u32>,
    values: Vec<f64>,
    /// The number of groups.
    total: usize,
}

impl GroupedValues {
    /// Takes some groups' values out: the lengths of the groups, and the values of one after those of the other.
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

    #[test]
    fn between_two_values_it_lies_on_the_line() {
        for (values, share, expected) in [
            (&[][..], 0.5, None),
            (&[7.0], 0.9, Some(7.0)),
            (&[3.0, 1.0, 2.0], 0.5, Some(2.0)),
            (&[4.0, 1.0], 0.25, Some(1.75)),
            (&[10.0, 0.0, 20.0, 30.0, 40.0], 0.95, Some(38.0)),
            (&[1.0, 2.0], 0.0, Some(1.0)),
            (&[1.0, 2.0], 1.0, Some(2.0)),
        ] {
            assert_eq!(percentile(&mut values.to_vec(), share), expected, "{values:?} {share}");
        }
    }

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
            let new = || GroupedValues { share, groups: Vec::new(), values: Vec::new(), total: 0 };
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
