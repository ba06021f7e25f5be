//! The move from the vendor to a stream of events: whatever an export tells, and whenever it is read, the segments are
//! those of the events alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

use std::collections::BTreeMap;
use std::convert::Infallible;

use proptest::prelude::*;
use skillscope_segment::{
    AccountId, Arrival, Error, Event, EventBatch, Input, PastConversation, ReadOptions, Segment, SegmentBatchBuilder,
    SegmentRows, Segmented, Segmenter, ToldConversation, read_history,
};

use crate::{HistoryWriter, Workload, WorkloadOptions};

/// 2018-01-18T00:00:00Z
const END: i64 = 1_516_233_600_000;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
const WAIT_MS: i64 = 60_000;

type Key = (String, u32);

/// A segmenter, and every segment that came of events or exports, once.
struct Desk {
    segmenter: Segmenter,
    segments: BTreeMap<Key, Segment<'static>>,
    dead_letters: Vec<String>,
}

impl Desk {
    fn new() -> Self {
        Self { segmenter: Segmenter::new(WAIT_MS), segments: BTreeMap::new(), dead_letters: Vec::new() }
    }

    fn take(&mut self, event: &Event<&str>) {
        let mut out = Segmented::new();
        let arrival = Arrival { now: event.time, steady: event.time, latest_credible: i64::MAX };
        let stored = past(&self.segments);
        let mut ask = |_: &str, conversation: &str, until: i64| Ok::<_, Error>(stored(conversation, until));
        self.segmenter.take(event, arrival, &mut ask, &mut out).unwrap();
        self.note(out);
    }

    fn import(&mut self, export: &[u8]) {
        let mut told: Vec<ToldConversation> = Vec::new();
        read_history::<Error>(Input::Bytes(export.to_vec().into()), &ReadOptions::default(), |chunk| {
            assert!(chunk.rejected.is_empty(), "{:?}", chunk.rejected);
            self.store(&SegmentRows::new(&chunk.batch).unwrap());
            told.extend(chunk.told.into_iter().map(|record| record.told));
            Ok(())
        })
        .unwrap();
        for told in told {
            let mut out = Segmented::new();
            let stored = past(&self.segments);
            let mut ask = |_: &str, conversation: &str, until: i64| Ok::<_, Infallible>(stored(conversation, until));
            self.segmenter.adopt(&told, &mut ask, &mut out).unwrap();
            self.note(out);
        }
    }

    /// What is stored and followed is all that is left.
    fn restart(&mut self) {
        let mut new = Segmenter::new(WAIT_MS);
        for (account, state) in self.segmenter.conversations() {
            new.restore(account.as_str(), state.id(), state.as_ref().clone(), 0).unwrap();
        }
        for (account, watermark) in self.segmenter.watermarks() {
            new.restore_watermark(account, watermark, 0).unwrap();
        }
        for (account, begun) in self.segmenter.beginnings() {
            new.restore_beginning(account, begun).unwrap();
        }
        new.finish_restoring();
        self.segmenter = new;
    }

    /// No event comes any more.
    fn finish(&mut self) {
        for now in [END + 2 * WAIT_MS, END + 10 * DAY_MS] {
            let mut out = Segmented::new();
            let stored = past(&self.segments);
            let mut ask = |_: &str, conversation: &str, until: i64| Ok::<_, Infallible>(stored(conversation, until));
            self.segmenter.give_up_idle(now, &mut ask, &mut out).unwrap();
            self.note(out);
        }
    }

    fn note(&mut self, mut out: Segmented) {
        self.segmenter.keep();
        self.dead_letters.extend(out.dead_letters.iter().map(|letter| format!("{letter:?}")));
        self.store(&SegmentRows::new(&out.segments.finish().unwrap()).unwrap());
    }

    /// The first write of a key counts, and the others must be repeats.
    fn store(&mut self, rows: &SegmentRows) {
        for row in 0..rows.len() {
            let segment = rows.segment(row).unwrap().into_owned();
            let key = (segment.conversation_id.to_string(), segment.segment_index);
            let stored = self.segments.entry(key).or_insert_with(|| segment.clone());
            assert_eq!(*stored, segment);
        }
    }
}

