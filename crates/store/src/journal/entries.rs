//! Rows in memory as entries of the journal.

use std::sync::Arc;

use super::Journal;
use super::change::{Entry, JournalChange};
use super::value::encode_rows;
use crate::error::Result;
use crate::rows::partition::Partition;
use crate::rows::run::{Cut, Run};

/// The entries of all rows that no archive file has, as a change of an empty journal.
pub(crate) fn whole_journal<'p>(
    partitions: impl Iterator<Item = &'p Arc<Partition>>,
    journal: &mut Journal,
) -> Result<JournalChange<'static>> {
    let mut change = JournalChange::default();
    for partition in partitions {
        let (account, hour) = (partition.account().as_str(), partition.hour());
        // When the sealing that is under way ends, it removes the entries below a number that was noted when it began.
        // There are no more sealing runs now than entries then, so numbers from 0 on are below it.
        for (number, run) in (0..).zip(partition.sealing()) {
            change.entries.push(entry(account, hour, number, run)?);
        }
        for run in partition.open() {
            change.entries.push(entry(account, hour, journal.number_entry(), run)?);
        }
    }
    Ok(change)
}

/// The entries of new rows.
pub(crate) fn entries(cuts: &[Cut], journal: &mut Journal) -> Result<Vec<Entry>> {
    cuts.iter().map(|cut| entry(cut.account.as_str(), cut.hour, journal.number_entry(), &cut.run)).collect()
}

pub(crate) fn entry(account: &str, hour: i64, number: u64, run: &Run) -> Result<Entry> {
    Ok(Entry { account: account.to_owned(), hour, number, rows: encode_rows(run)? })
}
