//! What is stored, and the work of keeping it.

use skillscope_store::{Holdings, StoreCounts};

use super::{Definition, Exposition, word};
use crate::statistics::Statistics;

const ACCOUNTS: Definition = Definition::gauge("skillscope_accounts", &[], "Accounts that have segments.");

const PARTITIONS: Definition =
    Definition::gauge("skillscope_partitions", &[], "Hours of accounts whose segments are in memory.");

const SEGMENTS: Definition = Definition::gauge(
    "skillscope_segments",
    &["location"],
    "Segments that are stored, each once: in memory (those are in files, too, once they are sealed), or read from disk.",
);

const UNSEALED: Definition =
    Definition::gauge("skillscope_segments_unsealed", &[], "Segments that are in the journal, and in no file yet.");

const FILES: Definition = Definition::gauge(
    "skillscope_archive_files",
    &["location"],
    "Files of the archive: whose segments are in memory, too, or read from disk.",
);

const ARCHIVE: Definition = Definition::gauge("skillscope_archive", &[], "The length of all files.").in_bytes();

const SEALING_PARTITIONS: Definition = Definition::gauge(
    "skillscope_sealing_behind_partitions",
    &[],
    "Hours of accounts that should have been written to files by now.",
);

const SEALING_BYTES: Definition =
    Definition::gauge("skillscope_sealing_behind", &[], "Memory that their segments take.").in_bytes();

const SEALING_SECONDS: Definition =
    Definition::gauge("skillscope_sealing_behind", &[], "How long the first of them has been due.").in_seconds();

const SEALING: Definition =
    Definition::histogram("skillscope_sealing_duration", &[], "How long writing an hour to files took.").in_seconds();

const SEALING_FAILURES: Definition = Definition::counter(
    "skillscope_sealing_failures",
    &[],
    "Hours that could not be written to files; each is tried again.",
);

const COMPACTION_FILES: Definition =
    Definition::gauge("skillscope_compaction_behind_files", &[], "Small files that should be merged now.");

const COMPACTION_BYTES: Definition =
    Definition::gauge("skillscope_compaction_behind", &[], "The length of these files.").in_bytes();

const COMPACTION: Definition =
    Definition::histogram("skillscope_compaction_duration", &[], "How long merging some files took.").in_seconds();

const COMPACTION_FAILURES: Definition =
    Definition::counter("skillscope_compaction_failures", &[], "Files that could not be merged; they are tried again.");

const QUARANTINED: Definition = Definition::gauge(
    "skillscope_files_quarantined",
    &[],
    "Files in the folder quarantine: damaged ones, and those that were on no list.",
);

const LOST: Definition =
    Definition::counter("skillscope_files_lost", &[], "Files that were given up because they are corrupt or gone.");

const EXPIRED: Definition = Definition::counter(
    "skillscope_files_expired",
    &[],
    "Files that left the archive because their segments are older than --retain allows.",
);

const BACKUPS: Definition =
    Definition::counter("skillscope_backups", &["outcome"], "Backups that were sent whole (done), or not (failed).");

const LAST_BACKUP: Definition = Definition::gauge(
    "skillscope_backup_last_success_timestamp",
    &[],
    "When the last backup was sent whole, since 1970. Absent before the first since the start.",
)
.in_seconds();

pub(super) fn add(all: &mut Exposition, statistics: &Statistics, held: &Holdings, counts: &StoreCounts) {
    let by_location = |memory: u64, disk: u64| [([word("memory")], memory.into()), ([word("disk")], disk.into())];
    all.single(&ACCOUNTS, held.accounts);
    all.single(&PARTITIONS, held.partitions);
    all.family(&SEGMENTS, by_location(held.segments_in_memory, held.segments_on_disk));
    all.single(&UNSEALED, held.unsealed_segments);
    all.family(&FILES, by_location(held.resident_files, held.other_files));
    all.single(&ARCHIVE, held.archive_bytes);
    all.single(&SEALING_PARTITIONS, held.sealing.hours);
    all.single(&SEALING_BYTES, held.sealing.bytes);
    all.single(&SEALING_SECONDS, held.sealing.longest.as_secs_f64());
    all.single(&SEALING, counts.sealing.seconds.clone());
    all.single(&SEALING_FAILURES, counts.sealing.failures);
    all.single(&COMPACTION_FILES, held.compaction.files);
    all.single(&COMPACTION_BYTES, held.compaction.bytes);
    all.single(&COMPACTION, counts.compaction.seconds.clone());
    all.single(&COMPACTION_FAILURES, counts.compaction.failures);
    all.single(&QUARANTINED, held.quarantined_files);
    all.single(&LOST, counts.files_lost);
    all.single(&EXPIRED, counts.files_expired);
    let backups = statistics.backups();
    all.family(&BACKUPS, [([word("done")], backups.done.into()), ([word("failed")], backups.failed.into())]);
    all.family(&LAST_BACKUP, backups.last.map(|seconds| ([], seconds.into())));
}
