//! Counts of rows by class and user type.

use std::ops::{Add, AddAssign, Sub};

use skillscope_segment::{Outcome, UserType};

/// The class that a row is counted in, by its outcome, whether it was abandoned in the queue, and whether it has a time
/// to first agent message. The rules for segments allow these seven and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowClass {
    /// Abandoned with no agent assigned.
    AbandonedInQueue,
    /// Abandoned with an agent assigned.
    Abandoned,
    /// No agent spoke.
    NonResponsiveAgent,
    /// The consumer did not answer; no time to first agent message.
    NonResponsiveConsumer,
    /// The consumer did not answer; with a time to first agent message.
    NonResponsiveConsumerSampled,
    /// Both spoke; no time to first agent message.
    Interactive,
    /// Both spoke; with a time to first agent message.
    InteractiveSampled,
}

/// The number of classes.
pub(super) const CLASSES: usize = RowClass::ALL.len();

impl RowClass {
    /// Every class, in the order of [`Tally::counts`].
    pub const ALL: [Self; 7] = [
        Self::AbandonedInQueue,
        Self::Abandoned,
        Self::NonResponsiveAgent,
        Self::NonResponsiveConsumer,
        Self::NonResponsiveConsumerSampled,
        Self::Interactive,
        Self::InteractiveSampled,
    ];

    /// The class of a row; `None` where no row that keeps the rules is like this.
    pub(crate) fn of(outcome: Outcome, in_queue: bool, has_sample: bool) -> Option<Self> {
        match (outcome, in_queue, has_sample) {
            (Outcome::Abandoned, true, false) => Some(Self::AbandonedInQueue),
            (Outcome::Abandoned, false, false) => Some(Self::Abandoned),
            (Outcome::NonResponsiveAgent, false, false) => Some(Self::NonResponsiveAgent),
            (Outcome::NonResponsiveConsumer, false, false) => Some(Self::NonResponsiveConsumer),
            (Outcome::NonResponsiveConsumer, false, true) => Some(Self::NonResponsiveConsumerSampled),
            (Outcome::Interactive, false, false) => Some(Self::Interactive),
            (Outcome::Interactive, false, true) => Some(Self::InteractiveSampled),
            _ => None,
        }
    }

    /// The outcome of its rows.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::AbandonedInQueue | Self::Abandoned => Outcome::Abandoned,
            Self::NonResponsiveAgent => Outcome::NonResponsiveAgent,
            Self::NonResponsiveConsumer | Self::NonResponsiveConsumerSampled => Outcome::NonResponsiveConsumer,
            Self::Interactive | Self::InteractiveSampled => Outcome::Interactive,
        }
    }

    /// Whether its rows were abandoned in the queue.
    pub fn is_in_queue(self) -> bool {
        self == Self::AbandonedInQueue
    }

    /// Whether its rows have a time to first agent message.
    pub fn has_sample(self) -> bool {
        matches!(self, Self::NonResponsiveConsumerSampled | Self::InteractiveSampled)
    }
}

/// Counts of some rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many there are of each class, in the order of [`RowClass::ALL`].
    pub counts: [i64; CLASSES],
    /// The sum of the times to first agent message, in milliseconds; it wraps around.
    pub sample_sum: i64,
}

impl Tally {
    /// The tally of `rows` rows. `counts` lacks the last class, whose rows are all the others.
    pub(super) fn with_others(counts: [u32; CLASSES - 1], rows: i64, sample_sum: i64) -> Self {
        let [a, b, c, d, e, f] = counts.map(i64::from);
        Self { counts: [a, b, c, d, e, f, rows - (a + b + c + d + e + f)], sample_sum }
    }

    /// The number of rows.
    pub fn rows(&self) -> i64 {
        self.counts.iter().sum()
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, more)| *count += more);
        self.sample_sum = self.sample_sum.wrapping_add(other.sample_sum);
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl Sub for Tally {
    type Output = Self;

    fn sub(mut self, other: Self) -> Self {
        self.counts.iter_mut().zip(other.counts).for_each(|(count, less)| *count -= less);
        self.sample_sum = self.sample_sum.wrapping_sub(other.sample_sum);
        self
    }
}

/// Tallies of some rows for each user type, in the order of [`UserType::ALL`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TallyByUserType(pub [Tally; UserType::ALL.len()]);

impl AddAssign for TallyByUserType {
    fn add_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(tally, more)| *tally += more);
    }
}

impl Sub for TallyByUserType {
    type Output = Self;

    fn sub(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(tally, less)| *tally = *tally - less);
        self
    }
}
