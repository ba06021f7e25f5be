use std::collections::{BTreeMap, HashMap, VecDeque};

use arrow::array::RecordBatch;
use skillscope_query::{CellRows, Metrics};

use crate::{Error, Result};

/// The accounts that are reported on and their skills, each skill of an account with a number of its own.
#[derive(Debug)]
pub(crate) struct Series {
    accounts: Vec<AccountSeries>,
    by_account: HashMap<String, usize>,
    count: usize,
}

#[derive(Debug)]
pub(crate) struct AccountSeries {
    pub(crate) account: String,
    /// The number of each skill, in ascending order of skills.
    pub(crate) skills: BTreeMap<i64, usize>,
}

impl Series {
    pub(crate) fn of(accounts: impl IntoIterator<Item = String>) -> Self {
        let accounts: Vec<_> =
            accounts.into_iter().map(|account| AccountSeries { account, skills: BTreeMap::new() }).collect();
        let by_account = accounts.iter().enumerate().map(|(place, of)| (of.account.clone(), place)).collect();
        Self { accounts, by_account, count: 0 }
    }

    pub(crate) fn accounts(&self) -> &[AccountSeries] {
        &self.accounts
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The number of a skill; `None` where the account is not reported on. Without an account it is the only one's.
    fn number(&mut self, account: Option<&str>, skill: i64) -> Option<usize> {
        let place = match account {
            Some(account) => *self.by_account.get(account)?,
            None => 0,
        };
        let (skills, count) = (&mut self.accounts.get_mut(place)?.skills, &mut self.count);
        Some(*skills.entry(skill).or_insert_with(|| {
            *count += 1;
            *count - 1
        }))
    }
}

/// What a skill of an account came to in a slice of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    /// The slice's start, in milliseconds since the epoch.
    pub(crate) slice: i64,
    pub(crate) series: usize,
    pub(crate) metrics: Metrics,
}

/// Cells in the order of time. Each has a place, which stays the same when those before it are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    cells: VecDeque<Cell>,
    /// The place of the first that is not forgotten.
    first: usize,
}

impl Timeline {
    /// Adds the cells of the next stretch of time. The slice that the last stretch ended in may go on.
    pub(crate) fn extend(&mut self, series: &mut Series, rows: &[RecordBatch]) -> Result<()> {
        let mut cells = Vec::with_capacity(rows.iter().map(RecordBatch::num_rows).sum());
        for batch in rows {
            let rows = CellRows::new(batch).map_err(Error::Query)?;
            cells.extend(rows.iter().filter_map(|row| {
                let series = series.number(row.account, row.skill)?;
                Some(Cell { slice: row.slice, series, metrics: row.metrics })
            }));
        }
        cells.sort_unstable_by_key(|cell| cell.slice);
        self.cells.extend(cells);
        Ok(())
    }

    pub(crate) fn get(&self, place: usize) -> Option<&Cell> {
        self.cells.get(place.checked_sub(self.first)?)
    }

    /// Forgets the cells before a place.
    pub(crate) fn forget_before(&mut self, place: usize) {
        let count = place.saturating_sub(self.first).min(self.cells.len());
        self.cells.drain(..count);
        self.first += count;
    }
}
