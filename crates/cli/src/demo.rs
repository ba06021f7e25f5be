//! The sample account that `serve --demo` serves.

use anyhow::{Context, Result};
use skillscope_segment::AccountId;
use skillscope_store::Store;
use skillscope_workload::{Workload, WorkloadOptions};
use tempfile::TempDir;

use crate::arguments::check_not_before_1970;

/// The name of the sample account.
pub(crate) const ACCOUNT: &str = "demo";

const ROWS: u64 = 20_000;

const HOURS: u32 = 24;

/// Makes a temporary data directory with a sample account, whose last 24 hours end at `now`. Dropping the returned
/// value removes the directory.
pub(crate) fn directory(now: i64) -> Result<TempDir> {
    check_not_before_1970(now, HOURS)?;
    let directory = tempfile::Builder::new().prefix("skillscope-demo-").tempdir();
    let directory = directory.context("cannot make a temporary directory for the sample")?;
    let store = Store::open(directory.path())?;
    let workload = Workload::new(WorkloadOptions {
        rows: ROWS,
        skills: 8,
        accounts: vec![AccountId::parse(ACCOUNT)?],
        hours: HOURS,
        end: now,
        seed: 1,
    });
    for batch in workload.batches(ROWS as usize) {
        store.append(&batch?)?;
    }
    Ok(directory)
}
