//! The journal: what is durable before it is in a file.

use skillscope_store::JournalCounts;

use super::{Definition, Exposition, word};

const COMMITS: Definition = Definition::counter(
    "skillscope_journal_commits",
    &["outcome"],
    "Commits that are durable (done), or failed. Writes that come at the same time share one.",
);

const DURATION: Definition =
    Definition::histogram("skillscope_journal_commit_duration", &[], "How long commits took, with their syncs.")
        .in_seconds();

const SIZE: Definition =
    Definition::histogram("skillscope_journal_commit_size", &[], "The segments and conversations that a commit wrote.")
        .in_bytes();

const SYNC: Definition =
    Definition::histogram("skillscope_journal_sync_duration", &[], "How long the disk took to sync the journal.")
        .in_seconds();

const LENGTH: Definition = Definition::gauge("skillscope_journal", &[], "The length of the journal's file.").in_bytes();

pub(super) fn add(all: &mut Exposition, counts: JournalCounts, bytes: Option<u64>) {
    let commits = [("done", counts.commit_seconds.count()), ("failed", counts.failures)];
    all.family(&COMMITS, commits.map(|(outcome, number)| ([word(outcome)], number.into())));
    all.single(&DURATION, counts.commit_seconds);
    all.single(&SIZE, counts.commit_bytes);
    all.single(&SYNC, counts.sync_seconds);
    all.family(&LENGTH, bytes.map(|bytes| ([], bytes.into())));
}