/// Looks up the segments of a conversation that are stored.
fn past(segments: &BTreeMap<Key, Segment<'static>>) -> impl Fn(&str, i64) -> Option<PastConversation> + use<> {
    let segments: Vec<(Key, i64, Option<String>)> = segments
        .iter()
        .map(|(key, segment)| (key.clone(), segment.end_time, segment.source.as_deref().map(str::to_owned)))
        .collect();
    move |conversation, until| {
        let of_it = segments.iter().filter(|((id, _), end, _)| id == conversation && *end <= until);
        let last = of_it.max_by_key(|((_, index), ..)| *index);
        last.map(|((_, index), _, source)| PastConversation { next_index: index + 1, source: source.clone() })
    }
}

fn workload(seed: u64) -> Workload {
    Workload::new(WorkloadOptions {
        rows: 40,
        skills: 5,
        accounts: vec![AccountId::parse("acme").unwrap()],
        hours: 1,
        end: END,
        seed,
    })
}

/// The segments that the workload leaves, by its own account.
fn expected(workload: &Workload) -> BTreeMap<Key, Segment<'static>> {
    let mut builder = SegmentBatchBuilder::with_capacity(64);
    workload.conversations().for_each(|conversation| conversation.segments().for_each(|it| builder.append(&it)));
    let rows = builder.finish().unwrap();
    let rows = SegmentRows::new(&rows).unwrap();
    let segments = (0..rows.len()).map(|row| rows.segment(row).unwrap().into_owned());
    segments.map(|segment| ((segment.conversation_id.to_string(), segment.segment_index), segment)).collect()
}

fn events(workload: &Workload) -> EventBatch {
    let mut batch = EventBatch::new();
    let push = |event: &Event<&str>| {
        batch.push(event);
        Ok::<_, Infallible>(())
    };
    workload.for_each_event(push).unwrap();
    batch
}

fn export(workload: &Workload, instant: i64) -> Vec<u8> {
    let mut writer = HistoryWriter::new(Vec::new());
    workload.conversations().for_each(|conversation| writer.write_as_of(&conversation, instant).unwrap());
    writer.finish().unwrap()
}

/// An instant in the two hours in which the conversations go on.
fn instant() -> impl Strategy<Value = i64> {
    END - 2 * HOUR_MS..END
}

proptest! {
    /// An export of any instant, read at any other, before the stream, in the midst of it or after it. The stream begins
    /// at any instant before the export's, and events come late, twice and out of order.
    #[test]
    fn the_segments_are_those_of_the_events_alone_whenever_an_export_is_read(
        seed in any::<u64>(),
        exported in instant(),
        begun_before in 0..HOUR_MS,
        // A resume of a conversation that nobody knows is kept for the first hour of the stream.
        read_after in -HOUR_MS..HOUR_MS - 5 * WAIT_MS,
        second in instant(),
        delays in prop::collection::vec(prop::collection::vec(0..30_000_i64, 1..3), 40),
        restarts in prop::collection::vec(instant(), 0..3),
    ) {
        let workload = workload(seed);
        let expected = expected(&workload);
        // What neither the export nor the stream tells cannot be known.
        let begun = exported - begun_before;
        let batch = events(&workload);
        let mut arrivals: Vec<(i64, Option<Event<&str>>)> = Vec::new();
        for (event, delays) in batch.iter().filter(|event| event.time >= begun).zip(delays.iter().cycle()) {
            arrivals.extend(delays.iter().map(|delay| (event.time + delay, Some(event.clone()))));
        }
        arrivals.extend(restarts.iter().map(|restart| (*restart, None)));
        arrivals.sort_by_key(|(time, _)| *time);
        // Another export, which may be older or later, is read after the first.
        let exports = [(begun + read_after, exported), (begun + read_after + HOUR_MS / 4, second)];
        let mut exports = exports.into_iter().map(|(read, instant)| (read, export(&workload, instant))).peekable();
        let mut desk = Desk::new();
        for (time, event) in arrivals {
            while let Some((_, export)) = exports.next_if(|(read, _)| *read <= time) {
                desk.import(&export);
            }
            match event {
                Some(event) => desk.take(&event),
                None => desk.restart(),
            }
        }
        exports.for_each(|(_, export)| desk.import(&export));
        desk.finish();
        prop_assert_eq!(desk.segments, expected);
        prop_assert_eq!(desk.dead_letters, Vec::<String>::new());
        prop_assert_eq!(desk.segmenter.open_conversations(), 0);
        prop_assert_eq!(desk.segmenter.waiting_events(), 0);
    }
}
