//! Attempts to enter that failed. Each is counted, and whoever goes on trying waits longer and longer.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::once_per_minute::OncePerMinute;

/// As many attempts may fail at once: a client with an old token tries a few times.
const FREE: u32 = 5;

/// The wait after the first one beyond, which doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(100);

const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// After so long without a failure, an address begins anew.
const FORGIVEN: Duration = Duration::from_secs(60);

/// The addresses that are remembered. Beyond them, all others count as one.
const MOST_ADDRESSES: usize = 10_000;

/// Attempts that failed, by the address that they came from.
pub(super) struct Attempts {
    failed: AtomicU64,
    recent: Mutex<HashMap<Option<IpAddr>, Recent>>,
    told: std::sync::Arc<OncePerMinute>,
}

#[derive(Debug, Clone, Copy)]
struct Recent {
    failures: u32,
    last: Instant,
}

impl Default for Attempts {
    fn default() -> Self {
        let told = OncePerMinute::new(|number| {
            tracing::warn!(number, "attempts to enter failed: their tokens are unknown, revoked or expired");
        });
        Self { failed: AtomicU64::default(), recent: Mutex::default(), told }
    }
}

impl std::fmt::Debug for Attempts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempts").field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl Attempts {
    /// Notes that an attempt failed, and tells how long its answer has to wait.
    pub(super) fn failed(&self, from: Option<IpAddr>, now: Instant) -> Duration {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.told.note();
        let mut recent = self.recent.lock();
        let mut from = from.map(|from| from.to_canonical());
        if recent.len() >= MOST_ADDRESSES && !recent.contains_key(&from) {
            recent.retain(|_, recent| !recent.is_forgiven(now));
            if recent.len() >= MOST_ADDRESSES {
                from = None;
            }
        }
        let recent = recent.entry(from).or_insert(Recent { failures: 0, last: now });
        if recent.is_forgiven(now) {
            recent.failures = 0;
        }
        recent.failures = recent.failures.saturating_add(1);
        recent.last = now;
        recent.wait()
    }

    /// How many have failed since the start.
    pub(super) fn count(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

impl Recent {
    fn is_forgiven(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) >= FORGIVEN
    }

    fn wait(self) -> Duration {
        let Some(beyond) = self.failures.checked_sub(FREE + 1) else { return Duration::ZERO };
        let factor = 2_u32.saturating_pow(beyond);
        FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn whoever_goes_on_trying_waits_longer_and_longer() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let waits: Vec<u128> = (0..13).map(|_| attempts.failed(address(1), now).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(attempts.failed(address(2), now), Duration::ZERO, "others do not wait");
        assert_eq!(attempts.failed(address(1), now + FORGIVEN), Duration::ZERO, "it begins anew");
        assert_eq!(attempts.count(), 15);
    }

    #[test]
    fn an_address_of_ipv4_within_one_of_ipv6_is_the_same() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        assert!((0..FREE).all(|_| attempts.failed(address(1), now).is_zero()));
        let same = Some("::ffff:192.0.2.1".parse().unwrap());
        assert_eq!(attempts.failed(same, now), FIRST_WAIT);
    }

    #[test]
    fn memory_is_bounded_and_forgets_the_oldest_first() {
        let (attempts, now) = (Attempts::default(), Instant::now());
        let of = |number: usize| Some(IpAddr::from(u32::try_from(number).unwrap().to_be_bytes()));
        let waited = (0..2 * MOST_ADDRESSES).filter(|number| !attempts.failed(of(*number), now).is_zero()).count();
        assert!(waited < MOST_ADDRESSES, "the first ones have not failed before");
        assert!(attempts.recent.lock().len() <= MOST_ADDRESSES + 1);
        assert_eq!(attempts.failed(of(3 * MOST_ADDRESSES), now), LONGEST_WAIT, "the many count as one");
        assert_eq!(attempts.failed(of(3 * MOST_ADDRESSES), now + FORGIVEN), Duration::ZERO);
        assert_eq!(attempts.recent.lock().len(), 1);
    }
}
