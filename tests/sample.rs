//! The sample in `data/`, and that it is what the README there says.

use std::fs;
use std::path::{Path, PathBuf};

use crate::binary::succeed;

pub(crate) fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/segments.ndjson")
}

/// Writes the sample anew.
pub(crate) fn generate(out: &Path) {
    let options =
        ["--rows", "200", "--skills", "6", "--hours", "24", "--end", "2018-01-18T08:51:55.679Z", "--seed", "1"];
    let command = ["generate", "segments"].into_iter().chain(options);
    succeed(command.chain(["--out", out.to_str().expect("the path is UTF-8")]));
}

#[test]
fn the_sample_is_reproducible() {
    let directory = tempfile::TempDir::new().unwrap();
    let again = directory.path().join("segments.ndjson");
    generate(&again);
    assert!(fs::read(again).unwrap() == fs::read(path()).unwrap(), "the same options give other bytes than before");
}
