//! The values of one group.

use std::mem;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::Accumulator;

use super::{lists, percentile};

/// The values of one group.
#[derive(Debug)]
pub(super) struct Values {
    share: f64,
    values: Vec<f64>,
    is_distinct: bool,
}

impl Values {
    pub(super) fn new(share: f64, is_distinct: bool) -> Self {
        Self { share, values: Vec::new(), is_distinct }
    }
}

impl Accumulator for Values {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        if let Some(column) = columns.first() {
            self.values.extend(column.as_primitive::<Float64Type>().iter().flatten());
        }
        Ok(())
    }

    /// Takes values out that have left a moving window.
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
