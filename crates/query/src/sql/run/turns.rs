//! Turns: how many statements are at work at a time, shared fairly between accounts.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::Scope;

/// The most statements that wait for a turn. Each holds its text.
const MOST_WAITING: usize = 2048;

/// The turns of statements. A free one goes to the account that has the fewest; where several have equally few, to the
/// one whose last turn is longest ago. An account that is alone may have all of them.
#[derive(Debug)]
pub(in crate::sql) struct Turns(Mutex<State>);

#[derive(Debug)]
struct State {
    free: usize,
    /// The number of turns that were given so far.
    given: u64,
    waiting: Vec<Waiting>,
    /// The accounts that have turns, or wait for one.
    accounts: HashMap<Scope, Account>,
}

#[derive(Debug, Default)]
struct Account {
    turns: usize,
    waiting: usize,
    /// The number of its last turn.
    last: u64,
}

#[derive(Debug)]
struct Waiting {
    scope: Scope,
    /// The number of the statement, by which those of an account stand in line.
    statement: u64,
    given: oneshot::Sender<()>,
}

impl Turns {
    pub(in crate::sql) fn new(turns: usize) -> Self {
        Self(Mutex::new(State { free: turns, given: 0, waiting: Vec::new(), accounts: HashMap::new() }))
    }

    /// Whether one more statement of `scope` may wait, so that there is room for those of others.
    pub(in crate::sql) fn has_room(&self, scope: &Scope) -> bool {
        let state = self.0.lock();
        let of_scope = state.accounts.get(scope).map_or(0, |account| account.waiting);
        of_scope < MOST_WAITING.saturating_sub(state.waiting.len())
    }

    /// Waits for a turn. Statements of an account get theirs in the order of their numbers, no two of which are equal.
    pub(in crate::sql) async fn take(self: &Arc<Self>, scope: &Scope, statement: u64) -> Turn {
        let (given, receiver) = oneshot::channel();
        let mut place = Place { turns: Arc::clone(self), scope: scope.clone(), statement, is_turn: false };
        {
            let mut state = self.0.lock();
            state.waiting.push(Waiting { scope: scope.clone(), statement, given });
            state.accounts.entry(scope.clone()).or_default().waiting += 1;
            state.give();
        }
        // The sender is on the list until it sends.
        let _ = receiver.await;
        place.is_turn = true;
        Turn { turns: Arc::clone(self), scope: scope.clone() }
    }
}

impl State {
    /// Gives turns as long as there are free ones, and somebody who waits.
    fn give(&mut self) {
        while self.free > 0 {
            let rank = |waiting: &Waiting| {
                let account = self.accounts.get(&waiting.scope);
                account.map(|account| (account.turns, account.last, waiting.statement))
            };
            let next = self.waiting.iter().enumerate().min_by_key(|(_, waiting)| rank(waiting));
            let Some(next) = next.map(|(place, _)| place) else { return };
            let next = self.waiting.swap_remove(next);
            self.free -= 1;
            self.given += 1;
            let account = self.accounts.entry(next.scope).or_default();
            account.waiting -= 1;
            account.turns += 1;
            account.last = self.given;
            // One who does not want it any more gives it back.
            let _ = next.given.send(());
        }
    }

    fn take_back(&mut self, scope: &Scope) {
        self.free += 1;
        if let Some(account) = self.accounts.get_mut(scope) {
            account.turns -= 1;
        }
        self.give();
        self.forget(scope);
    }

    fn forget(&mut self, scope: &Scope) {
        if self.accounts.get(scope).is_some_and(|account| account.turns == 0 && account.waiting == 0) {
            self.accounts.remove(scope);
        }
    }
}

/// A place in the line, which becomes a turn.
struct Place {
    turns: Arc<Turns>,
    scope: Scope,
    statement: u64,
    is_turn: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_turn {
            return;
        }
        let mut state = self.turns.0.lock();
        match state.waiting.iter().position(|waiting| waiting.statement == self.statement) {
            Some(place) => {
                state.waiting.swap_remove(place);
                if let Some(account) = state.accounts.get_mut(&self.scope) {
                    account.waiting -= 1;
                }
                state.forget(&self.scope);
            }
            // Its turn came, and nobody was there to take it.
            None => state.take_back(&self.scope),
        }
    }
}

/// A turn, which is given back when this is dropped.
#[derive(Debug)]
pub(in crate::sql) struct Turn {
    turns: Arc<Turns>,
    scope: Scope,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.0.lock().take_back(&self.scope);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use proptest::collection::vec;
    use proptest::prelude::*;
    use skillscope_segment::AccountId;

    use super::*;

    fn account(name: &str) -> Scope {
        Scope::Account(AccountId::parse(name).unwrap())
    }

