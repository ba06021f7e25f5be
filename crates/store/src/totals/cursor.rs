//! Counting the rows between instants, one instant after the other.

use std::ops::{AddAssign, Sub};

use skillscope_segment::UserType;

use super::block::{BLOCK_ROWS, Block, offset_of, pack_bound, user_type_of};
use super::tally::{Tally, TallyByUserType};
use super::{FENCE_BLOCKS, Series};

/// The count of a walk: of all rows, or of the rows of each user type.
pub trait Counted: Copy + Default + Sub<Output = Self> {
    /// The count of the rows before `bound`, and how many of them are in `block`, the block that holds the last of
    /// them.
    #[doc(hidden)]
    fn before(series: &Series<'_>, block: usize, bound: Bound) -> (Self, usize);

    /// All rows.
    #[doc(hidden)]
    fn whole(series: &Series<'_>) -> Self;
}

/// An instant as a series' blocks have it.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Bound(u32);

/// A walk through the rows of a skill in the order of their end times: counts from instant to instant.
#[derive(Debug)]
pub struct Cursor<'t, T> {
    series: Series<'t>,
    /// The block of the next row, and the row's place in it.
    block: usize,
    place: usize,
    /// The count of the rows that lie behind.
    behind: T,
}

impl<'t, T: Counted> Cursor<'t, T> {
    pub(super) fn new(series: Series<'t>) -> Self {
        Self { series, block: 0, place: 0, behind: T::default() }
    }

    /// The end time of the next row, of any user type; `None` where there is none.
    pub fn next_time(&self) -> Option<i64> {
        if (self.block, self.place) == (0, 0) {
            // The directory knows without looking at the block.
            return Some(*self.series.end_times().start());
        }
        let packed = self.series.blocks().get(self.block)?.time(self.place)?;
        Some(self.series.totals.origin.saturating_add(i64::from(offset_of(packed))))
    }

    /// How many rows there are from here on, to the nearest dozen.
    pub fn rows_left(&self) -> i64 {
        i64::from(self.series.entry.rows).saturating_sub((self.block * BLOCK_ROWS) as i64)
    }

    /// The end time of the last row.
    pub fn last_time(&self) -> i64 {
        *self.series.end_times().end()
    }

    /// Goes on to the first row that ended at `until` or later, and gives the count of the rows between. `until` must
    /// not be before the one of an earlier call.
    pub fn advance(&mut self, until: i64) -> T {
        self.go(self.find(until, self.block))
    }

    /// Finds where the rows before each of some instants end, which ascend, and adds the places to `stops`.
    pub fn look_ahead(&self, instants: impl IntoIterator<Item = i64>, stops: &mut Vec<Stop>) {
        let mut block = self.block;
        for instant in instants {
            let stop = self.find(instant, block);
            if let Stop::Before(at, _) = stop {
                block = at;
            }
            stops.push(stop);
        }
    }

    /// Has the processor fetch the blocks of many stops from memory at the same time, before the cursor [advances over
    /// them](Self::advance_over). A loop that only reads asks for the next block before the last one has arrived.
    pub fn fetch(&self, stops: &[Stop]) {
        let mut touched = 0;
        for stop in stops {
            if let Stop::Before(block, _) = stop {
                touched ^= self.series.blocks().get(*block).map_or(0, Block::touch);
            }
        }
        std::hint::black_box(touched);
    }

    /// Advances from stop to stop, and adds the count of the rows before each to its cell.
    pub fn advance_over(&mut self, stops: &[Stop], cells: &mut [T])
    where
        T: AddAssign,
    {
        for (cell, stop) in cells.iter_mut().zip(stops) {
            *cell += self.go(*stop);
        }
    }

    /// Where the rows before an instant end, searched for from the block `from` on.
    fn find(&self, until: i64, from: usize) -> Stop {
        let offset = until.saturating_sub(self.series.totals.origin);
        if offset > i64::from(self.series.entry.last_time) {
            return Stop::All;
        }
        let bound = pack_bound(u32::try_from(offset).unwrap_or(0));
        match last_before(&self.series, from, bound) {
            Some(block) => Stop::Before(block, bound),
            None => Stop::Nothing,
        }
    }

