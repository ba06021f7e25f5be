//! Anything at all as conversation events: no panic, and every segment that is closed keeps every rule.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skillscope_segment::{
    Arrival, Error, EventChunk, Input, PastConversation, ReadOptions, SegmentRows, Segmented, Segmenter, read_events,
};

fuzz_target!(|bytes: &[u8]| {
    let options = ReadOptions { account: None, chunk_rows: 7 };
    let mut segmenter = Segmenter::new(60_000);
    let mut out = Segmented::new();
    let mut chunks = 0;
    let read = read_events(Input::Bytes(bytes.to_vec().into()), &options, |EventChunk { events, .. }| {
        chunks += 1;
        let arrival = Arrival { now: chunks * 20_000, latest_credible: 1_516_276_800_000 };
        let past = &mut |_: &str, conversation: &str, _: i64| {
            Ok(conversation.len().is_multiple_of(2).then(|| PastConversation { next_index: 3, source: None }))
        };
        for event in events.iter() {
            segmenter.take::<Error>(&event, arrival, past, &mut out)?;
        }
        segmenter.forget(arrival.now);
        // As where a write fails, now and then.
        if chunks % 3 == 0 { segmenter.roll_back() } else { segmenter.keep() }
        segmenter.give_up_idle::<Error>(arrival.now, past, &mut out)?;
        segmenter.keep();
        Ok::<_, Error>(())
    });
    let _ = read;
    let batch = out.segments.finish().expect("segments make a batch");
    let rows = SegmentRows::new(&batch).expect("it is one of segments");
    for row in 0..rows.len() {
        rows.segment(row).expect("it has every field").validate().expect("it keeps every rule");
    }
});
