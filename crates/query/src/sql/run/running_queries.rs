//! The list of statements that are being answered.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use datafusion::physical_plan::ExecutionPlan;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::allowance::Allowance;
use super::statement_reach::StatementReach;
use crate::slow::log_statement;
use crate::{Clock, Error, Scope};

/// The most statements whose rows wait for their clients. They have no turn, but memory.
pub(in crate::sql) const MOST_UNREAD: usize = 256;

/// The phase that a statement is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sql) enum QueryPhase {
    Waiting,
    Planning,
    Running,
    /// Its rows wait for the client to take them.
    Unread,
}

impl QueryPhase {
    const ALL: [Self; 4] = [Self::Waiting, Self::Planning, Self::Running, Self::Unread];

    pub(in crate::sql) fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Planning => "planning",
            Self::Running => "running",
            Self::Unread => "unread",
        }
    }
}

/// A statement that has arrived, and whose last row has not been given yet.
#[derive(Debug)]
pub(in crate::sql) struct RunningQuery {
    pub(in crate::sql) id: i64,
    /// The scope of its session.
    pub(in crate::sql) scope: Scope,
    pub(super) session: u64,
    /// The number of the statement among all that have arrived.
    pub(in crate::sql) number: u64,
    /// The protocol by which the statement came, or `console`.
    pub(in crate::sql) door: &'static str,
    pub(in crate::sql) text: String,
    /// When it arrived, in milliseconds since the epoch.
    pub(in crate::sql) started: i64,
    pub(in crate::sql) clock: Instant,
    phase: AtomicU8,
    pub(in crate::sql) allowance: Allowance,
    rows: AtomicU64,
    plan: OnceLock<Arc<dyn ExecutionPlan>>,
    /// Why it has to end.
    end: OnceLock<Ending>,
    ending: Notify,
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    Killed,
    Crowded,
}

impl RunningQuery {
    pub(in crate::sql) fn enter(&self, phase: QueryPhase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
        self.allowance.wait(phase == QueryPhase::Unread);
    }

    pub(in crate::sql) fn phase(&self) -> QueryPhase {
        let phase = usize::from(self.phase.load(Ordering::Relaxed));
        QueryPhase::ALL.get(phase).copied().unwrap_or(QueryPhase::Running)
    }

    /// The plan whose counters tell how far it is.
    pub(in crate::sql) fn watch(&self, plan: &Arc<dyn ExecutionPlan>) {
        let _ = self.plan.set(Arc::clone(plan));
    }

