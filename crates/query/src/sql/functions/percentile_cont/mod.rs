//! `percentile_cont`, exact.
//!
//! DataFusion's function cuts the place between two values to a millionth of their distance
//! (<https://github.com/apache/datafusion/issues/25266>), so its answers differ from other databases'. It also sums the
//! sizes of all groups with every batch, which takes longer than the question where there are many groups.

mod grouped_values;
mod values;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{ScalarValue, plan_err, resources_err};
use datafusion::error::Result;
use datafusion::functions_aggregate::percentile_cont::percentile_cont_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, AggregateFunctionSimplification, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, Signature, Volatility};
use datafusion::physical_expr::expressions::Literal;

use grouped_values::GroupedValues;
use values::Values;

/// `percentile_cont(p) within group (order by x)`, or `percentile_cont(x, p)`: the value below which a share `p` of all
/// values lies. Between two values it lies on the line from one to the other, at `p · (n − 1)` places from the least.
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
        Ok(Box::new(Values::new(share(&arguments)?, arguments.is_distinct)))
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs) -> bool {
        !arguments.is_distinct
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(GroupedValues::new(share(&arguments)?)))
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

#[cfg(test)]
mod tests {
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
}
