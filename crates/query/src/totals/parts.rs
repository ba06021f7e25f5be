//! The running totals of the rows that can count.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use datafusion::error::Result;
use skillscope_segment::AccountId;
use skillscope_store::Totals;

use super::conditions::Conditions;
use crate::table::SegmentsTable;

/// The totals of one account.
#[derive(Debug)]
pub(super) struct AccountTotals {
    pub(super) account: AccountId,
    /// Each row that can count is in exactly one of them.
    pub(super) parts: Vec<Arc<Totals>>,
}

/// The totals of all rows that can count; `None` where some rows have no totals.
pub(super) async fn parts(table: &SegmentsTable, conditions: &Conditions) -> Result<Option<Vec<AccountTotals>>> {
    let snapshot = table.snapshot();
    let mut accounts = Vec::new();
    // A condition may fail for an account that has no rows to count, so the scan decides whether it fails.
    let Ok(passing) = accounts_that_pass(table, conditions) else { return Ok(None) };
    for account in passing {
        let mut parts = Vec::new();
        let is_in_time = |end_times: std::ops::RangeInclusive<i64>| {
            *end_times.end() >= conditions.from && *end_times.start() < conditions.until
        };
        for partition in snapshot.partitions(&account).filter(|partition| is_in_time(partition.end_times())) {
            let Some(totals) = partition.totals() else { return Ok(None) };
            parts.extend(totals.into_iter().cloned());
        }
        let files: Vec<_> = snapshot.archived(&account).filter(|file| is_in_time(file.end_times())).cloned().collect();
        if !files.is_empty() {
            let Some(totals) = table.totals(files).await? else { return Ok(None) };
            parts.extend(totals);
        }
        accounts.push(AccountTotals { account, parts });
    }
    Ok(Some(accounts))
}

/// The accounts in scope that pass the conditions.
fn accounts_that_pass(table: &SegmentsTable, conditions: &Conditions) -> Result<Vec<AccountId>> {
    let filter = &conditions.accounts;
    let mut accounts: Vec<AccountId> = match filter.values() {
        // Mostly these are few, and the accounts are many.
        Some(values) => {
            let names = values.into_iter().filter_map(|value| value.try_as_str().flatten());
            names.filter_map(|name| table.account(name)).cloned().collect()
        }
        None => table.all_accounts().cloned().collect(),
    };
    accounts.sort_unstable();
    accounts.dedup();
    if filter.has_more() && !accounts.is_empty() {
        let names = StringArray::from_iter_values(accounts.iter().map(AccountId::as_str));
        let mut passes = filter.passes(&(Arc::new(names) as ArrayRef))?.into_iter();
        accounts.retain(|_| passes.next().unwrap_or(false));
    }
    Ok(accounts)
}
