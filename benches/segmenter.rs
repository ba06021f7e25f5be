//! Conversation events through the segmenter, on one core: how many a second, and what an open conversation takes in
//! memory.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a benchmark may panic, and prints its results")]

use std::convert::Infallible;
use std::fs;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use skillscope_segment::{
    AccountId, AgentKind, Arrival, Error, Event, EventBatch, EventChunk, EventKind, Input, ReadOptions, Segmented,
    Segmenter, Sender, read_events,
};
use skillscope_workload::{Workload, WorkloadOptions};

/// Closed segments of the workload.
const ROWS: u64 = 200_000;

const OPEN_CONVERSATIONS: u64 = 1_000_000;

const WAIT_MS: i64 = 60_000;

/// Events that are kept or rolled back together, as in a request.
const TRIAL_EVENTS: usize = 1_000;

fn main() {
    tell_memory();
    let events = workload();
    let mut ndjson = Vec::new();
    for event in &events {
        for event in event.iter() {
            event.write_line(&mut ndjson).expect("memory takes it");
        }
    }
    let count: usize = events.iter().map(EventBatch::len).sum();
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("segmenter");
    group.sample_size(10).sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(count as u64));
    for open in [0, OPEN_CONVERSATIONS] {
        group.bench_function(BenchmarkId::new("events", format!("{open} open beside them")), |bencher| {
            let mut segmenter = with_open(open);
            let mut round = 0;
            bencher.iter(|| {
                round += 1;
                follow(&mut segmenter, &events, round)
            });
        });
    }
    let input = bytes::Bytes::from(ndjson);
    group.bench_function("read from NDJSON", |bencher| {
        bencher.iter(|| {
            let options = ReadOptions { account: None, chunk_rows: TRIAL_EVENTS, ..ReadOptions::default() };
            let mut read = 0;
            let count = |chunk: EventChunk| {
                read += chunk.events.len();
                Ok::<_, Error>(())
            };
            read_events(Input::Bytes(input.clone()), &options, count).expect("it was written so");
            black_box(read)
        });
    });
    group.finish();
    criterion.final_summary();
}

/// The events of a workload in order of time.
fn workload() -> Vec<EventBatch> {
    let workload = Workload::new(WorkloadOptions {
        rows: ROWS,
        skills: 200,
        accounts: vec![AccountId::parse("acme").expect("it is one")],
        hours: 24,
        end: 1_516_265_515_679,
        seed: 1,
    });
    let mut batches = vec![EventBatch::new()];
    let push = |event: &Event<&str>| {
        if batches.last().is_some_and(|batch| batch.len() == TRIAL_EVENTS) {
            batches.push(EventBatch::new());
        }
        if let Some(batch) = batches.last_mut() {
            batch.push(event);
        }
        Ok::<_, Infallible>(())
    };
    workload.for_each_event(push).unwrap_or_else(|never| match never {});
    batches
}

/// Takes all events; those of a later round are of other conversations, a day later.
fn follow(segmenter: &mut Segmenter, batches: &[EventBatch], round: i64) -> usize {
    let arrival = Arrival { now: 0, latest_credible: i64::MAX, steady: 0 };
    let mut closed = 0;
    let mut conversation = String::new();
    for batch in batches {
        let mut out = Segmented::new();
        for event in batch.iter() {
            conversation.clear();
            conversation.push_str(event.conversation_id);
            // As long as before.
            conversation.truncate(conversation.len() - 4);
            conversation.push_str(&format!("{round:04}"));
            let event =
                Event { conversation_id: conversation.as_str(), time: event.time + round * 86_400_000, ..event };
            segmenter.take::<Error>(&event, arrival, &mut |_, _, _| Ok(None), &mut out).expect("the account is one");
        }
        segmenter.forget(0);
        segmenter.keep();
        closed += out.segments.len();
    }
    closed
}

/// A segmenter that follows so many conversations in which an agent has been assigned and the consumer has written.
fn with_open(count: u64) -> Segmenter {
    let mut segmenter = Segmenter::new(WAIT_MS);
    let arrival = Arrival { now: 0, latest_credible: i64::MAX, steady: 0 };
    for number in 0..count {
        let id = format!("0b5c6e52-4d0a-4f5e-9c1d-{number:012}");
        let agent = format!("agent-{}", number % 1600);
        let happened = [
            EventKind::Started { skill_id: 7, source: Some("WHATSAPP") },
            EventKind::Assigned { agent_id: agent.as_str(), agent_kind: AgentKind::Human, takeover: false },
            EventKind::Message { sender: Sender::Consumer, agent_id: None },
        ];
        for (kind, sequence) in happened.into_iter().zip(0..) {
            let event = Event { account_id: "acme", conversation_id: id.as_str(), sequence, time: 1, kind };
            let mut out = Segmented::new();
            segmenter.take::<Error>(&event, arrival, &mut |_, _, _| Ok(None), &mut out).expect("the account is one");
        }
        segmenter.keep();
    }
    segmenter
}

fn tell_memory() {
    let before = resident_bytes();
    let segmenter = with_open(OPEN_CONVERSATIONS);
    let bytes = resident_bytes().saturating_sub(before) / OPEN_CONVERSATIONS;
    println!("an open conversation, of {}: {bytes} bytes", segmenter.open_conversations());
}

fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
