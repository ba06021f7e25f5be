//! Random decisions that are the same on every machine.

use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The random decisions of one conversation. Its generator gives the same numbers on every machine, and they are used
/// in exact arithmetic only.
pub(crate) struct Draw(Xoshiro256PlusPlus);

impl Draw {
    /// The decisions of conversation number `index` of the workload `seed`.
    pub(crate) fn new(seed: u64, index: u64) -> Self {
        // Seeding spreads its input well; the factor keeps (seed, index + 1) apart from (seed + 1, index).
        Self(Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(index)))
    }

    /// True in `percent` of 100 cases.
    pub(crate) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < u64::from(percent)
    }

    /// A number below `bound`, all equally likely; 0 if `bound` is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.0.random_range(0..bound) }
    }

    /// A number from 0 up to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// A number of milliseconds up to `longest`. Short ones are more likely; the average is a quarter of `longest`.
    pub(crate) fn duration(&mut self, longest: i64) -> i64 {
        (self.unit() * self.unit() * longest as f64) as i64
    }

    /// One of the values, with a probability in proportion to its weight.
    pub(crate) fn weighted<T: Copy>(&mut self, choices: &[(T, u64)]) -> Option<T> {
        let mut left = self.below(choices.iter().map(|(_, weight)| weight).sum());
        for (value, weight) in choices {
            if left < *weight {
                return Some(*value);
            }
            left -= weight;
        }
        None
    }

    pub(crate) fn bits(&mut self) -> u128 {
        (u128::from(self.0.next_u64()) << 64) | u128::from(self.0.next_u64())
    }
}
