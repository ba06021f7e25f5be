//! Every command of the documents is run as its reader would, and prints what the document shows.
//!
//! A document is one run from top to bottom, in a folder that looks like a clone of this repository. Its text needs no
//! marks; these are the conventions:
//!
//! - A `console` block has commands after `$ `; one that ends with `\`, or within quotes, goes on in the next line. The
//!   lines below are what it prints, logs of servers aside. `…` stands for any text, and a line of `…` alone for any
//!   lines: so varies an instant, a duration, or what a document leaves out. `skillscope` and `cargo run --` are the
//!   binary under test.
//! - `skillscope serve` goes on in the background until the prose says that it ends *with Ctrl-C*. A document that
//!   starts a second server in the same place, or leaves one running, fails. Ports are free ones in place of those in
//!   the text.
//! - A `python` block is a script; the comments at its end are what it prints.
//! - Any other block belongs to a file if the prose before it ends with the file's name, as in "Write `more.ndjson`:".
//! - A `text` block is there to be looked at.
//!
//! Some commands are not run: [`run::NOT_RUN`] has them with the reasons. Where a library, `psql` or the network is
//! missing, the test says `SKIPPED` and leaves that step out.

mod comparison;
mod markdown;
mod run;
mod server;

use std::fs;
use std::path::{Path, PathBuf};

use run::failures;

/// The repository's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a document.
#[track_caller]
fn check(name: &str) {
    let text = fs::read_to_string(root().join(name)).unwrap();
    let failures = failures(name, &text);
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// A test for each document, so that one can be run alone, and the list of them.
macro_rules! documents {
    ($($test:ident: $path:literal,)*) => {
        const COVERED: &[&str] = &[$($path),*];
        $(
            #[test]
            fn $test() {
                check($path);
            }
        )*
    };
}

documents! {
    readme: "README.md",
    data: "data/README.md",
    report: "docs/report.md",
    now: "docs/now.md",
    ingestion: "docs/ingestion.md",
    conversations: "docs/conversations.md",
    segments: "docs/segments.md",
    moving: "docs/moving.md",
    sql: "docs/sql.md",
    replay: "docs/replay.md",
    comparing: "docs/comparing.md",
    cluster: "docs/cluster.md",
    operations: "docs/operations.md",
    access: "docs/access.md",
    limits: "docs/limits.md",
}

#[test]
fn no_document_with_commands_is_forgotten() {
    for entry in root().join("docs").read_dir().unwrap() {
        let name = format!("docs/{}", entry.unwrap().file_name().to_str().unwrap());
        let has_commands = || {
            fs::read_to_string(root().join(&name))
                .unwrap()
                .lines()
                .any(|line| matches!(line, "```console" | "```python"))
        };
        if name.ends_with(".md") && !COVERED.contains(&name.as_str()) {
            assert!(!has_commands(), "{name} has commands that nothing runs: add it to the list");
        }
    }
}

#[test]
fn nothing_is_left_out_that_no_document_has() {
    let documents = COVERED.iter().map(|name| fs::read_to_string(root().join(name)).unwrap()).collect::<String>();
    for (part, _) in run::NOT_RUN {
        assert!(documents.contains(part), "no document has {part}: take it off the list");
    }
}

#[test]
fn a_document_that_shows_something_else_fails() {
    let wrong = |text: &str| failures("a document", text);
    assert_eq!(wrong("```console\n$ echo 12; echo 34\n12\n34\n$ echo \\\n  5\n5\n```\n"), [""; 0]);
    assert_eq!(wrong("Write `a`:\n```text\nb\n```\n```console\n$ cat a\nb\n```\n"), [""; 0]);
    for text in [
        "```console\n$ echo 12\n13\n```\n",
        "```console\n$ echo 12\n```\n",
        "```console\n$ echo 12\n12\n13\n```\n",
        "```console\n$ echo 12 >&2\n```\n",
        "```json\n{}\n```\n",
        "It ends with Ctrl-C.\n",
        "```console\n$ skillscope serve\nhttp://127.0.0.1:8080\n```\n",
        "```console\n$ skillscope serve\nhttp://127.0.0.1:8081/\n```\n",
    ] {
        assert_eq!(wrong(text).len(), 1, "{text}: {:?}", wrong(text));
    }
}
