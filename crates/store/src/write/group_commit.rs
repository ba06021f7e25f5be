//! One sync for all writes that come while another write is under way.

use std::collections::VecDeque;
use std::ops::DerefMut;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::error::{Error, Result};

/// Groups writes. Writes that come during another one wait; the next thread to get the lock makes all of them with one
/// sync.
#[derive(Debug)]
pub(crate) struct GroupCommit<T, R> {
    waiting: Mutex<VecDeque<Waiting<T, R>>>,
}

#[derive(Debug)]
struct Waiting<T, R> {
    write: T,
    rows: usize,
    outcome: Arc<Outcome<R>>,
}

/// The outcome of a write; `None` until it was made.
type Outcome<R> = Mutex<Option<Result<R>>>;

/// The outcomes of the writes in one group, each awaited by a thread. Where the thread that makes the group panics, the
/// others learn that they were interrupted.
struct Group<R>(Vec<Arc<Outcome<R>>>);

/// The most rows that are written together, unless one write has more.
const MOST_ROWS: usize = 1 << 17;

impl<T, R> Default for GroupCommit<T, R> {
    fn default() -> Self {
        Self { waiting: Mutex::default() }
    }
}

impl<T, R> GroupCommit<T, R> {
    /// Makes a write of so many rows, alone or together with others. `lock` waits for the lock that all of them need;
    /// `make` makes a group of writes, in the order in which they came, and gives the outcome of each.
    ///
    /// # Errors
    /// The error of `make` for the group, or [`Error::Interrupted`] where it panicked.
    pub(crate) fn submit<G: DerefMut>(
        &self,
        write: T,
        rows: usize,
        lock: impl FnOnce() -> G,
        make: impl Fn(&mut G::Target, &[T]) -> Result<Vec<R>>,
    ) -> Result<R> {
        let outcome = Arc::new(Outcome::default());
        self.waiting().push_back(Waiting { write, rows, outcome: Arc::clone(&outcome) });
        let mut guard = lock();
        loop {
            // Another thread may have made this write, while this one waited for the lock.
            if let Some(told) = outcome.lock().take() {
                return told;
            }
            let (writes, group) = self.next_group();
            group.tell(make(&mut *guard, &writes));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting<T, R>>> {
        self.waiting.lock()
    }

    /// The number of writes that wait.
    #[cfg(test)]
    pub(crate) fn waiting_writes(&self) -> usize {
        self.waiting().len()
    }

    /// The writes that have waited longest.
    fn next_group(&self) -> (Vec<T>, Group<R>) {
        let mut waiting = self.waiting();
        let mut room = MOST_ROWS;
        let mut fits = |next: &Waiting<T, R>| {
            let fits = next.rows <= room || room == MOST_ROWS;
            room = room.saturating_sub(next.rows);
            fits
        };
        let count = waiting.iter().take_while(|next| fits(next)).count();
        let (writes, outcomes) = waiting.drain(..count).map(|next| (next.write, next.outcome)).unzip();
        (writes, Group(outcomes))
    }
}

impl<R> Group<R> {
    fn tell(self, made: Result<Vec<R>>) {
        match made {
            Ok(results) => {
                for (outcome, result) in self.0.iter().zip(results) {
                    *outcome.lock() = Some(Ok(result));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for outcome in &self.0 {
                    *outcome.lock() = Some(Err(Error::Shared(Arc::clone(&error))));
                }
            }
        }
    }
}

impl<R> Drop for Group<R> {
    fn drop(&mut self) {
        for outcome in &self.0 {
            outcome.lock().get_or_insert(Err(Error::Interrupted));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn locked(lock: &Mutex<Vec<u32>>) -> MutexGuard<'_, Vec<u32>> {
        lock.lock()
    }

    #[test]
    fn every_write_is_made_once_and_those_that_wait_are_made_together() {
        let (commits, lock, groups) = (GroupCommit::default(), Mutex::new(Vec::new()), AtomicUsize::new(0));
        let make = |made: &mut Vec<u32>, writes: &[u32]| {
            groups.fetch_add(1, Ordering::Relaxed);
            made.extend(writes);
            Ok(writes.iter().map(|write| write * 2).collect())
        };
        let held = locked(&lock);
        std::thread::scope(|scope| {
            let commits = &commits;
            let (lock, make) = (&lock, &make);
            let threads: Vec<_> =
                (0..20).map(|write| scope.spawn(move || commits.submit(write, 1, || locked(lock), make))).collect();
            while commits.waiting_writes() < 20 {
                std::thread::yield_now();
            }
            drop(held);
            let results: Vec<u32> = threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect();
            assert_eq!(results, (0..20).map(|write| write * 2).collect::<Vec<_>>());
        });
        let mut made = locked(&lock).clone();
        made.sort_unstable();
        assert_eq!(made, (0..20).collect::<Vec<_>>());
        assert_eq!(groups.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_group_has_a_largest_number_of_rows_and_at_least_one_write() {
        let commits = GroupCommit::<u32, u32>::default();
        for (write, rows) in [(1, MOST_ROWS * 2), (2, MOST_ROWS - 1), (3, 1), (4, 1)] {
            commits.waiting().push_back(Waiting { write, rows, outcome: Arc::default() });
        }
        assert_eq!(commits.next_group().0, [1]);
        assert_eq!(commits.next_group().0, [2, 3]);
        assert_eq!(commits.next_group().0, [4]);
    }

    #[test]
    fn an_error_is_told_to_the_whole_group() {
        let (commits, lock) = (GroupCommit::<u32, u32>::default(), Mutex::new(Vec::new()));
        let made = commits.submit(1, 1, || locked(&lock), |_, _| Err(Error::Interrupted));
        assert!(matches!(made, Err(Error::Shared(_))));
    }

    #[test]
    fn a_panic_costs_the_writes_of_its_group_alone() {
        let (commits, lock, together) = (GroupCommit::<u32, u32>::default(), Mutex::new(Vec::new()), Barrier::new(2));
        let make = |made: &mut Vec<u32>, writes: &[u32]| {
            assert!(!writes.contains(&13), "an unlucky write");
            made.extend(writes);
            Ok(writes.to_vec())
        };
        let held = locked(&lock);
        std::thread::scope(|scope| {
            let unlucky = scope.spawn(|| {
                together.wait();
                commits.submit(13, 1, || locked(&lock), make)
            });
            together.wait();
            drop(held);
            assert!(unlucky.join().is_err());
        });
        assert_eq!(commits.submit(14, 1, || locked(&lock), make).unwrap(), 14);
        assert_eq!(*locked(&lock), [14]);
    }
}
