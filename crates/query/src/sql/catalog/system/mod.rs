//! The tables of the schema `system`, as rows of one moment.

mod files;
mod partitions;
mod queries;

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray, UInt64Array};
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::error::Result;
use skillscope_segment::AccountId;
use skillscope_store::Snapshot;

use crate::Scope;

pub(super) use files::files;
pub(super) use partitions::partitions;
pub(super) use queries::queries;

/// A table under way, column by column.
struct SystemTable<'r, R> {
    rows: &'r [R],
    columns: Vec<(&'static str, ArrayRef, bool)>,
}

impl<'r, R> SystemTable<'r, R> {
    fn of(rows: &'r [R]) -> Self {
        Self { rows, columns: Vec::new() }
    }

    fn texts(mut self, name: &'static str, text: impl Fn(&R) -> String) -> Self {
        let texts = StringArray::from_iter_values(self.rows.iter().map(text));
        self.columns.push((name, Arc::new(texts), false));
        self
    }

    fn optional_texts(mut self, name: &'static str, text: impl Fn(&R) -> Option<String>) -> Self {
        self.columns.push((name, Arc::new(self.rows.iter().map(text).collect::<StringArray>()), true));
        self
    }

    fn counts(mut self, name: &'static str, count: impl Fn(&R) -> u64) -> Self {
        self.columns.push((name, Arc::new(UInt64Array::from_iter_values(self.rows.iter().map(count))), false));
        self
    }

    fn numbers(mut self, name: &'static str, number: impl Fn(&R) -> i64) -> Self {
        self.columns.push((name, Arc::new(Int64Array::from_iter_values(self.rows.iter().map(number))), false));
        self
    }

    /// In milliseconds since the epoch.
    fn times(mut self, name: &'static str, time: impl Fn(&R) -> i64) -> Self {
        let times = TimestampMillisecondArray::from_iter_values(self.rows.iter().map(time)).with_timezone("UTC");
        self.columns.push((name, Arc::new(times), false));
        self
    }

    fn flags(mut self, name: &'static str, flag: impl Fn(&R) -> bool) -> Self {
        let flags: arrow::array::BooleanArray = self.rows.iter().map(|row| Some(flag(row))).collect();
        self.columns.push((name, Arc::new(flags), false));
        self
    }

    fn table(self) -> Result<Arc<dyn TableProvider>> {
        let batch = RecordBatch::try_from_iter_with_nullable(self.columns)?;
        Ok(Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?))
    }
}

/// The parts that a snapshot has of the accounts in scope.
fn of_accounts<'s, T: 's, I: Iterator<Item = T>>(
    snapshot: &'s Snapshot,
    scope: &'s Scope,
    parts: impl Fn(&'s AccountId) -> I + 's,
) -> Vec<T> {
    let accounts = snapshot.accounts().filter(|account| scope.includes(account.as_str()));
    accounts.flat_map(parts).collect()
}
