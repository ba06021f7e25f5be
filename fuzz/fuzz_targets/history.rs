//! Anything at all as an export of message history: no panic, and every segment in it keeps every rule.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skillscope_segment::{Error, Input, ReadOptions, SegmentRows, read_history};

fuzz_target!(|bytes: &[u8]| {
    let options = ReadOptions { account: None, chunk_rows: 7, ..ReadOptions::default() };
    let _ = read_history(Input::Bytes(bytes.to_vec().into()), &options, |chunk| {
        let rows = SegmentRows::new(&chunk.batch).expect("it is a batch of segments");
        assert_eq!(rows.len(), chunk.lines.len());
        for row in 0..rows.len() {
            rows.segment(row).expect("it has every field").validate().expect("it keeps every rule");
        }
        Ok::<_, Error>(())
    });
});
