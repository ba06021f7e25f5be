//! The tables of the schema `system`, as rows of one moment.

mod accounts;
mod files;
mod partitions;
mod queries;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray, UInt64Array,
};
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::error::Result;
use skillscope_segment::AccountId;
use skillscope_store::Snapshot;

use super::comments::TableComments;
use crate::Scope;

pub(super) use accounts::{accounts, comments as comments_on_accounts};
pub(super) use files::{comments as comments_on_files, files};
pub(super) use partitions::{comments as comments_on_partitions, partitions};
pub(super) use queries::{comments as comments_on_queries, queries};

/// A table under way, column by column. Each is told with what it is.
struct SystemTable<'r, R> {
    rows: &'r [R],
    comment: &'static str,
    columns: Vec<Column>,
}

struct Column {
    name: &'static str,
    comment: &'static str,
    values: ArrayRef,
    is_nullable: bool,
}

impl<'r, R> SystemTable<'r, R> {
    fn of(rows: &'r [R], comment: &'static str) -> Self {
        Self { rows, comment, columns: Vec::new() }
    }

    fn with(mut self, name: &'static str, comment: &'static str, values: ArrayRef, is_nullable: bool) -> Self {
        self.columns.push(Column { name, comment, values, is_nullable });
        self
    }

    fn texts(self, name: &'static str, comment: &'static str, text: impl Fn(&R) -> String) -> Self {
        let texts = StringArray::from_iter_values(self.rows.iter().map(text));
        self.with(name, comment, Arc::new(texts), false)
    }

    fn optional_texts(self, name: &'static str, comment: &'static str, text: impl Fn(&R) -> Option<String>) -> Self {
        let texts = self.rows.iter().map(text).collect::<StringArray>();
        self.with(name, comment, Arc::new(texts), true)
    }

    fn counts(self, name: &'static str, comment: &'static str, count: impl Fn(&R) -> u64) -> Self {
        let counts = UInt64Array::from_iter_values(self.rows.iter().map(count));
        self.with(name, comment, Arc::new(counts), false)
    }

    fn numbers(self, name: &'static str, comment: &'static str, number: impl Fn(&R) -> i64) -> Self {
        let numbers = Int64Array::from_iter_values(self.rows.iter().map(number));
        self.with(name, comment, Arc::new(numbers), false)
    }

    /// In milliseconds since the epoch.
    fn times(self, name: &'static str, comment: &'static str, time: impl Fn(&R) -> i64) -> Self {
        let times = TimestampMillisecondArray::from_iter_values(self.rows.iter().map(time)).with_timezone("UTC");
        self.with(name, comment, Arc::new(times), false)
    }

    /// In milliseconds since the epoch.
    fn optional_times(self, name: &'static str, comment: &'static str, time: impl Fn(&R) -> Option<i64>) -> Self {
        let times: TimestampMillisecondArray = self.rows.iter().map(time).collect();
        self.with(name, comment, Arc::new(times.with_timezone("UTC")), true)
    }

    fn flags(self, name: &'static str, comment: &'static str, flag: impl Fn(&R) -> bool) -> Self {
        let flags = self.rows.iter().map(|row| Some(flag(row))).collect::<BooleanArray>();
        self.with(name, comment, Arc::new(flags), false)
    }

    fn table(self) -> Result<Arc<dyn TableProvider>> {
        let columns = self.columns.into_iter().map(|column| (column.name, column.values, column.is_nullable));
        let batch = RecordBatch::try_from_iter_with_nullable(columns)?;
        Ok(Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?))
    }

    fn comments(self) -> TableComments {
        TableComments::new(self.comment, self.columns.into_iter().map(|column| (column.name, column.comment)))
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
