//! The table `system.accounts`.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::error::Result;
use skillscope_segment::AccountId;
use skillscope_store::{Feed, Snapshot, Store};

use super::{SystemTable, TableComments};
use crate::Scope;

/// What is told of an account.
struct AccountRow {
    account: AccountId,
    feed: Feed,
    hot_rows: u64,
    archived_rows: u64,
}

/// The table `system.accounts`: how far the data of each account go, when something came for it last, and what became
/// of it.
pub(in crate::sql::catalog) fn accounts(
    store: &Store,
    snapshot: &Snapshot,
    scope: &Scope,
) -> Result<Arc<dyn TableProvider>> {
    let in_scope = store.feeds().into_iter().filter(|(account, _)| scope.includes(account.as_str()));
    let rows = in_scope.map(|(account, feed)| AccountRow {
        hot_rows: snapshot.partitions(&account).map(|partition| partition.rows() as u64).sum(),
        archived_rows: snapshot.archived(&account).map(|file| file.rows()).sum(),
        account,
        feed,
    });
    columns(&rows.collect::<Vec<_>>()).table()
}

/// What is said of the table.
pub(in crate::sql::catalog) fn comments() -> TableComments {
    columns(&[]).comments()
}

fn columns(rows: &[AccountRow]) -> SystemTable<'_, AccountRow> {
    SystemTable::of(rows, "How far the data of each account go, and what has come of it.")
        .texts("account_id", "The account.", |row| row.account.to_string())
        .optional_times("data_until", "The time of its newest event or segment.", |row| row.feed.data_until)
        .optional_times("last_arrival", "When something was taken for it last.", |row| row.feed.last_arrival)
        .counts("hot_rows", "How many of its segments are in memory.", |row| row.hot_rows)
        .counts("archived_rows", "How many of its segments are in files alone.", |row| row.archived_rows)
        .counts("open_conversations", "How many of its conversations are open.", |row| row.feed.open_conversations)
        .counts("gaps_given_up", "How many gaps among its events were given up since the start.", |row| {
            row.feed.gaps_given_up
        })
        .counts("dead_letters", "How many of its events had no effect since the start.", |row| row.feed.dead_letters)
        .counts("rejected", "How many of its records were rejected since the start.", |row| row.feed.rejected)
}
