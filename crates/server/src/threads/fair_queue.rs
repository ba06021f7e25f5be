//! A queue in which every owner has its turn.

use std::collections::{HashMap, VecDeque};

use parking_lot::{Condvar, Mutex};

/// The most work that waits. None of it takes much memory: what does has its budget.
const MOST: usize = 16_384;

/// Work of several owners. The owners take turns, so that one with much to do holds up nobody else; and none has more
/// waiting than there is room for others.
pub(super) struct FairQueue<T> {
    waiting: Mutex<Waiting<T>>,
    changed: Condvar,
}

struct Waiting<T> {
    number: usize,
    /// The owners that have work, in the order of their turns.
    turns: VecDeque<String>,
    of_owners: HashMap<String, VecDeque<T>>,
    is_closed: bool,
}

impl<T> FairQueue<T> {
    pub(super) fn new() -> Self {
        let waiting = Waiting { number: 0, turns: VecDeque::new(), of_owners: HashMap::new(), is_closed: false };
        Self { waiting: Mutex::new(waiting), changed: Condvar::new() }
    }

    /// Puts work into the queue. Gives it back where the queue is full, or the owner has more waiting than there is room.
    pub(super) fn push(&self, owner: &str, work: T) -> Result<(), T> {
        let mut waiting = self.waiting.lock();
        let of_owner = waiting.of_owners.get(owner).map_or(0, VecDeque::len);
        if of_owner >= MOST.saturating_sub(waiting.number) {
            return Err(work);
        }
        waiting.number += 1;
        match waiting.of_owners.get_mut(owner) {
            Some(of_owner) => of_owner.push_back(work),
            None => {
                waiting.of_owners.insert(owner.to_owned(), VecDeque::from([work]));
                waiting.turns.push_back(owner.to_owned());
            }
        }
        drop(waiting);
        self.changed.notify_one();
        Ok(())
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
        waiting.number = 0;
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
        self.number = self.number.saturating_sub(1);
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
            queue.push("a", work).unwrap();
        }
        queue.push("b", "b1").unwrap();
        queue.push("c", "c1").unwrap();
        queue.push("c", "c2").unwrap();
        let order: Vec<&str> = (0..6).filter_map(|_| queue.pop()).collect();
        assert_eq!(order, ["a1", "b1", "c1", "a2", "c2", "a3"]);
        assert!(queue.waiting.lock().of_owners.is_empty());
        queue.push("a", "a4").unwrap();
        queue.close();
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn an_owner_leaves_room_for_others() {
        let queue = FairQueue::new();
        let fill = |owner: &str| (0..=MOST).take_while(|work| queue.push(owner, *work).is_ok()).count();
        assert_eq!(fill("a"), MOST / 2);
        assert_eq!(fill("b"), MOST / 4);
        assert_eq!(queue.push("a", 7), Err(7));
        while queue.waiting.lock().number > 0 {
            queue.pop();
        }
        assert_eq!(fill("a"), MOST / 2);
    }
}
