//! Running totals of the rows of a run or a file: for each skill, the number of rows of each class before any instant.
//! A count over a span of time is then the difference of two look-ups, however many rows lie between.
//!
//! ```text
//! directory   a line for each skill: its whole tally, first and last time, where its blocks are
//! fences      every 16th start                                        skill 7     │ skill 12
//! starts      the first time of each block, to be searched            ▼ ▼ ▼ ▼ ▼ ▼ │ ▼ ▼ ▼
//! blocks      two cache lines each: the tally before, and 12 rows     █ █ █ █ █ █ │ █ █ █
//! groups      after every fourth block, the tally by user type              ▲     │
//! ```
//!
//! The rows of a skill stand in the order of their end times, of all user types together. A look-up searches the starts
//! for a block, and adds the block's rows that ended before the instant to the tally before the block. It needs no
//! other cache lines, and the next look-up is mostly close by. A look-up by user type begins at the last group, and
//! adds up to 48 rows. A row of a busy skill takes 14 bytes, all included, and a skill with a single row some 200.

mod block;
mod builder;
mod cursor;
mod tally;

use std::ops::RangeInclusive;

use skillscope_segment::UserType;

use block::{BLOCK_ROWS, Block};
pub use cursor::{Counted, Cursor, Stop};
use tally::CLASSES;
pub use tally::{RowClass, Tally, TallyByUserType};

/// So many blocks of a series share one tally by user type.
const GROUP_BLOCKS: usize = 4;

/// So many blocks of a series share a fence: their starts are one cache line.
const FENCE_BLOCKS: usize = 16;

/// Running totals of one account's rows, which ended within a day or so.
#[derive(Debug)]
pub struct Totals {
    /// The first end time; the others are kept as milliseconds since then.
    origin: i64,
    last_time: u32,
    /// In ascending order of skills.
    directory: Vec<SeriesEntry>,
    /// For each block the packed time of its first row.
    starts: Vec<u32>,
    /// For each series the first start of every [`FENCE_BLOCKS`].
    fences: Vec<u32>,
    blocks: Vec<Block>,
    /// For each series, the tally before each group of blocks but the first.
    groups: Vec<[CompactTally; UserType::ALL.len()]>,
    /// Samples that do not fit into a row, by the row's place in all blocks, in ascending order.
    large_samples: Vec<(usize, i64)>,
}

/// The facts about a skill that need no look at its rows, in one cache line.
#[derive(Debug)]
#[repr(align(64))]
struct SeriesEntry {
    skill: i64,
    first_block: u32,
    first_group: u32,
    first_fence: u32,
    rows: u32,
    first_time: u32,
    last_time: u32,
    /// For each class but the last, its rows. All other rows are of the last class.
    counts: [u32; CLASSES - 1],
    sample_sum: i64,
}

/// A tally of at most 2³² rows.
#[derive(Debug, Clone, Copy, Default)]
struct CompactTally {
    counts: [u32; CLASSES],
    sample_sum: i64,
}

/// The rows of one skill.
#[derive(Debug, Clone, Copy)]
pub struct Series<'t> {
    totals: &'t Totals,
    entry: &'t SeriesEntry,
}

impl Totals {
    /// The skills, in ascending order.
    pub fn skills(&self) -> impl ExactSizeIterator<Item = i64> {
        self.directory.iter().map(|entry| entry.skill)
    }