    pub(in crate::sql) fn add_rows(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// The rows that were given to the client.
    pub(in crate::sql) fn rows_returned(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// The rows that were read from tables so far.
    pub(in crate::sql) fn rows_read(&self) -> u64 {
        self.plan.get().map_or(0, rows_of_leaves)
    }

    /// Completes with the reason when somebody ends the statement.
    pub(in crate::sql) async fn ended(&self) -> Error {
        self.ending.notified().await;
        match self.end.get() {
            Some(Ending::Crowded) => Error::Crowded { most: MOST_UNREAD },
            Some(Ending::Killed) | None => Error::Killed,
        }
    }

    fn end(&self, reason: Ending) {
        let _ = self.end.set(reason);
        // A statement that does not listen yet learns it when it does.
        self.ending.notify_one();
    }
}

fn rows_of_leaves(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let children = plan.children();
    if children.is_empty() {
        return plan.metrics().and_then(|metrics| metrics.output_rows()).unwrap_or(0) as u64;
    }
    children.into_iter().map(rows_of_leaves).sum()
}

/// The statements that are being answered.
#[derive(Debug, Default)]
pub(in crate::sql) struct RunningQueries {
    queries: Mutex<BTreeMap<i64, Arc<RunningQuery>>>,
    numbers: RandomState,
    sessions: AtomicU64,
    arrived: AtomicU64,
    /// How long a statement takes that is logged.
    slow: Option<Duration>,
}

impl RunningQueries {
    /// An empty list. Statements that are on it for as long as `slow`, or longer, are logged when they leave it.
    pub(in crate::sql) fn new(slow: Option<Duration>) -> Self {
        Self { slow, ..Self::default() }
    }

    /// A number that no other session has.
    pub(in crate::sql) fn number_session(&self) -> u64 {
        self.sessions.fetch_add(1, Ordering::Relaxed)
    }

    /// Lists a statement, for as long as the value lives.
    pub(in crate::sql) fn enter(
        self: &Arc<Self>,
        scope: Scope,
        session: u64,
        door: &'static str,
        text: String,
    ) -> ListedQuery {
        let mut queries = self.queries.lock();
        let mut number = queries.len() as u64;
        // Consecutive numbers would tell one account how many statements another account runs.
        let id = loop {
            let id = (self.numbers.hash_one((session, &text, number, Instant::now())) & ID_MASK).cast_signed();
            if !queries.contains_key(&id) {
                break id;
            }
            number = number.wrapping_add(1);
        };
        let query = Arc::new(RunningQuery {
            id,
            scope,
            session,
            number: self.arrived.fetch_add(1, Ordering::Relaxed),
            door,
            text,
            started: Clock::System.now(),
            clock: Instant::now(),
            phase: AtomicU8::new(QueryPhase::Waiting as u8),
            allowance: Allowance::new(),
            rows: AtomicU64::new(0),
            plan: OnceLock::new(),
            end: OnceLock::new(),
            ending: Notify::new(),
        });
        queries.insert(id, Arc::clone(&query));
        ListedQuery { query, list: Arc::clone(self) }
    }

    /// How many there are.
    #[cfg(test)]
    pub(in crate::sql) fn count(&self) -> usize {
        self.queries.lock().len()
    }

    /// The statements that a session reaches, in the order in which they arrived.
    pub(in crate::sql) fn list(&self, reach: &StatementReach) -> Vec<Arc<RunningQuery>> {
        let queries = self.queries.lock();
        let mut listed: Vec<_> = queries.values().filter(|query| reach.lists(query)).cloned().collect();
        listed.sort_by_key(|query| (query.clock, query.id));
        listed
    }

    /// The number of statements in each phase.
    pub(in crate::sql) fn phases(&self) -> Vec<(&'static str, u64)> {
        let mut numbers: Vec<_> = QueryPhase::ALL.into_iter().map(|phase| (phase.as_str(), 0)).collect();
        for query in self.queries.lock().values() {
            if let Some((_, number)) = numbers.get_mut(query.phase() as usize) {
                *number += 1;
            }
        }
        numbers
    }

    /// Ends a statement of another session; false where a session reaches none that has this number.
    pub(in crate::sql) fn kill(&self, id: i64, reach: &StatementReach) -> bool {
        let query = self.queries.lock().get(&id).filter(|query| reach.ends(query)).cloned();
        query.inspect(|query| query.end(Ending::Killed)).is_some()
    }

    /// Ends all statements of a session; false where it runs none.
    pub(in crate::sql) fn kill_session(&self, session: u64) -> bool {
        let queries = self.queries.lock();
        let of_session = queries.values().filter(|query| query.session == session);
        of_session.inspect(|query| query.end(Ending::Killed)).count() > 0
    }

    /// Notes that the rows of `query` wait for its client. Where that is so for too many statements, one is ended: of
    /// the account that has most of them, the one that arrived first.
    pub(in crate::sql) fn leave_unread(&self, query: &RunningQuery) {
        let queries = self.queries.lock();
        query.enter(QueryPhase::Unread);
        if queries.len() <= MOST_UNREAD {
            return;
        }
        let waits = |query: &&Arc<RunningQuery>| query.phase() == QueryPhase::Unread && query.end.get().is_none();
        let mut of_accounts: HashMap<&Scope, (usize, &Arc<RunningQuery>)> = HashMap::new();
        for unread in queries.values().filter(waits) {
            let (number, first) = of_accounts.entry(&unread.scope).or_insert((0, unread));
            *number += 1;
            if unread.number < first.number {
                *first = unread;
            }
        }
        if of_accounts.values().map(|(number, _)| number).sum::<usize>() > MOST_UNREAD
            && let Some((_, first)) = of_accounts.into_values().max_by_key(|(number, _)| *number)
        {
            first.end(Ending::Crowded);
        }
    }
}

/// Statements have numbers that a person can type.
const ID_MASK: u64 = (1 << 30) - 1;

/// A statement on the list, which it leaves when this is dropped.
#[derive(Debug)]
pub(in crate::sql) struct ListedQuery {
    query: Arc<RunningQuery>,
    list: Arc<RunningQueries>,
}

impl ListedQuery {
    pub(in crate::sql) fn query(&self) -> Arc<RunningQuery> {
        Arc::clone(&self.query)
    }
}

impl std::ops::Deref for ListedQuery {
    type Target = RunningQuery;

    fn deref(&self) -> &RunningQuery {
        &self.query
    }
}

impl Drop for ListedQuery {
    fn drop(&mut self) {
        self.list.queries.lock().remove(&self.query.id);
        let query = &self.query;
        log_statement(query.clock, self.list.slow, (&query.scope, query.door), &query.text, query.plan.get());
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use skillscope_segment::AccountId;

    use super::*;

    #[test]
    fn of_too_many_that_nobody_reads_the_first_of_the_account_with_most_is_ended() {
        let list = Arc::new(RunningQueries::default());
        let enter = |account: &str| {
            let scope = Scope::Account(AccountId::parse(account).unwrap());
            list.enter(scope, 1, "postgresql", "select 1".to_owned())
        };
        let other = enter("bolt");
        let many: Vec<ListedQuery> = (0..MOST_UNREAD).map(|_| enter("acme")).collect();
        let ended = || many.iter().chain([&other]).filter_map(|query| query.ended().now_or_never()).count();
        list.leave_unread(&other);
        // The first comes last: what counts is when a statement arrived.
        many[1..].iter().for_each(|query| list.leave_unread(query));
        assert_eq!(ended(), 0, "one of them is still at work");
        list.leave_unread(&many[0]);
        let error = many[0].ended().now_or_never();
        assert!(matches!(error, Some(Error::Crowded { most: MOST_UNREAD })), "{error:?}");
        // It does not count any more, though it may take a moment to end.
        list.leave_unread(&many[1]);
        assert_eq!(ended(), 0);
    }
}
