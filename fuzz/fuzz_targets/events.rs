//! Anything at all as conversation events: no panic, and every segment that is closed keeps every rule.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use skillscope_segment::{
    Arrival, Error, EventChunk, Input, PastConversation, ReadOptions, SegmentRows, Segmented, Segmenter, read_events,
};

fuzz_target!(|bytes: &[u8]| {
    let options = ReadOptions { account: None, chunk_rows: 7, ..ReadOptions::default() };
    let mut segmenter = Segmenter::new(60_000);
    let mut chunks = 0;
    let _ = read_events(Input::Bytes(bytes.to_vec().into()), &options, |EventChunk { events, .. }| {
        chunks += 1;
        let arrival = Arrival { now: chunks * 20_000, steady: chunks * 20_000, latest_credible: 1_516_276_800_000 };
        let past = &mut |_: &str, conversation: &str, _: i64| match conversation.len() % 3 {
            // As where a file cannot be read, now and then.
            0 if chunks % 2 == 0 => Err(Error::Record { reason: String::new() }),
            1 => Ok(Some(PastConversation { next_index: 3, source: None })),
            _ => Ok(None),
        };
        let before = states(&segmenter);
        let mut trial = Segmented::new();
        let taken = events.iter().try_for_each(|event| segmenter.take::<Error>(&event, arrival, past, &mut trial));
        segmenter.forget(arrival.now);
        // As where a write fails, now and then.
        if taken.is_err() || chunks % 3 == 0 {
            segmenter.roll_back();
            assert_eq!(states(&segmenter), before);
        } else {
            segmenter.keep();
            check(trial);
        }
        Ok::<_, Error>(())
    });
    while segmenter.has_idle(i64::MAX) {
        let nothing = &mut |_: &str, _: &str, _: i64| Ok(None);
        let mut out = Segmented::new();
        segmenter.give_up_idle::<Error>(i64::MAX, nothing, &mut out).expect("nothing fails");
        segmenter.keep();
        assert!(!segmenter.has_idle(i64::MAX), "something waits for ever");
        check(out);
    }
});

/// All that is followed, in an order of its own.
fn states(segmenter: &Segmenter) -> BTreeMap<(String, String), String> {
    let name = |account: &str, conversation: &str| (account.to_owned(), conversation.to_owned());
    segmenter
        .conversations()
        .map(|(account, state)| {
            (name(account.as_str(), state.id()), serde_json::to_string(state.as_ref()).expect("a state has a JSON form"))
        })
        .collect()
}

/// Every segment keeps every rule.
fn check(mut out: Segmented) {
    let batch = out.segments.finish().expect("segments make a batch");
    let rows = SegmentRows::new(&batch).expect("it is one of segments");
    for row in 0..rows.len() {
        rows.segment(row).expect("it has every field").validate().expect("it keeps every rule");
    }
}
