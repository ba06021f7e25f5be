//! Making running totals of sorted rows.

use std::ops::Range;

use arrow::array::{Array, AsArray, BooleanArray, Int64Array, RecordBatch};
use arrow::datatypes::{Int8Type, Int64Type, TimestampMillisecondType};
use skillscope_segment::{Outcome, UserType, column};

use super::block::{BLOCK_ROWS, Block, MAX_OFFSET, pack};
use super::tally::{RowClass, Tally, TallyByUserType};
use super::{CompactTally, FENCE_BLOCKS, GROUP_BLOCKS, SeriesEntry, Totals};

const USER_TYPES: usize = UserType::ALL.len();

impl Totals {
    /// The columns that totals are made of.
    pub(crate) const COLUMNS: [&'static str; 6] = [
        column::SKILL_ID,
        column::END_TIME,
        column::USER_TYPE,
        column::OUTCOME,
        column::ABANDONED_IN_QUEUE,
        column::TIME_TO_FIRST_AGENT_MESSAGE_MS,
    ];

    /// The totals of rows that are sorted by skill, user type and end time. `None` where there can be none: the rows
    /// are not sorted, end more than a day and a half apart, or break the rules for outcomes.
    pub(crate) fn of(batch: &RecordBatch) -> Option<Self> {
        Builder::new(Rows::of(batch)?)?.build()
    }
}

/// The columns of a batch, each as long as the others.
struct Rows<'b> {
    skills: &'b [i64],
    end_times: &'b [i64],
    user_types: &'b [i8],
    outcomes: &'b [i8],
    in_queue: &'b BooleanArray,
    samples: &'b Int64Array,
}

impl<'b> Rows<'b> {
    fn of(batch: &'b RecordBatch) -> Option<Self> {
        let words =
            |name| batch.column_by_name(name)?.as_dictionary_opt::<Int8Type>().map(|words| words.keys().values());
        Some(Self {
            skills: batch.column_by_name(column::SKILL_ID)?.as_primitive_opt::<Int64Type>()?.values(),
            end_times: batch.column_by_name(column::END_TIME)?.as_primitive_opt::<TimestampMillisecondType>()?.values(),
            user_types: words(column::USER_TYPE)?,
            outcomes: words(column::OUTCOME)?,
            in_queue: batch.column_by_name(column::ABANDONED_IN_QUEUE)?.as_boolean_opt()?,
            samples: batch.column_by_name(column::TIME_TO_FIRST_AGENT_MESSAGE_MS)?.as_primitive_opt()?,
        })
    }

    fn class(&self, row: usize) -> Option<RowClass> {
        let outcome = *Outcome::ALL.get(usize::try_from(*self.outcomes.get(row)?).ok()?)?;
        RowClass::of(outcome, self.in_queue.value(row), self.samples.is_valid(row))
    }
}

struct Builder<'b> {
    rows: Rows<'b>,
    totals: Totals,
}

impl<'b> Builder<'b> {
    fn new(rows: Rows<'b>) -> Option<Self> {
        let first = rows.end_times.iter().min().copied().unwrap_or_default();
        let last = rows.end_times.iter().max().copied().unwrap_or_default();
        if last.checked_sub(first)? > MAX_OFFSET || u32::try_from(rows.end_times.len()).is_err() {
            return None;
        }
        let blocks = rows.skills.len().div_ceil(BLOCK_ROWS);
        let totals = Totals {
            origin: first,
            last_time: u32::try_from(last - first).ok()?,
            directory: Vec::new(),
            starts: Vec::with_capacity(blocks),
            fences: Vec::with_capacity(blocks / FENCE_BLOCKS),
            blocks: Vec::with_capacity(blocks),
            groups: Vec::with_capacity(blocks / GROUP_BLOCKS),
            large_samples: Vec::new(),
        };
        Some(Self { rows, totals })
    }

    fn build(mut self) -> Option<Totals> {
        let mut start = 0;
        for rows in self.rows.skills.chunk_by(|a, b| a == b) {
            let skill = *rows.first()?;
            if self.totals.directory.last().is_some_and(|entry| entry.skill >= skill) {
                return None;
            }
            self.add_series(skill, start..start + rows.len())?;
            start += rows.len();
        }
        self.totals.directory.shrink_to_fit();
        self.totals.starts.shrink_to_fit();
        self.totals.fences.shrink_to_fit();
        self.totals.blocks.shrink_to_fit();
        self.totals.groups.shrink_to_fit();
        Some(self.totals)
    }