    fn now<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    #[test]
    fn an_account_may_have_all_turns_and_the_next_free_one_is_for_another() {
        let turns = Arc::new(Turns::new(2));
        let (acme, bolt) = (account("acme"), account("bolt"));
        let first = now(pin!(turns.take(&acme, 1))).unwrap();
        let _second = now(pin!(turns.take(&acme, 2))).unwrap();
        let (mut third, mut other) = (pin!(turns.take(&acme, 3)), pin!(turns.take(&bolt, 4)));
        assert!(now(third.as_mut()).is_none() && now(other.as_mut()).is_none());
        drop(first);
        assert!(now(third.as_mut()).is_none());
        let other = now(other).unwrap();
        drop(other);
        assert!(now(third).is_some());
    }

    #[test]
    fn an_account_that_has_many_waiting_leaves_room_for_others() {
        let turns = Arc::new(Turns::new(0));
        let (acme, bolt) = (account("acme"), account("bolt"));
        let mut waiting = Vec::new();
        while turns.has_room(&acme) {
            let mut one = Box::pin(turns.take(&acme, waiting.len() as u64));
            assert!(now(one.as_mut()).is_none());
            waiting.push(one);
        }
        assert_eq!(waiting.len(), MOST_WAITING / 2);
        assert!(turns.has_room(&bolt));
        waiting.truncate(MOST_WAITING / 4);
        assert!(turns.has_room(&acme));
    }

    #[test]
    fn a_single_turn_goes_round() {
        let turns = Arc::new(Turns::new(1));
        let (acme, bolt) = (account("acme"), account("bolt"));
        let first = now(pin!(turns.take(&acme, 1))).unwrap();
        let (mut second, mut third) = (pin!(turns.take(&acme, 2)), pin!(turns.take(&acme, 3)));
        let mut other = pin!(turns.take(&bolt, 4));
        assert!(now(second.as_mut()).is_none() && now(third.as_mut()).is_none() && now(other.as_mut()).is_none());
        drop(first);
        assert!(now(second.as_mut()).is_none());
        drop(now(other).unwrap());
        drop(now(second).unwrap());
        assert!(now(third).is_some());
    }

    #[test]
    fn who_goes_leaves_the_line_and_leaves_no_turn_behind() {
        let turns = Arc::new(Turns::new(1));
        let acme = account("acme");
        let first = now(pin!(turns.take(&acme, 1))).unwrap();
        {
            let mut gone = Box::pin(turns.take(&acme, 2));
            assert!(now(gone.as_mut()).is_none());
        }
        let mut given = Box::pin(turns.take(&acme, 3));
        assert!(now(given.as_mut()).is_none());
        drop(first);
        // It was given its turn, and does not learn it any more.
        drop(given);
        drop(now(pin!(turns.take(&acme, 4))).unwrap());
        assert!(turns.0.lock().accounts.is_empty());
    }

    proptest! {
        /// However statements come, end and go: no more run than may, no turn is idle while somebody waits, and a turn
        /// goes to an account that has no more of them than any other that waits.
        #[test]
        fn turns_are_shared_fairly(most in 1_usize..4, steps in vec((0_u8..3, 0_usize..4, any::<prop::sample::Index>()), 1..80)) {
            let turns = Arc::new(Turns::new(most));
            let scopes = ["a", "b", "c", "d"].map(account);
            let mut running: Vec<(usize, Turn)> = Vec::new();
            let mut waiting = Vec::new();
            for (number, (kind, who, which)) in steps.into_iter().enumerate() {
                match kind {
                    0 => {
                        let (turns, scope) = (Arc::clone(&turns), scopes[who].clone());
                        let take = async move { turns.take(&scope, number as u64).await };
                        let mut take = Box::pin(take);
                        match now(take.as_mut()) {
                            Some(turn) => running.push((who, turn)),
                            None => waiting.push((who, take)),
                        }
                    }
                    1 if !running.is_empty() => {
                        running.swap_remove(which.index(running.len()));
                    }
                    2 if !waiting.is_empty() => {
                        drop(waiting.swap_remove(which.index(waiting.len())));
                    }
                    _ => {}
                }
                let mut before: HashMap<usize, usize> = HashMap::new();
                running.iter().for_each(|(who, _)| *before.entry(*who).or_default() += 1);
                let of = |who: &usize| before.get(who).copied().unwrap_or(0);
                let fewest = waiting.iter().map(|(who, _)| of(who)).min();
                let (mut given, mut left) = (Vec::new(), Vec::new());
                for (who, mut take) in waiting {
                    match now(take.as_mut()) {
                        Some(turn) => given.push((who, turn)),
                        None => left.push((who, take)),
                    }
                }
                waiting = left;
                prop_assert!(given.len() <= 1);
                prop_assert!(given.iter().all(|(who, _)| Some(of(who)) == fewest));
                running.extend(given);
                prop_assert!(running.len() <= most);
                prop_assert!(waiting.is_empty() || running.len() == most);
            }
            drop((running, waiting));
            prop_assert!(turns.0.lock().accounts.is_empty());
        }
    }
}
