//! A queue in which every owner has its turn.

use std::collections::{HashMap, VecDeque};

use parking_lot::{Condvar, Mutex};

/// Work of several owners. The owners take turns, so that one with much to do holds up nobody else.
pub(super) struct FairQueue<T> {
    waiting: Mutex<Waiting<T>>,
    changed: Condvar,
}

struct Waiting<T> {
    /// The owners that have work, in the order of their turns.
    turns: VecDeque<String>,
    of_owners: HashMap<String, VecDeque<T>>,
    is_closed: bool,
}

impl<T> FairQueue<T> {
    pub(super) fn new() -> Self {
        let waiting = Waiting { turns: VecDeque::new(), of_owners: HashMap::new(), is_closed: false };
        Self { waiting: Mutex::new(waiting), changed: Condvar::new() }
    }

    pub(super) fn push(&self, owner: &str, work: T) {
        let mut waiting = self.waiting.lock();
        match waiting.of_owners.get_mut(owner) {
            Some(of_owner) => of_owner.push_back(work),
            None => {
                waiting.of_owners.insert(owner.to_owned(), VecDeque::from([work]));
                waiting.turns.push_back(owner.to_owned());
            }
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// The next work, for which this waits; `None` once the queue is closed.
    pub(super) fn pop(&self) -> Option<T> {
        let mut waiting = self.waiting.lock();
        loop {
            if waiting.is_closed {
                return None;
            }
            if let Some(work) = waiting.next() {
                return Some(work);
            }
            self.changed.wait(&mut waiting);
        }
    }

    /// Drops what waits, and ends every `pop`.
    pub(super) fn close(&self) {
        let mut waiting = self.waiting.lock();
        waiting.is_closed = true;
        waiting.turns.clear();
        let dropped = std::mem::take(&mut waiting.of_owners);
        drop(waiting);
        self.changed.notify_all();
        drop(dropped);
    }
}

impl<T> Waiting<T> {
    fn next(&mut self) -> Option<T> {
        let owner = self.turns.pop_front()?;
        let of_owner = self.of_owners.get_mut(&owner)?;
        let work = of_owner.pop_front();
        if of_owner.is_empty() {
            self.of_owners.remove(&owner);
        } else {
            self.turns.push_back(owner);
        }
        work
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_take_turns() {
        let queue = FairQueue::new();
        for work in ["a1", "a2", "a3"] {
            queue.push("a", work);
        }
        queue.push("b", "b1");
        queue.push("c", "c1");
        queue.push("c", "c2");
        let order: Vec<&str> = (0..6).filter_map(|_| queue.pop()).collect();
        assert_eq!(order, ["a1", "b1", "c1", "a2", "c2", "a3"]);
        assert!(queue.waiting.lock().of_owners.is_empty());
        queue.push("a", "a4");
        queue.close();
        assert_eq!(queue.pop(), None);
    }
}