    fn add_series(&mut self, skill: i64, rows: Range<usize>) -> Option<()> {
        let (first_block, first_group) = (self.totals.blocks.len(), self.totals.groups.len());
        let first_fence = self.totals.fences.len();
        let mut order = ByTime::new(&self.rows, rows.clone())?;
        let mut behind = TallyByUserType::default();
        let (mut whole, mut place) = (Tally::default(), 0);
        let (mut first_time, mut last_time) = (None, 0);
        while let Some(row) = order.next(self.rows.end_times) {
            let offset = u32::try_from(self.rows.end_times.get(row)?.checked_sub(self.totals.origin)?).ok()?;
            if place % BLOCK_ROWS == 0 {
                self.begin_block(place / BLOCK_ROWS, &whole, &behind);
            }
            let (packed, sample, class) = self.pack(row, offset, place % BLOCK_ROWS)?;
            if place % BLOCK_ROWS == 0 {
                self.totals.starts.push(packed);
            }
            if place % (BLOCK_ROWS * FENCE_BLOCKS) == 0 {
                self.totals.fences.push(packed);
            }
            for tally in [&mut whole, behind.0.get_mut(super::block::user_type_of(packed))?] {
                *tally.counts.get_mut(class as usize)? += 1;
                tally.sample_sum = tally.sample_sum.wrapping_add(sample);
            }
            first_time.get_or_insert(offset);
            last_time = offset;
            place += 1;
        }
        let [counts @ .., _] = compact(&whole).counts;
        self.totals.directory.push(SeriesEntry {
            skill,
            first_block: u32::try_from(first_block).ok()?,
            first_group: u32::try_from(first_group).ok()?,
            first_fence: u32::try_from(first_fence).ok()?,
            rows: u32::try_from(rows.len()).ok()?,
            first_time: first_time?,
            last_time,
            counts,
            sample_sum: whole.sample_sum,
        });
        Some(())
    }

    fn begin_block(&mut self, number: usize, whole: &Tally, behind: &TallyByUserType) {
        if number > 0 && number.is_multiple_of(GROUP_BLOCKS) {
            self.totals.groups.push(behind.0.map(|tally| compact(&tally)));
        }
        self.totals.blocks.push(Block::after(whole));
    }

    /// Puts a row into its place in the last block.
    fn pack(&mut self, row: usize, offset: u32, place: usize) -> Option<(u32, i64, RowClass)> {
        let class = self.rows.class(row)?;
        let user_type = usize::try_from(*self.rows.user_types.get(row)?).ok().filter(|place| *place < USER_TYPES)?;
        let packed = pack(offset, user_type, class);
        let sample = if class.has_sample() { self.rows.samples.value(row) } else { 0 };
        let small = u32::try_from(sample);
        if small.is_err() {
            let blocks_before = self.totals.blocks.len().checked_sub(1)?;
            self.totals.large_samples.push((blocks_before * BLOCK_ROWS + place, sample));
        }
        self.totals.blocks.last_mut()?.set(place, packed, small.unwrap_or(0));
        Some((packed, sample, class))
    }
}

fn compact(tally: &Tally) -> CompactTally {
    // There are at most 2³² rows.
    CompactTally { counts: tally.counts.map(|rows| rows as u32), sample_sum: tally.sample_sum }
}

/// The rows of a skill in the order of their end times, merged from the rows of each user type.
struct ByTime {
    rows: [Range<usize>; USER_TYPES],
}

impl ByTime {
    /// `None` where the rows are not sorted by user type and end time.
    fn new(all: &Rows<'_>, of_skill: Range<usize>) -> Option<Self> {
        let mut rows = [const { 0..0 }; USER_TYPES];
        let mut start = of_skill.start;
        let mut last = -1;
        for of_type in all.user_types.get(of_skill)?.chunk_by(|a, b| a == b) {
            let user_type = *of_type.first()?;
            let end = start + of_type.len();
            if user_type <= last || !all.end_times.get(start..end)?.is_sorted() {
                return None;
            }
            *rows.get_mut(usize::try_from(user_type).ok()?)? = start..end;
            (start, last) = (end, user_type);
        }
        Some(Self { rows })
    }

    fn next(&mut self, end_times: &[i64]) -> Option<usize> {
        let time = |rows: &&mut Range<usize>| end_times.get(rows.start).copied().unwrap_or(i64::MAX);
        self.rows.iter_mut().filter(|rows| rows.start < rows.end).min_by_key(time)?.next()
    }
}
