//! The project's documents: every link leads somewhere, and every path that is named is there.

use std::fs;
use std::path::{Path, PathBuf};

/// What the project's folders begin with, as they are named in prose.
const FOLDERS: [&str; 10] =
    [".ci/", "benches/", "crates/", "data/", "docs/", "examples/", "fuzz/", "packaging/", "tests/", "web/"];

/// Folders that are not the project's own.
const OTHERS: [&str; 4] = [".git", "node_modules", "target", "venv"];

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut broken = Vec::new();
    for document in documents(&root()) {
        let folder = document.parent().unwrap();
        for link in prose(&document).iter().flat_map(|line| links(line)) {
            let (path, anchor) = link.split_once('#').unwrap_or((link.as_str(), ""));
            let target = if path.is_empty() { document.clone() } else { folder.join(path) };
            let leads_somewhere =
                target.exists() && (anchor.is_empty() || anchors(&target).contains(&anchor.to_owned()));
            if !(link.contains("://") || leads_somewhere) {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_path_that_a_tour_names_is_there() {
    let mut missing = Vec::new();
    for name in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        for line in prose(&root().join(name)) {
            // Every second piece stands between backticks.
            for code in line.split('`').skip(1).step_by(2) {
                let is_path = FOLDERS.iter().any(|folder| code.starts_with(folder)) && !code.contains([' ', '*', '…']);
                if is_path && !root().join(code).exists() {
                    missing.push(format!("{name}: {code}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The Markdown files in a folder and those below it.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && !OTHERS.contains(&name.as_ref()) {
            found.extend(documents(&path));
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
    found
}

/// The lines of a document that are not within a block of code.
fn prose(document: &Path) -> Vec<String> {
    let mut is_code = false;
    let mut lines = Vec::new();
    for line in fs::read_to_string(document).unwrap().lines() {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        if !is_code && !is_fence {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// What stands in `](…)`. A link that goes on in the next line leads nowhere.
fn links(line: &str) -> Vec<String> {
    line.split("](").skip(1).map(|rest| rest.split_once(')').map_or(rest, |(link, _)| link).to_owned()).collect()
}

/// The names by which a document's headings are linked to.
fn anchors(document: &Path) -> Vec<String> {
    let headings = prose(document).into_iter().filter(|line| line.starts_with('#'));
    let anchor = |heading: String| {
        let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        text.chars().filter(kept).collect::<String>().replace(' ', "-")
    };
    headings.map(anchor).collect()
}
