//! How much one caller may ask for at a time, and how often.

use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// As many requests may come at once as are due in this time.
const BURST: Duration = Duration::from_secs(1);

/// Beyond so many callers, those are forgotten that ask for nothing.
const REMEMBERED: usize = 1024;

/// The limits of one caller.
#[derive(Debug, Clone, Copy)]
pub struct CallerLimits {
    /// The most requests at a time.
    pub concurrency: usize,
    /// The most requests a second, of which a second's may come at once; `None` for as many as there are.
    pub rate: Option<NonZeroU32>,
}

impl CallerLimits {
    /// The default of `concurrency`: far more than a wall of screens and its import ask for.
    pub const CONCURRENCY: usize = 1_000;
}

impl Default for CallerLimits {
    fn default() -> Self {
        Self { concurrency: Self::CONCURRENCY, rate: None }
    }
}

/// Counts what each caller asks for.
#[derive(Debug)]
pub(crate) struct Limiter<K> {
    limits: CallerLimits,
    callers: Mutex<HashMap<K, Usage>>,
}

#[derive(Debug)]
struct Usage {
    under_way: usize,
    /// When the next request would be due if all came one after the other.
    due: Instant,
}

/// Why a request is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TooMuch {
    AtATime {
        most: usize,
    },
    TooOften {
        rate: NonZeroU32,
        /// After how long one would be taken.
        wait: Duration,
    },
}

/// A request that is under way, until this is dropped.
#[derive(Debug)]
pub(crate) struct Turn<K: Hash + Eq> {
    limiter: Arc<Limiter<K>>,
    caller: K,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    pub(crate) fn new(limits: CallerLimits) -> Arc<Self> {
        Arc::new(Self { limits, callers: Mutex::default() })
    }

    /// Takes a request of `caller`.
    pub(crate) fn enter(self: &Arc<Self>, caller: &K) -> Result<Turn<K>, TooMuch> {
        self.enter_at(caller, Instant::now())
    }

    fn enter_at(self: &Arc<Self>, caller: &K, now: Instant) -> Result<Turn<K>, TooMuch> {
        let mut callers = self.callers.lock();
        if callers.len() >= REMEMBERED && !callers.contains_key(caller) {
            callers.retain(|_, usage| usage.under_way > 0 || usage.due > now);
        }
        let usage = callers.entry(caller.clone()).or_insert(Usage { under_way: 0, due: now });
        let most = self.limits.concurrency;
        if usage.under_way >= most {
            return Err(TooMuch::AtATime { most });
        }
        if let Some(rate) = self.limits.rate {
            let next = usage.due.max(now) + Duration::from_secs(1) / rate.get();
            let wait = next.saturating_duration_since(now + BURST);
            if wait > Duration::ZERO {
                return Err(TooMuch::TooOften { rate, wait });
            }
            usage.due = next;
        }
        usage.under_way += 1;
        Ok(Turn { limiter: Arc::clone(self), caller: caller.clone() })
    }
}

impl<K: Hash + Eq> Drop for Turn<K> {
    fn drop(&mut self) {
        if let Some(usage) = self.limiter.callers.lock().get_mut(&self.caller) {
            usage.under_way = usage.under_way.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(concurrency: usize, rate: Option<u32>) -> Arc<Limiter<&'static str>> {
        Limiter::new(CallerLimits { concurrency, rate: rate.and_then(NonZeroU32::new) })
    }

    #[test]
    fn each_caller_has_so_many_at_a_time() {
        let limiter = limiter(2, None);
        let first = limiter.enter(&"a").unwrap();
        let _second = limiter.enter(&"a").unwrap();
        assert_eq!(limiter.enter(&"a").unwrap_err(), TooMuch::AtATime { most: 2 });
        assert!(limiter.enter(&"b").is_ok());
        drop(first);
        assert!(limiter.enter(&"a").is_ok());
    }

    #[test]
    fn a_seconds_requests_may_come_at_once_and_more_as_time_goes_by() {
        let limiter = limiter(100, Some(4));
        let begin = Instant::now();
        let at = |ms: u64| limiter.enter_at(&"a", begin + Duration::from_millis(ms)).map(drop);
        for _ in 0..4 {
            assert_eq!(at(0), Ok(()));
        }
        let rate = NonZeroU32::new(4).unwrap();
        assert_eq!(at(0), Err(TooMuch::TooOften { rate, wait: Duration::from_millis(250) }));
        assert_eq!(
            at(100),
            Err(TooMuch::TooOften { rate, wait: Duration::from_millis(150) }),
            "refusing costs nothing"
        );
        assert_eq!(at(250), Ok(()));
        assert!(at(499).is_err());
        assert_eq!(at(500), Ok(()));
        // A long pause saves up no more than a second's.
        let taken = (0..10).filter(|_| at(60_000).is_ok()).count();
        assert_eq!(taken, 4);
        assert!(limiter.enter_at(&"b", begin).is_ok(), "another has its own");
    }

    #[test]
    fn one_a_second_is_one_a_second() {
        let limiter = limiter(100, Some(1));
        let begin = Instant::now();
        let at = |ms: u64| limiter.enter_at(&"a", begin + Duration::from_millis(ms)).is_ok();
        assert_eq!([at(0), at(0), at(999), at(1000), at(1001), at(2000)], [true, false, false, true, false, true]);
    }

    #[test]
    fn callers_that_ask_for_nothing_are_forgotten() {
        let limiter = Limiter::new(CallerLimits { concurrency: 1, rate: None });
        let kept = limiter.enter(&0).unwrap();
        for caller in 1..10 * REMEMBERED {
            drop(limiter.enter(&caller).unwrap());
        }
        assert!(limiter.callers.lock().len() <= REMEMBERED);
        assert!(limiter.enter(&0).is_err(), "it still has its own");
        drop(kept);
    }
}
