//! A block of running totals: a dozen rows, and the tally before them.

use skillscope_segment::UserType;

use super::tally::{CLASSES, RowClass, Tally, TallyByUserType};

/// With so many rows, a block takes two cache lines.
pub(super) const BLOCK_ROWS: usize = 12;

/// Times are kept in 27 bits, a day and a half, and there is one after the last.
pub(super) const MAX_OFFSET: i64 = (1 << 27) - 2;

/// A place without a row. It ends after all rows.
const NO_ROW: u32 = u32::MAX;

const CLASS_BITS: u32 = 3;
const FLAG_BITS: u32 = 5;

/// Some rows of a series one after the other, and the tally of all rows before them.
#[derive(Debug, Clone)]
#[repr(C, align(128))]
pub(super) struct Block {
    /// For each class but the last, its rows before this block. All other rows before the block are of the last class.
    counts: [u32; CLASSES - 1],
    sample_sum: [u32; 2],
    /// The rows' packed times.
    times: [u32; BLOCK_ROWS],
    samples: [u32; BLOCK_ROWS],
}

/// A row's end time, user type and class in one number, which is in the order of the times.
pub(super) fn pack(offset: u32, user_type: usize, class: RowClass) -> u32 {
    (offset << FLAG_BITS) | ((user_type as u32) << CLASS_BITS) | class as u32
}

/// The lowest number of all rows that end at an offset or after it.
pub(super) fn pack_bound(offset: u32) -> u32 {
    offset << FLAG_BITS
}

pub(super) fn offset_of(packed: u32) -> u32 {
    packed >> FLAG_BITS
}

impl Block {
    /// A block without rows yet, after the rows of `before`.
    pub(super) fn after(before: &Tally) -> Self {
        let mut counts = [0; CLASSES - 1];
        // No series has more rows than 32 bits can count.
        counts.iter_mut().zip(before.counts).for_each(|(count, rows)| *count = rows as u32);
        let sum = before.sample_sum as u64;
        Self {
            counts,
            sample_sum: [sum as u32, (sum >> 32) as u32],
            times: [NO_ROW; BLOCK_ROWS],
            samples: [0; BLOCK_ROWS],
        }
    }

    pub(super) fn set(&mut self, place: usize, packed: u32, sample: u32) {
        if let (Some(time), Some(kept)) = (self.times.get_mut(place), self.samples.get_mut(place)) {
            (*time, *kept) = (packed, sample);
        }
    }

    /// The packed time of a row; `None` where there is none.
    pub(super) fn time(&self, place: usize) -> Option<u32> {
        self.times.get(place).copied().filter(|time| *time != NO_ROW)
    }

    /// Reads from both cache lines, so that the block is in the processor's cache afterwards.
    pub(super) fn touch(&self) -> u32 {
        let ([first, ..], [.., last]) = (&self.counts, &self.samples);
        first ^ last
    }

    /// The tally of the `rows` rows before this block.
    pub(super) fn before(&self, rows: u64) -> Tally {
        let [low, high] = self.sample_sum;
        Tally::with_others(self.counts, rows as i64, ((u64::from(high) << 32) | u64::from(low)) as i64)
    }

    /// The rows before `bound`: their tally but for large samples, and how many there are.
    pub(super) fn rows_before(&self, bound: u32) -> (Tally, usize) {
        // A byte for each class. All rows are looked at alike: a branch would be mispredicted once a block.
        let (mut counts, mut sample_sum, mut rows) = (0_u64, 0_u64, 0_u64);
        for (time, sample) in self.times.iter().zip(self.samples) {
            let is_before = u64::from(*time < bound);
            counts += is_before << ((time & ((1 << CLASS_BITS) - 1)) * 8);
            sample_sum += is_before.wrapping_neg() & u64::from(sample);
            rows += is_before;
        }
        (Tally { counts: bytes(counts), sample_sum: sample_sum as i64 }, rows as usize)
    }

    /// Adds the rows before `bound`, but for large samples, each to its user type.
    pub(super) fn add_by_user_type(&self, bound: u32, tallies: &mut TallyByUserType) {
        let mut counts = [0_u64; UserType::ALL.len()];
        let mut sample_sums = [0_u64; UserType::ALL.len()];
        for (time, sample) in self.times.iter().zip(self.samples) {
            let is_before = u64::from(*time < bound);
            let user_type = user_type_of(*time);
            if let (Some(count), Some(sum)) = (counts.get_mut(user_type), sample_sums.get_mut(user_type)) {
                *count += is_before << ((time & ((1 << CLASS_BITS) - 1)) * 8);
                *sum += is_before.wrapping_neg() & u64::from(sample);
            }
        }
        for ((tally, counts), sum) in tallies.0.iter_mut().zip(counts).zip(sample_sums) {
            *tally += Tally { counts: bytes(counts), sample_sum: sum as i64 };
        }
    }
}

pub(super) fn user_type_of(packed: u32) -> usize {
    ((packed >> CLASS_BITS) & 3) as usize
}

/// The bytes of a number, the lowest first, but for the highest.
fn bytes(packed: u64) -> [i64; CLASSES] {
    let [a, b, c, d, e, f, g, _] = packed.to_le_bytes();
    [a, b, c, d, e, f, g].map(i64::from)
}
