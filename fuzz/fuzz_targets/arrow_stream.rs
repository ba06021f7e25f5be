//! Anything at all as an Arrow stream: no panic that the reader lets through, no more memory than it may take, and
//! every segment keeps every rule.
#![no_main]

mod caught_panics;

use caught_panics::let_panics_be_caught;
use libfuzzer_sys::fuzz_target;
use skillscope_segment::{Error, Format, Input, ReadOptions, SegmentRows, read_segments};

fuzz_target!(|bytes: &[u8]| {
    let_panics_be_caught();
    let options = ReadOptions { chunk_rows: 7, most_unfolded: Some(16 << 20), ..ReadOptions::default() };
    let _ = read_segments(Format::Arrow, Input::Bytes(bytes.to_vec().into()), &options, |chunk| {
        let rows = SegmentRows::new(&chunk.batch).expect("it is a batch of segments");
        assert_eq!(rows.len(), chunk.lines.len());
        for row in 0..rows.len() {
            rows.segment(row).expect("it has every field").validate().expect("it keeps every rule");
        }
        Ok::<_, Error>(())
    });
});