    fn go(&mut self, stop: Stop) -> T {
        let behind = match stop {
            Stop::Nothing => return T::default(),
            Stop::Before(block, bound) => {
                let (behind, rows) = T::before(&self.series, block, Bound(bound));
                // The rows of a full block end with it.
                (self.block, self.place) = if rows == BLOCK_ROWS { (block + 1, 0) } else { (block, rows) };
                behind
            }
            Stop::All => {
                (self.block, self.place) = (self.series.blocks().len(), 0);
                T::whole(&self.series)
            }
        };
        let between = behind - self.behind;
        self.behind = behind;
        between
    }
}

/// How far the rows of a series reach that are before an instant.
#[derive(Debug, Clone, Copy)]
pub enum Stop {
    /// There are none.
    Nothing,
    /// Into a block, up to a bound.
    #[doc(hidden)]
    Before(usize, u32),
    /// They are all.
    All,
}

/// The last block, from `from` on, whose first row is before `bound`; the block before `from` where there is none.
///
/// The fences are searched first, since the fences for the next instants are near and in the cache, then one cache line
/// of starts. So a search does not wait for memory that the search before it has asked for.
fn last_before(series: &Series<'_>, from: usize, bound: u32) -> Option<usize> {
    let fence = from / FENCE_BLOCKS;
    let fences = series.fences().get(fence..).unwrap_or_default();
    let Some(last) = count_before(fences, bound).checked_sub(1) else { return from.checked_sub(1) };
    let first = (fence + last) * FENCE_BLOCKS;
    let starts = series.starts().get(first..).unwrap_or_default();
    let starts = starts.get(..FENCE_BLOCKS).unwrap_or(starts);
    (first + count_before(starts, bound)).checked_sub(1)
}

/// How many of `sorted` are below `bound`: mostly a few.
fn count_before(sorted: &[u32], bound: u32) -> usize {
    const NEAR: usize = 16;
    // Counting takes no branch that the processor could not foretell.
    let count = |values: &[u32]| values.iter().map(|value| u32::from(*value < bound)).sum::<u32>() as usize;
    let Some((near, far)) = sorted.split_first_chunk::<NEAR>() else { return count(sorted) };
    match count(near) {
        NEAR => NEAR + gallop(far, bound),
        before => before,
    }
}

/// The same, by steps that become longer until one is too long.
fn gallop(sorted: &[u32], bound: u32) -> usize {
    let is_before = |place: usize| sorted.get(place).is_some_and(|value| *value < bound);
    if !is_before(0) {
        return 0;
    }
    let (mut low, mut step) = (0, 1);
    while is_before(low + step) {
        low += step;
        step *= 2;
    }
    let end = sorted.len().min(low + step);
    let between = sorted.get(low + 1..end).unwrap_or_default();
    low + 1 + between.partition_point(|value| *value < bound)
}

impl Counted for Tally {
    fn before(series: &Series<'_>, block: usize, bound: Bound) -> (Self, usize) {
        let Some(of_block) = series.blocks().get(block) else { return Default::default() };
        let before = of_block.before((block * BLOCK_ROWS) as u64);
        let (mut tally, rows) = of_block.rows_before(bound.0);
        tally.sample_sum = tally.sample_sum.wrapping_add(series.large_samples(block, |place| place < rows));
        (before + tally, rows)
    }

    fn whole(series: &Series<'_>) -> Self {
        series.whole()
    }
}

impl Counted for TallyByUserType {
    fn before(series: &Series<'_>, block: usize, bound: Bound) -> (Self, usize) {
        let (mut tallies, first) = series.group_of(block);
        for (block, of_block) in series.blocks().iter().enumerate().take(block + 1).skip(first) {
            of_block.add_by_user_type(bound.0, &mut tallies);
            add_large_samples(series, block, of_block, bound, &mut tallies);
        }
        let rows = series.blocks().get(block).map_or(0, |of_block| of_block.rows_before(bound.0).1);
        (tallies, rows)
    }

    fn whole(series: &Series<'_>) -> Self {
        let last = series.blocks().len().saturating_sub(1);
        Self::before(series, last, Bound(pack_bound(series.entry.last_time + 1))).0
    }
}

fn add_large_samples(series: &Series<'_>, block: usize, of_block: &Block, bound: Bound, tallies: &mut TallyByUserType) {
    for (user_type, tally) in (0..UserType::ALL.len()).zip(&mut tallies.0) {
        let is_of = |time: u32| time < bound.0 && user_type_of(time) == user_type;
        let large = series.large_samples(block, |place| of_block.time(place).is_some_and(is_of));
        tally.sample_sum = tally.sample_sum.wrapping_add(large);
    }
}
