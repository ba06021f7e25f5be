//! The samples in `data/`, and that they are what the README there says.

use std::fs;
use std::path::{Path, PathBuf};

use crate::binary::succeed;

pub(crate) fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/segments.ndjson")
}

/// Imports the sample of segments into a data directory.
pub(crate) fn import_into(data_dir: &Path) {
    let (path, data_dir) = (path(), data_dir.to_str().expect("the path is UTF-8"));
    succeed(["import", "segments", path.to_str().expect("the path is UTF-8"), "--data-dir", data_dir]);
}

/// Writes the sample of segments anew.
pub(crate) fn generate(out: &Path) {
    generate_as("segments", ("200", "1"), out);
}

fn generate_as(what: &str, (rows, seed): (&str, &str), out: &Path) {
    let options = ["--skills", "6", "--hours", "24", "--end", "2018-01-18T08:51:55.679Z", "--seed", seed];
    let command = ["generate", what, "--rows", rows].into_iter().chain(options);
    succeed(command.chain(["--out", out.to_str().expect("the path is UTF-8")]));
}

#[test]
fn the_samples_are_reproducible() {
    let directory = tempfile::TempDir::new().unwrap();
    // Of another seed, so that the conversations are others than those of the segments.
    for (what, options, name) in [
        ("segments", ("200", "1"), "segments.ndjson"),
        ("events", ("20", "2"), "events.ndjson"),
        ("history", ("20", "2"), "history.json"),
    ] {
        let again = directory.path().join(name);
        generate_as(what, options, &again);
        let sample = path().with_file_name(name);
        assert!(fs::read(again).unwrap() == fs::read(sample).unwrap(), "{name} has other bytes than before");
    }
}
