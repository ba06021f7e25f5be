//! The seeds of the fuzz targets, as an ordinary test: each is read, and so is each with some bytes changed.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::testing::{abandoned_in_queue, batch_of, interactive, segments_of};
use crate::{Segment, SegmentWriter};

fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let paths = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let seeds: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    assert!(!seeds.is_empty(), "{} is empty", folder.display());
    seeds
}

/// Reads an input as the fuzz target of this name does, and gives the number of records that were taken.
fn read(target: &str, bytes: Vec<u8>) -> crate::Result<usize> {
    let options = ReadOptions { chunk_rows: 7, most_unfolded: Some(16 << 20), ..ReadOptions::default() };
    let input = Input::Bytes(bytes.into());
    let mut taken = 0;
    let sink = |chunk: Chunk| {
        for segment in segments_of(&chunk.batch) {
            segment.validate().unwrap();
        }
        taken += chunk.lines.len();
        Ok::<_, Error>(())
    };
    match target {
        "parquet" => read_segments(Format::Parquet, input, &options, sink),
        "arrow_stream" => read_segments(Format::Arrow, input, &options, sink),
        "history" => read_history(input, &options, sink),
        _ => read_events(input, &options, |chunk| {
            taken += chunk.events.len();
            Ok::<_, Error>(())
        }),
    }?;
    Ok(taken)
}

#[test]
fn the_seeds_of_every_fuzz_target_are_read() {
    for target in ["events", "history", "parquet", "arrow_stream"] {
        for (path, seed) in seeds(target) {
            let taken = read(target, seed.clone());
            assert!(taken.is_ok_and(|taken| taken > 0), "{}", path.display());
            for change in 0..200 {
                // Places and bytes that are far apart, the same in each run.
                let place = (change * 7919) % seed.len();
                let mut changed = seed.clone();
                changed[place] ^= 1 << (change % 8);
                let _ = read(target, changed);
                let _ = read(target, seed[..place].to_vec());
            }
        }
    }
}

/// Writes the seeds of Parquet and Arrow anew: `cargo test -p skillscope-segment write_seeds -- --ignored`.
#[test]
#[ignore = "it writes into the repository"]
fn write_seeds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let segments = [interactive(), abandoned_in_queue(), Segment { segment_index: 1, ..interactive() }];
    for (target, format) in [("parquet", Format::Parquet), ("arrow_stream", Format::Arrow)] {
        for count in [1, 3] {
            let mut writer = SegmentWriter::new(format, Vec::new()).unwrap();
            writer.write(&batch_of(&segments[..count])).unwrap();
            fs::create_dir_all(folder.join(target)).unwrap();
            fs::write(folder.join(target).join(format!("segments-{count}")), writer.finish().unwrap()).unwrap();
        }
    }
}
