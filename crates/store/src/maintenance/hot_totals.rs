//! Making running totals of files whose rows found no room in memory.

use crate::archive::totals::{ArchivedTotals, is_hot};
use crate::calendar::day_of;
use crate::error::Result;
use crate::shared::Shared;

/// Makes the totals of one file of the hot hours that has none yet; false if every such file has totals.
pub(super) fn make_next(shared: &Shared, totals: &ArchivedTotals) -> Result<bool> {
    let since = shared.options().hot_since();
    totals.tidy(since);
    let snapshot = shared.snapshot();
    let of_account = |account| snapshot.segments(account).map(|segments| segments.files.archived_since(day_of(since)));
    let mut files = snapshot.accounts().filter_map(of_account).flatten();
    let Some(file) = files.find(|file| is_hot(file, since) && totals.lacks(file)) else { return Ok(false) };
    if let Err(error) = totals.of(file, since) {
        tracing::warn!(file = %file.path().display(), %error, "running totals of a file could not be made");
        totals.do_without(file);
        shared.lose(file, error)?;
    }
    Ok(true)
}
