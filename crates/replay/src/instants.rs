//! The instants at which reports are asked for.

use crate::{Error, Result};

/// Instants at equal distances, in milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instants {
    from: i64,
    to: i64,
    every: i64,
}

impl Instants {
    /// The instants `from`, `from + every`, … that are not after `to`.
    ///
    /// # Errors
    /// Where `to` is before `from`, or `every` is less than a millisecond.
    pub fn new(from: i64, to: i64, every: i64) -> Result<Self> {
        if to < from {
            return Err(Error::Usage(
                "the last instant is before the first; give --from and --to in this order".to_owned(),
            ));
        }
        if every < 1 {
            return Err(Error::Usage("the instants are at least a millisecond apart".to_owned()));
        }
        Ok(Self { from, to, every })
    }

    /// The number of instants, which is at least one.
    pub fn count(&self) -> u64 {
        self.to.abs_diff(self.from) / self.every.unsigned_abs() + 1
    }

    /// The instant at a 0-based place.
    pub(crate) fn at(&self, place: u64) -> i64 {
        let distance = i64::try_from(place).unwrap_or(i64::MAX).saturating_mul(self.every);
        self.from.saturating_add(distance)
    }

    pub(crate) fn first(&self) -> i64 {
        self.from
    }

    pub(crate) fn last(&self) -> i64 {
        self.at(self.count().saturating_sub(1))
    }

    pub(crate) fn every(&self) -> i64 {
        self.every
    }
}
