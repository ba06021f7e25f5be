//! The memory that clients can fill before a statement runs: long messages, prepared statements and bound values.

use std::sync::Arc;
use std::time::Duration;

use skillscope_store::memory_share;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::timeout;

/// All connections together; less where [the share](PERCENT) is less.
const ALL_BYTES: usize = 256 << 20;

/// In hundredths of the memory.
pub(crate) const PERCENT: u64 = 2;

/// What is counted.
const UNIT_BYTES: usize = 1 << 10;

/// How long a message waits for the memory of others.
const PATIENCE: Duration = Duration::from_secs(10);

/// The memory for what clients have sent, shared by the connections of a server. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct MessageMemory {
    free: Arc<Semaphore>,
    units: usize,
}

/// There is no more memory for what clients send.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("long messages, prepared statements and bound values of all connections together take at most {kib} KiB")]
pub(super) struct Full {
    kib: usize,
}

/// A part of the memory, until it is dropped.
#[derive(Debug)]
pub(super) struct Reserved {
    _permit: OwnedSemaphorePermit,
}

impl MessageMemory {
    /// As much as there is for all connections of this process.
    pub(super) fn of_process() -> Self {
        let share = usize::try_from(memory_share(PERCENT)).unwrap_or(usize::MAX);
        Self::new(share.min(ALL_BYTES))
    }

    pub(super) fn new(bytes: usize) -> Self {
        let units = bytes.div_ceil(UNIT_BYTES).min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(units)), units }
    }

    /// Takes memory for `bytes`, and waits a while if others have it.
    pub(super) async fn reserve(&self, bytes: usize) -> Result<Reserved, Full> {
        let taken = timeout(PATIENCE, Arc::clone(&self.free).acquire_many_owned(units(bytes))).await;
        taken.ok().and_then(Result::ok).map(|permit| Reserved { _permit: permit }).ok_or(self.full())
    }

    /// Takes memory for `bytes` if there is some.
    pub(super) fn try_reserve(&self, bytes: usize) -> Result<Reserved, Full> {
        let taken: Result<_, TryAcquireError> = Arc::clone(&self.free).try_acquire_many_owned(units(bytes));
        taken.map(|permit| Reserved { _permit: permit }).map_err(|_| self.full())
    }

    fn full(&self) -> Full {
        Full { kib: self.units * UNIT_BYTES / 1_024 }
    }

    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        (self.units - self.free.available_permits()) * UNIT_BYTES
    }
}

fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_free_again() {
        let memory = MessageMemory::new(10 << 10);
        let first = memory.try_reserve(6_000).unwrap();
        assert_eq!(memory.taken(), 6 << 10);
        assert_eq!(memory.try_reserve(5_000).unwrap_err(), Full { kib: 10 });
        drop(first);
        assert!(memory.try_reserve(5_000).is_ok());
    }
}