    /// Finds the rows of a skill. Start with `hint` 0, and pass it on as long as the skills ascend: each is then found
    /// without a search. For a lower skill, start again.
    pub fn find(&self, skill: i64, hint: &mut usize) -> Option<Series<'_>> {
        let rest = self.directory.get(*hint..).unwrap_or_default();
        *hint += match rest {
            [first, ..] if first.skill >= skill => 0,
            [_, next, ..] if next.skill >= skill => 1,
            rest => rest.partition_point(|entry| entry.skill < skill),
        };
        let entry = self.directory.get(*hint).filter(|entry| entry.skill == skill)?;
        Some(Series { totals: self, entry })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.directory.iter().map(|entry| entry.rows as usize).sum()
    }

    /// The first and the last end time, in milliseconds since the epoch.
    pub fn end_times(&self) -> RangeInclusive<i64> {
        self.origin..=self.origin.saturating_add(i64::from(self.last_time))
    }

    /// Memory that the totals take.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val(self.directory.as_slice())
            + size_of_val(self.starts.as_slice())
            + size_of_val(self.fences.as_slice())
            + size_of_val(self.blocks.as_slice())
            + size_of_val(self.groups.as_slice())
            + size_of_val(self.large_samples.as_slice())
    }
}

impl<'t> Series<'t> {
    /// The number of rows.
    #[cfg(test)]
    pub(crate) fn rows(&self) -> u32 {
        self.entry.rows
    }

    /// The first and the last end time, in milliseconds since the epoch.
    pub fn end_times(&self) -> RangeInclusive<i64> {
        let time = |offset: u32| self.totals.origin.saturating_add(i64::from(offset));
        time(self.entry.first_time)..=time(self.entry.last_time)
    }

    /// All rows, of any time and user type.
    pub fn whole(&self) -> Tally {
        Tally::with_others(self.entry.counts, self.entry.rows.into(), self.entry.sample_sum)
    }

    /// All rows, where none ended before `from`, or at `until` or later.
    pub fn whole_within<T: Counted>(&self, from: i64, until: i64) -> Option<T> {
        let end_times = self.end_times();
        (from <= *end_times.start() && *end_times.end() < until).then(|| T::whole(self))
    }

    /// A walk through the rows in the order of their end times.
    pub fn walk<T: Counted>(self) -> Cursor<'t, T> {
        Cursor::new(self)
    }

    fn blocks(&self) -> &'t [Block] {
        part(&self.totals.blocks, self.entry.first_block, self.block_count())
    }

    fn starts(&self) -> &'t [u32] {
        part(&self.totals.starts, self.entry.first_block, self.block_count())
    }

    fn fences(&self) -> &'t [u32] {
        part(&self.totals.fences, self.entry.first_fence, self.block_count().div_ceil(FENCE_BLOCKS))
    }

    fn block_count(&self) -> usize {
        (self.entry.rows as usize).div_ceil(BLOCK_ROWS)
    }

    /// The tally before the group that a block of this series is in, and the group's first block.
    fn group_of(&self, block: usize) -> (TallyByUserType, usize) {
        let group = block / GROUP_BLOCKS;
        let before =
            group.checked_sub(1).and_then(|place| self.totals.groups.get(self.entry.first_group as usize + place));
        let before = before.copied().unwrap_or_default().map(Tally::from);
        (TallyByUserType(before), group * GROUP_BLOCKS)
    }

    /// The sum of the samples that do not fit into their rows, of `rows` of this series' block `block`.
    fn large_samples(&self, block: usize, rows: impl Fn(usize) -> bool) -> i64 {
        if self.totals.large_samples.is_empty() {
            return 0;
        }
        let first = (self.entry.first_block as usize + block) * BLOCK_ROWS;
        let large = &self.totals.large_samples;
        let start = large.partition_point(|(place, _)| *place < first);
        let here = large.iter().skip(start).take_while(|(place, _)| *place < first + BLOCK_ROWS);
        here.filter(|(place, _)| rows(place - first)).fold(0, |sum, (_, sample)| sum.wrapping_add(*sample))
    }
}

fn part<T>(of_all: &[T], first: u32, count: usize) -> &[T] {
    let first = first as usize;
    of_all.get(first..first.saturating_add(count)).unwrap_or_default()
}

impl From<CompactTally> for Tally {
    fn from(compact: CompactTally) -> Self {
        Self { counts: compact.counts.map(i64::from), sample_sum: compact.sample_sum }
    }
}
