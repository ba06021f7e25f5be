//! How many connections a door has, in all and of each peer.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::counts::DoorNumbers;

/// How many connections a door may have at a time, and what ends one.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// In all.
    pub most: usize,
    /// Of one address; `None` for as many as there may be in all.
    pub of_a_peer: Option<usize>,
    /// How long an answer may wait for its reader to take another byte before the connection is closed.
    pub unread_answer: Duration,
}

impl ConnectionLimits {
    /// The default of the most connections of HTTP.
    pub const HTTP: usize = 10_000;

    /// The default of the most connections of the PostgreSQL protocol, and of those of Arrow Flight SQL.
    pub const SQL: usize = 200;

    /// The default of `unread_answer`, in seconds.
    pub const ANSWER_SECONDS: u32 = 60;

    /// The defaults, for a door of at most so many connections.
    pub fn of(most: usize) -> Self {
        Self { most, of_a_peer: None, unread_answer: Duration::from_secs(Self::ANSWER_SECONDS.into()) }
    }
}

/// The connections of a door.
#[derive(Debug)]
pub(super) struct Slots {
    limits: ConnectionLimits,
    taken: Mutex<Taken>,
    given: AtomicU64,
    unread: AtomicU64,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Counted only where there is a limit.
    of_peers: HashMap<IpAddr, usize>,
}

/// The place of one connection. Dropping it makes room for another.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    peer: IpAddr,
}

impl Slots {
    pub(super) fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self { limits, taken: Mutex::default(), given: AtomicU64::new(0), unread: AtomicU64::new(0) })
    }

    /// A slot for a connection from `peer`; `None` if there are too many.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Slot> {
        // The same peer may come with its address of IPv4, or with that within one of IPv6.
        let peer = peer.to_canonical();
        let mut taken = self.taken.lock();
        if taken.all >= self.limits.most {
            return None;
        }
        if let Some(most) = self.limits.of_a_peer {
            let of_peer = taken.of_peers.get(&peer).copied().unwrap_or(0);
            if of_peer >= most {
                return None;
            }
            taken.of_peers.insert(peer, of_peer + 1);
        }
        taken.all += 1;
        self.given.fetch_add(1, Ordering::Relaxed);
        Some(Slot { slots: Arc::clone(self), peer })
    }
}

impl Slots {
    /// The connections so far, and now.
    pub(super) fn read(&self) -> DoorNumbers {
        DoorNumbers {
            open: self.taken.lock().all as u64,
            limit: self.limits.most as u64,
            accepted: self.given.load(Ordering::Relaxed),
            unread: self.unread.load(Ordering::Relaxed),
            ..DoorNumbers::default()
        }
    }
}

impl Slot {
    /// The connections of its door that were closed because nobody read.
    #[cfg(test)]
    pub(super) fn unread(&self) -> u64 {
        self.slots.unread.load(Ordering::Relaxed)
    }

    /// Counts a connection that is closed because nobody reads its answer.
    pub(super) fn note_unread(&self) {
        self.slots.unread.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken.lock();
        taken.all = taken.all.saturating_sub(1);
        if let Some(of_peer) = taken.of_peers.get_mut(&self.peer) {
            *of_peer = of_peer.saturating_sub(1);
            if *of_peer == 0 {
                taken.of_peers.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(most: usize, of_a_peer: Option<usize>) -> ConnectionLimits {
        ConnectionLimits { most, of_a_peer, unread_answer: Duration::MAX }
    }

    fn peer(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn a_slot_is_free_again_once_its_connection_has_gone() {
        let slots = Slots::new(limits(2, None));
        assert_eq!((slots.read().open, slots.read().limit), (0, 2));
        let first = slots.take(peer(1));
        let second = slots.take(peer(1));
        assert!(first.is_some() && second.is_some());
        assert!(slots.take(peer(2)).is_none());
        drop(first);
        let third = slots.take(peer(2));
        assert!(third.is_some());
        assert!(slots.take(peer(2)).is_none());
        assert_eq!((slots.read().open, slots.read().accepted), (2, 3));
    }

    #[test]
    fn a_peer_has_its_share_and_leaves_nothing_behind() {
        let slots = Slots::new(limits(10, Some(1)));
        let one = slots.take(peer(1));
        assert!(one.is_some());
        assert!(slots.take("::ffff:192.0.2.1".parse().unwrap()).is_none(), "it is the same peer");
        assert!(slots.take(peer(2)).is_some(), "and drops its slot at once");
        drop(one);
        assert!(slots.take(peer(1)).is_some());
        assert_eq!(slots.taken.lock().all, 0);
        assert!(slots.taken.lock().of_peers.is_empty());
    }
}
