//! `sum` of whole numbers, which fails where the result is out of range. DataFusion's gives another number.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, UInt64Array};
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Int64Type, UInt64Type};
use datafusion::common::{ScalarValue, exec_datafusion_err, internal_err};
use datafusion::error::Result;
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator, ReversedUDAF,
    SetMonotonicity, Signature,
};

/// A sum on its way: as wide as no number of values makes it overflow.
const WIDE: DataType = DataType::Decimal128(38, 0);

/// The same function for whole numbers; `None` for any other.
pub(super) fn checked_sum(function: &Arc<AggregateUDF>, return_type: &DataType) -> Option<Arc<AggregateUDF>> {
    let is_whole = matches!(return_type, DataType::Int64 | DataType::UInt64);
    let is_sum = function.inner().is::<Sum>();
    (is_sum && is_whole).then(|| Arc::new(AggregateUDF::new_from_impl(CheckedSum { inner: Arc::clone(function) })))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CheckedSum {
    inner: Arc<AggregateUDF>,
}

impl AggregateUDFImpl for CheckedSum {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(WideSum { return_type: arguments.return_field.data_type().clone(), sum: 0, values: 0 }))
    }

    fn create_sliding_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.accumulator(arguments)
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[sum]", arguments.name), WIDE, true))])
    }

    fn groups_accumulator_supported(&self, _arguments: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let return_type = arguments.return_field.data_type().clone();
        Ok(Box::new(WideSums { return_type, sums: Vec::new() }))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.inner.inner().set_monotonicity(data_type)
    }
}

/// Calls `take` with each number that is there, and its row.
fn for_each(values: &ArrayRef, mut take: impl FnMut(usize, i128)) -> Result<()> {
    match values.data_type() {
        DataType::Int64 => {
            let values = values.as_primitive::<Int64Type>();
            values.iter().enumerate().for_each(|(row, value)| {
                if let Some(value) = value {
                    take(row, i128::from(value));
                }
            });
        }
        DataType::UInt64 => {
            let values = values.as_primitive::<UInt64Type>();
            values.iter().enumerate().for_each(|(row, value)| {
                if let Some(value) = value {
                    take(row, i128::from(value));
                }
            });
        }
        DataType::Decimal128(..) => {
            let values = values.as_primitive::<Decimal128Type>();
            values.iter().enumerate().for_each(|(row, value)| {
                if let Some(value) = value {
                    take(row, value);
                }
            });
        }
        other => return internal_err!("{other} is not whole"),
    }
    Ok(())
}

fn first(values: &[ArrayRef]) -> Result<&ArrayRef> {
    values.first().ok_or_else(|| exec_datafusion_err!("sum has one argument"))
}

/// The numbers as what the function returns.
fn narrow(sums: impl Iterator<Item = Option<i128>>, return_type: &DataType) -> Result<ArrayRef> {
    let out_of_range = || exec_datafusion_err!("bigint out of range: the sum of the values is larger");
    Ok(match return_type {
        DataType::UInt64 => {
            let narrow = |sum: Option<i128>| sum.map(|sum| u64::try_from(sum).map_err(|_| out_of_range())).transpose();
            Arc::new(sums.map(narrow).collect::<Result<UInt64Array>>()?)
        }
        _ => {
            let narrow = |sum: Option<i128>| sum.map(|sum| i64::try_from(sum).map_err(|_| out_of_range())).transpose();
            Arc::new(sums.map(narrow).collect::<Result<Int64Array>>()?)
        }
    })
}

fn wide(sums: impl Iterator<Item = Option<i128>>) -> Result<ArrayRef> {
    Ok(Arc::new(sums.collect::<Decimal128Array>().with_precision_and_scale(38, 0)?))
}

/// The sum of all rows.
#[derive(Debug)]
struct WideSum {
    return_type: DataType,
    sum: i128,
    /// The number of values in the sum, which is null without any.
    values: u64,
}

impl WideSum {
    fn get(&self) -> Option<i128> {
        (self.values > 0).then_some(self.sum)
    }
}

impl Accumulator for WideSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for_each(first(values)?, |_, value| {
            self.sum += value;
            self.values += 1;
        })
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for_each(first(values)?, |_, value| {
            self.sum -= value;
            self.values = self.values.saturating_sub(1);
        })
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Decimal128(self.get(), 38, 0)])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&narrow(std::iter::once(self.get()), &self.return_type)?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

/// The sums of groups.
#[derive(Debug)]
struct WideSums {
    return_type: DataType,
    sums: Vec<Option<i128>>,
}

impl WideSums {
    fn take(&mut self, emit: EmitTo) -> Vec<Option<i128>> {
        emit.take_needed(&mut self.sums)
    }
}

impl GroupsAccumulator for WideSums {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.sums.resize(total, None);
        let sums = &mut self.sums;
        for_each(first(values)?, |row, value| {
            if filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
                && let Some(sum) = groups.get(row).and_then(|group| sums.get_mut(*group))
            {
                *sum = Some(sum.unwrap_or(0) + value);
            }
        })
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.update_batch(states, groups, None, total)
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        narrow(self.take(emit).into_iter(), &self.return_type)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![wide(self.take(emit).into_iter())?])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values = first(values)?;
        let mut sums = vec![None; values.len()];
        for_each(values, |row, value| {
            if filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
                && let Some(sum) = sums.get_mut(row)
            {
                *sum = Some(value);
            }
        })?;
        Ok(vec![wide(sums.into_iter())?])
    }

    fn size(&self) -> usize {
        self.sums.capacity().saturating_mul(size_of::<Option<i128>>())
    }
}
