//! Compaction: small files of the archive are merged into one.

use std::sync::Arc;

use super::policy::compaction::{MergeCandidate, files_to_merge, merges_due};
use crate::archive::file::ArchiveFile;
use crate::archive::placing::place;
use crate::error::{Error, Result};
use crate::journal::change::JournalChange;
use crate::journal::file_record::FileRecord;
use crate::options::StoreOptions;
use crate::rows::run::{Run, concatenated};
use crate::shared::Shared;
use crate::snapshot::{AccountFiles, Snapshot};

/// Small files of one account and day on their way to becoming one.
///
/// ```text
/// begin   the files are chosen
/// write   their rows are sorted, written to staging/, synced, read back, and moved to archive/
/// finish  in one commit the new file joins the list and the old ones leave it; then these are removed
/// ```
///
/// Where it ends before the commit, the old files count, and at most a new file is left that is on no list. Where it
/// ends after the commit, at most old files are left that are known as retired.
#[derive(Debug)]
pub(crate) struct Compaction {
    files: Vec<Arc<ArchiveFile>>,
    /// The record of the new file, but for its length, checksum and time of writing.
    merged: FileRecord,
}

/// Merges files, from beginning to end; tells whether there were any.
pub(super) fn compact(shared: &Shared) -> Result<bool> {
    let Some(compaction) = Compaction::begin(shared) else { return Ok(false) };
    let job = shared.statistics().compaction.begin();
    let written = compaction.write(shared);
    compaction.finish(shared, written)?;
    job.done();
    Ok(true)
}

impl Compaction {
    /// Chooses files to merge.
    pub(crate) fn begin(shared: &Shared) -> Option<Self> {
        let files = chosen(shared)?;
        let mut merged = FileRecord::of_merged(files.iter().map(|file| file.record()))?;
        files.iter().for_each(|file| file.set_compacting(true));
        merged.number = shared.writer().number_file();
        Some(Self { files, merged })
    }

    pub(crate) fn write(&self, shared: &Shared) -> Result<FileRecord> {
        let mut batches = Vec::new();
        for file in &self.files {
            let rows = file.read_rows();
            match &rows {
                Err(error) if error.is_of_lost_file() => {
                    shared.writer().give_up(file, error)?;
                }
                // The others are merged without it.
                Err(_) => file.forbid_merging(),
                Ok(_) => {}
            }
            batches.extend(rows?);
        }
        let run = concatenated(&batches).and_then(|rows| Run::new(&rows));
        if run.is_err() {
            // Together they are too large after all.
            self.files.iter().for_each(|file| file.forbid_merging());
        }
        let record = FileRecord { written: shared.options().clock.now(), ..self.merged.clone() };
        let replaces: Vec<u64> = self.files.iter().map(|file| file.record().number).collect();
        place(shared.directory(), &run?.whole()?, &replaces, record)
    }

    pub(crate) fn finish(self, shared: &Shared, written: Result<FileRecord>) -> Result<()> {
        self.files.iter().for_each(|file| file.set_compacting(false));
        let record = written?;
        let file = Arc::new(ArchiveFile::new(record.clone(), shared.directory())?);
        let mut writer = shared.writer();
        let snapshot = writer.snapshot();
        let account = file.account();
        let files = snapshot.segments(account).map(|segments| &segments.files);
        let Some(files) = files.filter(|files| self.files.iter().all(|file| files.has(file))) else {
            // One was set aside meanwhile: the others are merged another time.
            return file.remove().map(drop).map_err(Error::io("remove", file.path()));
        };
        let is_resident = self.files.iter().all(|file| files.is_resident(file));
        if let Err(error) = writer.make_sound() {
            let _ = file.remove();
            return Err(error);
        }
        writer.commit_files(JournalChange { added: vec![record], ..JournalChange::default() }, &self.files)?;
        writer.publish(snapshot.with(account, |segments| {
            let files = segments.files_mut();
            self.files.iter().for_each(|file| files.remove(file));
            files.insert(Arc::clone(&file), is_resident);
        }));
        writer.remove_retired().map(drop)
    }
}

/// The files that are merged next, of the first account that has some.
fn chosen(shared: &Shared) -> Option<Vec<Arc<ArchiveFile>>> {
    let (hot, now) = (shared.options().hot(), shared.options().clock.now());
    let snapshot = shared.snapshot();
    snapshot.accounts().find_map(|account| {
        let files = &snapshot.segments(account)?.files;
        let numbers = files_to_merge(candidates(files), &hot, now)?;
        let is_chosen = |file: &&Arc<ArchiveFile>| numbers.contains(&file.record().number);
        Some(mergeable(files).map(|(file, _)| file).filter(is_chosen).cloned().collect())
    })
}

/// How many files are to be merged now, and how many bytes they have.
pub(crate) fn due(snapshot: &Snapshot, options: &StoreOptions) -> (u64, u64) {
    let (hot, now) = (options.hot(), options.clock.now());
    let of_accounts = snapshot.accounts().filter_map(|account| snapshot.segments(account));
    let due = of_accounts.flat_map(|segments| merges_due(candidates(&segments.files), &hot, now)).flatten();
    due.fold((0, 0), |(files, bytes), file| (files + 1, bytes + file.bytes))
}

fn mergeable(files: &AccountFiles) -> impl Iterator<Item = (&Arc<ArchiveFile>, bool)> {
    let resident = files.resident.values().map(|file| (file, true));
    let all = resident.chain(files.archived.values().map(|file| (file, false)));
    all.filter(|(file, _)| file.can_be_merged())
}

fn candidates(files: &AccountFiles) -> impl Iterator<Item = MergeCandidate<'_>> {
    mergeable(files).map(|(file, is_resident)| MergeCandidate { record: file.record(), is_resident })
}
