//! A store with segments in it, and an engine over it.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::TryStreamExt;
use skillscope_segment::{
    AccountId, EndReason, Event, EventBatch, Outcome, Segment, SegmentBatchBuilder, StartReason, UserType,
};
use skillscope_store::{Store, StoreOptions};
use tempfile::TempDir;

use crate::{Clock, Engine, Error, Report, ReportRequest, Scope, SqlLimits, SqlSession};

pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) store: Arc<Store>,
    pub(super) directory: TempDir,
    options: StoreOptions,
}

impl World {
    /// A store with `segments` in memory, whose clock stands at `now`.
    pub(super) fn new(now: i64, segments: &[Segment<'_>]) -> Self {
        Self::with_hot_hours(now, StoreOptions::HOT_HOURS, 0, segments)
    }

    /// A store with `segments`, whose clock stands at `now`: once the first `archived` are stored, all that is stored
    /// is archived, and in memory as far as it is of the last `hot_hours`.
    pub(super) fn with_hot_hours(now: i64, hot_hours: u32, archived: usize, segments: &[Segment<'_>]) -> Self {
        Self::with_options(now, archived, segments, |options| options.hot_hours = hot_hours)
    }

    /// … by other options.
    pub(super) fn with_options(
        now: i64,
        archived: usize,
        segments: &[Segment<'_>],
        set: impl FnOnce(&mut StoreOptions),
    ) -> Self {
        let directory = TempDir::new().unwrap();
        // All hours are over.
        let (clock, hot_clock) = (Clock::Fixed(now + 86_400_000), Clock::Fixed(now));
        let mut options = StoreOptions { clock, hot_clock, ..StoreOptions::default() };
        set(&mut options);
        let store = Arc::new(Store::open_with(directory.path(), options.clone()).unwrap());
        // In batches of several sizes, so that hours have several runs and merged ones.
        let sizes = [1, 13, 2, 40, 3].into_iter().cycle();
        let mut rest = segments;
        for size in sizes.take_while(|_| !segments.is_empty()) {
            let (batch, left) = rest.split_at(size.min(rest.len()));
            append(&store, batch);
            rest = left;
            if segments.len() - rest.len() <= archived {
                store.seal_finished_hours().unwrap();
                while store.maintain().unwrap() {}
            }
            if rest.is_empty() {
                break;
            }
        }
        let engine = Engine::new(Arc::clone(&store), Clock::Fixed(now), SqlLimits::default()).unwrap();
        Self { engine, store, directory, options }
    }

    /// The same after a restart.
    pub(super) fn reopened(self) -> Self {
        let Self { engine, store, directory, options } = self;
        let now = engine.clock().now();
        drop((engine, store));
        let store = Arc::new(Store::open_with(directory.path(), options.clone()).unwrap());
        let engine = Engine::new(Arc::clone(&store), Clock::Fixed(now), SqlLimits::default()).unwrap();
        Self { engine, store, directory, options }
    }

    pub(super) fn append(&self, segments: &[Segment<'_>]) {
        append(&self.store, segments);
    }

    /// Appends events, each of which is new.
    pub(super) fn send(&self, events: &[Event<&str>]) {
        let mut batch = EventBatch::new();
        events.iter().for_each(|event| batch.push(event));
        assert_eq!(self.store.append_events(batch, true).unwrap().accepted, events.len());
    }

    pub(super) fn request(&self, account: &str, query: &[(&str, &str)]) -> Result<ReportRequest, Error> {
        ReportRequest::from_parameters(account, self.engine.clock().now(), query)
    }

    pub(super) async fn report(&self, account: &str, query: &[(&str, &str)]) -> Report {
        self.engine.report(&self.request(account, query).unwrap()).await.unwrap()
    }

    /// The rows of a statement of `account`'s, or of one who sees all.
    pub(super) async fn sql(&self, text: &str, account: Option<&str>) -> Result<Vec<RecordBatch>, Error> {
        self.session(account).run(text, Vec::new()).await?.try_collect().await
    }

    /// As [`sql`](Self::sql), by a scan of the rows.
    pub(super) async fn sql_by_scan(&self, text: &str) -> Vec<RecordBatch> {
        let session = self.session(None);
        let rows = session.run_over(session.now().without_totals(), text, Vec::new()).await.unwrap();
        rows.try_collect().await.unwrap()
    }

    pub(super) fn session(&self, account: Option<&str>) -> SqlSession {
        self.engine.sql(scope(account), "http")
    }

    pub(super) async fn json(&self, account: &str, query: &[(&str, &str)]) -> String {
        json(&self.report(account, query).await)
    }
}

/// The scope of an account, or of one who sees all.
pub(super) fn scope(account: Option<&str>) -> Scope {
    account.map_or(Scope::All, |account| Scope::Account(AccountId::parse(account).unwrap()))
}

fn append(store: &Store, segments: &[Segment<'_>]) {
    let mut builder = SegmentBatchBuilder::with_capacity(segments.len());
    for segment in segments {
        segment.validate().unwrap();
        builder.append(segment);
    }
    let appended = store.append(&builder.finish().unwrap()).unwrap();
    assert_eq!(appended.accepted, segments.len(), "every segment has a key of its own");
}

pub(super) fn json(report: &Report) -> String {
    let mut out = Vec::new();
    report.write_json(&mut out);
    String::from_utf8(out).unwrap()
}

/// What a segment must tell for a report; the rest of it is made to fit.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) account: &'static str,
    pub(super) skill: i64,
    pub(super) end_time: i64,
    pub(super) user_type: UserType,
    pub(super) outcome: Outcome,
    pub(super) in_queue: bool,
    pub(super) sample: Option<i64>,
}

/// Segments of these facts, in conversations of one segment each.
pub(super) fn segments(facts: &[Facts]) -> Vec<Segment<'static>> {
    facts.iter().enumerate().map(|(number, facts)| segment(number, facts)).collect()
}

fn segment(number: usize, facts: &Facts) -> Segment<'static> {
    let spoke = matches!(facts.outcome, Outcome::Interactive | Outcome::NonResponsiveConsumer);
    let sample = facts.sample.filter(|_| spoke);
    let start_time = facts.end_time - sample.unwrap_or(0);
    // Somebody who spoke was assigned.
    let user_type = if spoke && facts.user_type == UserType::None { UserType::Human } else { facts.user_type };
    Segment {
        account_id: Cow::Borrowed(facts.account),
        conversation_id: format!("c-{number}").into(),
        segment_index: 0,
        skill_id: facts.skill,
        start_time,
        end_time: facts.end_time,
        start_reason: StartReason::NewConversation,
        end_reason: match facts.outcome {
            Outcome::NonResponsiveAgent => EndReason::SkillTransfer,
            _ => EndReason::ClosedByConsumer,
        },
        user_type,
        outcome: facts.outcome,
        abandoned_in_queue: facts.in_queue && facts.outcome == Outcome::Abandoned,
        first_assigned_time: (user_type != UserType::None).then_some(start_time),
        first_agent_message_time: spoke.then_some(facts.end_time),
        time_to_first_agent_message_ms: sample,
        agent_messages: u32::from(spoke),
        consumer_messages: 1,
        last_agent_id: None,
        source: None,
    }
}
