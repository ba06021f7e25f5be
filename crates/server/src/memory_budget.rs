//! Memory that many requests share, so that all of them together cannot take more than there is.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use skillscope_segment::AccountId;
use tokio::sync::Notify;

use crate::access::{Holder, TokenId};
use crate::once_per_minute::OncePerMinute;

/// Memory that requests share. Each takes as much as it needs, piece by piece.
///
/// No owner, which is an account or a token, has more than is free: one alone has half, two have a third each, and there
/// is always something left for the next. What is larger than that is let in while there is nothing else.
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
    of_owners: HashMap<Owner, usize>,
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

/// Whose memory a request takes. Each of them has its share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Owners(Vec<Owner>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owner {
    Account(String),
    Token(TokenId),
    /// All requests together that name no account and show no token.
    Nobody,
}

impl Owners {
    /// An account, where the request names one, and the token of who asks.
    pub(crate) fn of(account: Option<&AccountId>, holder: Holder) -> Self {
        let token = match holder {
            Holder::Token(id) => Some(Owner::Token(id)),
            Holder::Owner | Holder::Anybody => None,
        };
        let account = account.map(|account| Owner::Account(account.as_str().to_owned()));
        let nobody = (account.is_none() && token.is_none()).then_some(Owner::Nobody);
        Self(account.into_iter().chain(token).chain(nobody).collect())
    }
}

/// The memory of one request. Dropping it gives everything back.
pub(crate) struct Share {
    budget: Arc<MemoryBudget>,
    owners: Owners,
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

    /// A share for a request of `owners`, with nothing in it.
    pub(crate) fn share(self: &Arc<Self>, owners: &Owners) -> Share {
        Share { budget: Arc::clone(self), owners: owners.clone(), bytes: 0 }
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
        let of_owner = |owner: &Owner| used.of_owners.get(owner).copied().unwrap_or(0).saturating_add(bytes);
        let most = self.owners.0.iter().map(of_owner).max().unwrap_or(bytes);
        if used.all > 0 && most > self.budget.most.saturating_sub(used.all) {
            return false;
        }
        used.all += bytes;
        for owner in &self.owners.0 {
            match used.of_owners.get_mut(owner) {
                Some(known) => *known = known.saturating_add(bytes),
                None => drop(used.of_owners.insert(owner.clone(), bytes)),
            }
        }
        self.bytes += bytes;
        true
    }

    /// Gives back all but so much memory.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        self.shrink(self.bytes.saturating_sub(bytes));
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
        for owner in &self.owners.0 {
            if let Some(of_owner) = used.of_owners.get_mut(owner) {
                *of_owner = of_owner.saturating_sub(bytes);
                if *of_owner == 0 {
                    used.of_owners.remove(owner);
                }
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

    fn of(account: &str) -> Owners {
        Owners::of(AccountId::parse(account).ok().as_ref(), Holder::Anybody)
    }

    #[tokio::test]
    async fn a_token_has_no_more_for_naming_many_accounts() {
        let budget = budget(Duration::ZERO);
        let holder = Holder::Token(serde_json::from_str("\"0000000000000001\"").unwrap());
        let with_token = |account: &str| Owners::of(AccountId::parse(account).ok().as_ref(), holder);
        let mut shares: Vec<Share> = ["a", "b", "c"].iter().map(|account| budget.share(&with_token(account))).collect();
        shares[0].grow(25).await.unwrap();
        shares[1].grow(25).await.unwrap();
        assert!(shares[2].grow(1).await.is_err(), "the token has half");
        assert!(budget.share(&of("d")).grow(25).await.is_ok());
        drop(shares);
        assert!(budget.used.lock().of_owners.is_empty());
    }

    fn budget(patience: Duration) -> Arc<MemoryBudget> {
        MemoryBudget::new(100, patience, OncePerMinute::new(|_| {}))
    }

    #[tokio::test]
    async fn one_owner_leaves_room_for_the_next() {
        let budget = budget(Duration::ZERO);
        let mut first = budget.share(&of("acme"));
        first.grow(50).await.unwrap();
        assert!(first.grow(1).await.is_err());
        assert!(first.grow_at_once(1).is_err());
        assert!(budget.share(&of("acme")).grow(1).await.is_err(), "it is the same owner");
        assert_eq!(budget.read(), Budget { used: 50, most: 100, turned_away: 3 });
        let mut second = budget.share(&of("bolt"));
        second.grow(25).await.unwrap();
        assert!(second.grow(1).await.is_err());
        assert!(budget.share(&of("cosy")).grow(12).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_larger_than_all_is_let_in_alone() {
        let budget = budget(Duration::ZERO);
        let mut large = budget.share(&of("acme"));
        large.grow(1000).await.unwrap();
        assert!(budget.share(&of("bolt")).grow(1).await.is_err());
        drop(large);
        let mut small = budget.share(&of("bolt"));
        small.grow(1).await.unwrap();
        assert!(budget.share(&of("acme")).grow(1000).await.is_err());
    }

    #[tokio::test]
    async fn memory_that_is_given_back_wakes_those_who_wait() {
        let budget = budget(Duration::from_secs(60));
        let mut first = budget.share(&of("acme"));
        first.grow(50).await.unwrap();
        let mut second = budget.share(&of("acme"));
        let (grown, ()) = tokio::join!(second.grow(20), async { drop(first) });
        grown.unwrap();
        drop(second);
        budget.share(&of("cosy")).grow(0).await.unwrap();
        assert_eq!(budget.used.lock().all, 0);
        assert!(budget.used.lock().of_owners.is_empty());
    }
}
