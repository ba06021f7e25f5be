//! Segments and stores for tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::RecordBatch;
use skillscope_segment::{EndReason, Outcome, Segment, SegmentBatchBuilder, SegmentRows, StartReason, UserType};

use super::simulated_disk::SimulatedDisk;
use crate::{Clock, Result, Snapshot, Store, StoreOptions};

pub(super) const MINUTE: i64 = 60_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// 16 February 1999, 12:00 UTC.
pub(super) const NOON: i64 = 919_166_400_000;

/// A segment whose key and place can be chosen; it keeps every rule.
pub(super) fn segment(
    account: &str,
    conversation: u32,
    index: u32,
    skill_id: i64,
    user_type: UserType,
    end_time: i64,
) -> Segment<'static> {
    let assigned = (user_type != UserType::None).then_some(end_time);
    Segment {
        account_id: account.to_owned().into(),
        conversation_id: format!("c-{conversation}").into(),
        segment_index: index,
        skill_id,
        start_time: end_time,
        end_time,
        start_reason: StartReason::NewConversation,
        end_reason: EndReason::ClosedByConsumer,
        user_type,
        outcome: Outcome::Abandoned,
        abandoned_in_queue: false,
        first_assigned_time: assigned,
        first_agent_message_time: None,
        time_to_first_agent_message_ms: None,
        agent_messages: 0,
        consumer_messages: 1,
        last_agent_id: None,
        source: Some(format!("source-{}", conversation % 7).into()),
    }
}

pub(super) fn plain(account: &str, conversation: u32, end_time: i64) -> Segment<'static> {
    segment(account, conversation, 0, i64::from(conversation % 3), UserType::None, end_time)
}

pub(super) fn batch(segments: &[Segment<'_>]) -> RecordBatch {
    let mut builder = SegmentBatchBuilder::with_capacity(segments.len());
    segments.iter().for_each(|segment| builder.append(segment));
    builder.finish().unwrap()
}

/// What a snapshot holds, in memory and in files: for each key, as text, the whole segment as text.
pub(super) fn contents(snapshot: &Snapshot) -> BTreeMap<String, String> {
    let mut contents = BTreeMap::new();
    let mut take = |batch: &RecordBatch| {
        let rows = SegmentRows::new(batch).unwrap();
        for row in 0..rows.len() {
            let (key, text) = entry(&rows.segment(row).unwrap());
            assert_eq!(contents.insert(key.clone(), text), None, "{key} is there twice");
        }
    };
    for account in snapshot.accounts() {
        snapshot.partitions(account).flat_map(|partition| partition.batches()).for_each(|(batch, _)| take(batch));
        for file in snapshot.archived(account) {
            file.read_rows().unwrap().iter().for_each(&mut take);
        }
    }
    contents
}

pub(super) fn entry(segment: &Segment<'_>) -> (String, String) {
    let key = format!("{}/{}/{}", segment.account_id, segment.conversation_id, segment.segment_index);
    (key, format!("{segment:?}"))
}

pub(super) fn entries(segments: &[Segment<'_>]) -> BTreeMap<String, String> {
    segments.iter().map(entry).collect()
}

/// A data directory on a simulated disk, with a clock that only moves when it is told to.
pub(super) struct World {
    pub(super) disk: SimulatedDisk,
    pub(super) now: Arc<AtomicI64>,
    pub(super) options: StoreOptions,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(set: impl FnOnce(&mut StoreOptions)) -> Self {
        let (disk, now) = (SimulatedDisk::new(), Arc::new(AtomicI64::new(NOON)));
        let clock = Clock::Simulated(Arc::clone(&now));
        let mut options = StoreOptions {
            disk: Arc::new(disk.clone()),
            clock: clock.clone(),
            hot_clock: clock,
            hot_bytes: 1 << 40,
            ..StoreOptions::default()
        };
        set(&mut options);
        Self { disk, now, options }
    }

    pub(super) fn open(&self) -> Store {
        self.try_open().unwrap()
    }

    pub(super) fn try_open(&self) -> Result<Store> {
        Store::open_with(Path::new("/data"), self.options.clone())
    }

    pub(super) fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    pub(super) fn wait(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::Relaxed);
    }

    /// Archive files by path, without the folder `archive`.
    pub(super) fn archived(&self) -> Vec<String> {
        self.disk.files_below("/data/archive")
    }

    pub(super) fn quarantined(&self) -> Vec<String> {
        self.disk.files_below("/data/quarantine")
    }
}

/// Does everything that is due.
pub(super) fn maintain(store: &Store) {
    while store.maintain().unwrap() {}
}
