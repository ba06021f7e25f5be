//! Rows in memory as entries of the journal.

use super::Journal;
use super::change::Entry;
use super::value::encode_rows;
use crate::Result;
use crate::rows::run::{Cut, Run};

/// The journal's entries for new rows.
pub(crate) fn entries(cuts: &[Cut], journal: &mut Journal) -> Result<Vec<Entry>> {
    cuts.iter().map(|cut| entry(cut.account.as_str(), cut.hour, journal.number_entry(), &cut.run)).collect()
}

pub(crate) fn entry(account: &str, hour: i64, number: u64, run: &Run) -> Result<Entry> {
    Ok(Entry { account: account.to_owned(), hour, number, rows: encode_rows(&run.batch)? })
}
