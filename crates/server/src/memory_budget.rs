//! Memory that many requests share, so that all of them together cannot take more than there is.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::once_per_minute::OncePerMinute;

/// Memory that requests share. Each takes as much as it needs, piece by piece.
///
/// No owner, which is mostly an account, has more than is free: one alone has half, two have a third each, and there is
/// always something left for the next. What is larger than that is let in while there is nothing else.
pub(crate) struct MemoryBudget {
    most: usize,
    /// How long a request waits for others to end.
    patience: Duration,
    used: Mutex<Used>,
    freed: Notify,
    turned_away: Arc<OncePerMinute>,
}

#[derive(Default)]
struct Used {
    all: usize,
    of_owners: HashMap<String, usize>,
}

/// A budget at a moment, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) used: u64,
    pub(crate) most: u64,
    /// Requests so far that found no room.
    pub(crate) turned_away: u64,
}

/// The error where others had the memory for too long.
#[derive(Debug)]
pub(crate) struct NoRoom;

/// The memory of one request. Dropping it gives everything back.
pub(crate) struct Share {
    budget: Arc<MemoryBudget>,
    owner: String,
    bytes: usize,
}

impl MemoryBudget {
    /// A budget of `most` bytes. `turned_away` logs how many requests found no room within `patience`.
    pub(crate) fn new(most: usize, patience: Duration, turned_away: Arc<OncePerMinute>) -> Arc<Self> {
        Arc::new(Self { most, patience, used: Mutex::default(), freed: Notify::new(), turned_away })
    }

    /// How much there is, and is taken now.
    pub(crate) fn read(&self) -> Budget {
        let used = self.used.lock().all as u64;
        Budget { used, most: self.most as u64, turned_away: self.turned_away.total() }
    }

    /// A share for a request of `owner`, with nothing in it.
    pub(crate) fn share(self: &Arc<Self>, owner: &str) -> Share {
        Share { budget: Arc::clone(self), owner: owner.to_owned(), bytes: 0 }
    }
}

impl Share {
    /// Takes more memory. Waits a little where there is none.
    pub(crate) async fn grow(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let budget = Arc::clone(&self.budget);
        let growing = async {
            loop {
                let freed = budget.freed.notified();
                let mut freed = std::pin::pin!(freed);
                freed.as_mut().enable();
                if self.try_grow(bytes) {
                    return;
                }
                freed.await;
            }
        };
        tokio::time::timeout(budget.patience, growing).await.map_err(|_| {
            budget.turned_away.note();
            NoRoom
        })
    }

    /// Takes more memory if there is some, for those who hold up others while they wait.
    pub(crate) fn grow_at_once(&mut self, bytes: usize) -> Result<(), NoRoom> {
        if self.try_grow(bytes) {
            return Ok(());
        }
        self.budget.turned_away.note();
        Err(NoRoom)
    }

    fn try_grow(&mut self, bytes: usize) -> bool {
        if bytes == 0 {
            return true;
        }
        let mut used = self.budget.used.lock();
        let of_owner = used.of_owners.get(&self.owner).copied().unwrap_or(0).saturating_add(bytes);
        if used.all > 0 && of_owner > self.budget.most.saturating_sub(used.all) {
            return false;
        }
        used.all += bytes;
        match used.of_owners.get_mut(&self.owner) {
            Some(known) => *known = of_owner,
            None => drop(used.of_owners.insert(self.owner.clone(), of_owner)),
        }
        self.bytes += bytes;
        true
    }

    /// Gives back some memory.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        if bytes == 0 {
            return;
        }
        self.bytes -= bytes;
        let mut used = self.budget.used.lock();
        used.all = used.all.saturating_sub(bytes);
        if let Some(of_owner) = used.of_owners.get_mut(&self.owner) {
            *of_owner = of_owner.saturating_sub(bytes);
            if *of_owner == 0 {
                used.of_owners.remove(&self.owner);
            }
        }
        drop(used);
        self.budget.freed.notify_waiters();
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(patience: Duration) -> Arc<MemoryBudget> {
        MemoryBudget::new(100, patience, OncePerMinute::new(|_| {}))
    }

    #[tokio::test]
    async fn one_owner_leaves_room_for_the_next() {
        let budget = budget(Duration::ZERO);
        let mut first = budget.share("acme");
        first.grow(50).await.unwrap();
        assert!(first.grow(1).await.is_err());
        assert!(first.grow_at_once(1).is_err());
        assert!(budget.share("acme").grow(1).await.is_err(), "it is the same owner");
        assert_eq!(budget.read(), Budget { used: 50, most: 100, turned_away: 3 });
        let mut second = budget.share("bolt");
        second.grow(25).await.unwrap();
        assert!(second.grow(1).await.is_err());
        assert!(budget.share("cosy").grow(12).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_larger_than_all_is_let_in_alone() {
        let budget = budget(Duration::ZERO);
        let mut large = budget.share("acme");
        large.grow(1000).await.unwrap();
        assert!(budget.share("bolt").grow(1).await.is_err());
        drop(large);
        let mut small = budget.share("bolt");
        small.grow(1).await.unwrap();
        assert!(budget.share("acme").grow(1000).await.is_err());
    }

    #[tokio::test]
    async fn memory_that_is_given_back_wakes_those_who_wait() {
        let budget = budget(Duration::from_secs(60));
        let mut first = budget.share("acme");
        first.grow(50).await.unwrap();
        let mut second = budget.share("acme");
        let (grown, ()) = tokio::join!(second.grow(20), async { drop(first) });
        grown.unwrap();
        drop(second);
        budget.share("cosy").grow(0).await.unwrap();
        assert_eq!(budget.used.lock().all, 0);
        assert!(budget.used.lock().of_owners.is_empty());
    }
}
