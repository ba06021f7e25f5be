//! The columns of an answer from running totals, batch by batch.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, DictionaryArray, Float64Builder, Int8Array, Int64Array, Int64Builder, RecordBatch, RecordBatchOptions,
    StringArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::error::Result;
use skillscope_segment::{AccountId, UserType};
use skillscope_store::Tally;

use super::group::Group;
use super::tally_metric::{TallyMetric, samples};
use super::{Key, TotalsQuery};

/// A row of the answer.
pub(super) struct Row {
    /// The place of its group.
    pub(super) group: usize,
    pub(super) skill: i64,
    /// The place of the user type in [`UserType::ALL`].
    pub(super) user_type: usize,
    pub(super) bin: i64,
    pub(super) tally: Tally,
}

/// The columns of a batch that is being filled.
pub(super) struct AnswerColumns {
    rows: usize,
    keys: Vec<KeyColumn>,
    metrics: Vec<MetricColumn>,
}

enum KeyColumn {
    /// The places of groups.
    Account(Vec<usize>),
    Skill(Vec<i64>),
    UserType(Vec<i8>),
    Bin(Vec<i64>),
}

enum MetricColumn {
    Count(TallyMetric, Vec<i64>),
    Nullable(TallyMetric, Int64Builder),
    Average(TallyMetric, Float64Builder),
}

impl AnswerColumns {
    pub(super) fn new(query: &TotalsQuery, rows: usize) -> Self {
        let column = |metric: &TallyMetric| match metric {
            TallyMetric::Count(_) => MetricColumn::Count(*metric, Vec::with_capacity(rows)),
            TallyMetric::CountAsSum(_) | TallyMetric::SampleSum => {
                MetricColumn::Nullable(*metric, Int64Builder::with_capacity(rows))
            }
            TallyMetric::SampleAverage => MetricColumn::Average(*metric, Float64Builder::with_capacity(rows)),
        };
        let key = |key: &Key| match key {
            Key::Account => KeyColumn::Account(Vec::with_capacity(rows)),
            Key::Skill => KeyColumn::Skill(Vec::with_capacity(rows)),
            Key::UserType => KeyColumn::UserType(Vec::with_capacity(rows)),
            Key::Bin => KeyColumn::Bin(Vec::with_capacity(rows)),
        };
        let keys = query.keys.iter().map(key).collect();
        Self { rows: 0, keys, metrics: query.metrics.iter().map(column).collect() }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds some rows. They should be few enough to stay in the processor's nearest cache.
    pub(super) fn add(&mut self, rows: &[Row]) {
        self.rows += rows.len();
        for key in &mut self.keys {
            match key {
                KeyColumn::Account(groups) => groups.extend(rows.iter().map(|row| row.group)),
                KeyColumn::Skill(skills) => skills.extend(rows.iter().map(|row| row.skill)),
                KeyColumn::UserType(places) => places.extend(rows.iter().map(|row| row.user_type as i8)),
                KeyColumn::Bin(bins) => bins.extend(rows.iter().map(|row| row.bin)),
            }
        }
        for column in &mut self.metrics {
            match column {
                MetricColumn::Count(metric, column) => {
                    column.extend(rows.iter().map(|row| metric.of(&row.tally).unwrap_or_default()));
                }
                MetricColumn::Nullable(metric, column) => {
                    rows.iter().for_each(|row| column.append_option(metric.of(&row.tally)));
                }
                MetricColumn::Average(metric, column) => {
                    let average = |row: &Row| Some(metric.of(&row.tally)? as f64 / samples(&row.tally) as f64);
                    rows.iter().for_each(|row| column.append_option(average(row)));
                }
            }
        }
    }

    /// The batch, with the columns of `schema`: the keys first, then the metrics.
    pub(super) fn finish(self, query: &TotalsQuery, groups: &[Group], schema: &SchemaRef) -> Result<RecordBatch> {
        let rows = self.rows();
        let mut columns = Vec::with_capacity(schema.fields().len());
        for (key, field) in self.keys.into_iter().zip(schema.fields()) {
            columns.push(key.finish(query, groups, field.data_type())?);
        }
        columns.extend(self.metrics.into_iter().map(|column| -> ArrayRef {
            match column {
                MetricColumn::Count(_, values) => Arc::new(Int64Array::from(values)),
                MetricColumn::Nullable(_, mut values) => Arc::new(values.finish()),
                MetricColumn::Average(_, mut values) => Arc::new(values.finish()),
            }
        }));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
    }
}

impl KeyColumn {
    fn finish(self, query: &TotalsQuery, groups: &[Group], data_type: &DataType) -> Result<ArrayRef> {
        let values: ArrayRef = match self {
            Self::Account(places) => {
                let account = |group: &usize| groups.get(*group)?.account.as_ref().map(AccountId::as_str);
                Arc::new(StringArray::from_iter(places.iter().map(account)))
            }
            Self::Skill(skills) => Arc::new(Int64Array::from(skills)),
            Self::UserType(places) => {
                let words = StringArray::from_iter_values(UserType::ALL.iter().map(|word| word.as_str()));
                Arc::new(DictionaryArray::try_new(Int8Array::from(places), Arc::new(words))?)
            }
            Self::Bin(bins) => return query.bins.labels(bins, data_type),
        };
        Ok(cast(&values, data_type)?)
    }
}
