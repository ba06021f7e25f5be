use std::collections::BTreeMap;
use std::sync::Arc;

use crate::calendar::{DAY_MS, HOUR_MS};
use crate::journal::change::Change;
use crate::journal::file_record::FileRecord;
use crate::rows::run::{MAX_RUN_ROWS, Run, concatenated};
use crate::{ArchiveFile, Error, Result, Store};

/// Files below this size are merged with others.
const SMALL_BYTES: u64 = 16 << 20;

/// As many small files are merged at once.
const MANY: usize = 4;

/// Fewer are merged once none has been written for so long.
const QUIET_MS: i64 = HOUR_MS;

/// Small files of one account and day on their way to becoming one.
///
/// ```text
/// begin   the files are chosen
/// write   their rows are sorted, written to staging/, synced, read back, and moved to archive/
/// finish  in one commit the new file joins the list and the old ones leave it; then these are removed
/// ```
///
/// Whatever ends it before the commit leaves the old files, and at most a file that no list knows; after the commit, at
/// most old files that are known as retired.
#[derive(Debug)]
pub(crate) struct Compaction {
    files: Vec<Arc<ArchiveFile>>,
    number: u64,
}

impl Store {
    /// Chooses files to merge. While some of a day is hot, only files of the same hour are.
    pub(crate) fn begin_compaction(&self) -> Option<Compaction> {
        let now = self.options.clock.now();
        let snapshot = self.snapshot();
        for account in snapshot.accounts() {
            let mut groups: BTreeMap<(i64, i64, bool), Vec<&Arc<ArchiveFile>>> = BTreeMap::new();
            let Some(segments) = snapshot.segments(account) else { continue };
            let resident = segments.files.resident.values().map(|file| (file, true));
            for (file, is_resident) in resident.chain(segments.files.archived.values().map(|file| (file, false))) {
                let record = file.record();
                let is_small =
                    file.can_be_merged() && record.bytes < SMALL_BYTES && record.rows < (MAX_RUN_ROWS / MANY) as u64;
                let hours = self.hours_merged(record);
                if let (true, Some((first, last))) = (is_small, hours) {
                    groups.entry((first, last, is_resident)).or_default().push(file);
                }
            }
            for files in groups.into_values() {
                let files = fitting(files);
                let newest = files.iter().map(|file| file.written()).max().unwrap_or(now);
                if files.len() >= MANY || (files.len() >= 2 && newest.saturating_add(QUIET_MS) <= now) {
                    files.iter().for_each(|file| file.set_compacting(true));
                    return Some(Compaction { files, number: self.writer().journal.number_file() });
                }
            }
        }
        None
    }

    /// The first and the last hour of those whose files a file may be merged with.
    fn hours_merged(&self, record: &FileRecord) -> Option<(i64, i64)> {
        let day = record.day();
        let last = day.saturating_add(DAY_MS - HOUR_MS);
        let is_over = last.saturating_add(HOUR_MS) <= self.options.clock.now();
        if is_over && !(day..=last).step_by(HOUR_MS as usize).any(|hour| self.options.is_hot(hour)) {
            Some((day, last))
        } else {
            (record.first_hour == record.last_hour).then_some((record.first_hour, record.last_hour))
        }
    }

    /// Merges files, from beginning to end; tells whether there were any.
    pub(crate) fn compact(&self) -> Result<bool> {
        let Some(compaction) = self.begin_compaction() else { return Ok(false) };
        let written = self.write_compaction(&compaction);
        self.finish_compaction(compaction, written)?;
        Ok(true)
    }

    pub(crate) fn write_compaction(&self, compaction: &Compaction) -> Result<FileRecord> {
        let mut batches = Vec::new();
        let mut record: Option<FileRecord> = None;
        for file in &compaction.files {
            let rows = file.read_rows();
            match &rows {
                Err(error) if error.is_of_lost_file() => {
                    self.give_up(&mut self.writer(), file, error)?;
                }
                // The others are merged without it.
                Err(_) => file.forbid_merging(),
                Ok(_) => {}
            }
            batches.extend(rows?);
            match &mut record {
                None => record = Some(file.record().clone()),
                Some(record) => record.absorb(file.record()),
            }
        }
        let run = concatenated(&batches).and_then(|rows| Run::new(&rows));
        if run.is_err() {
            // Together they are too large after all.
            compaction.files.iter().for_each(|file| file.forbid_merging());
        }
        let run = run?;
        let Some(mut record) = record else { return Err(Error::Interrupted) };
        (record.number, record.written) = (compaction.number, self.options.clock.now());
        let replaces: Vec<u64> = compaction.files.iter().map(|file| file.record().number).collect();
        self.write_file(&run, &replaces, record)
    }

    pub(crate) fn finish_compaction(&self, compaction: Compaction, written: Result<FileRecord>) -> Result<()> {
        compaction.files.iter().for_each(|file| file.set_compacting(false));
        let record = written?;
        let file = self.archive_file(record.clone())?;
        let mut writer = self.writer();
        let snapshot = self.snapshot();
        let account = file.account();
        let files = snapshot.segments(account).map(|segments| &segments.files);
        let Some(files) = files.filter(|files| compaction.files.iter().all(|file| files.has(file))) else {
            // One was set aside meanwhile: the others are merged another time.
            return file.remove().map(drop).map_err(Error::io("remove", file.path()));
        };
        let is_resident = compaction.files.iter().all(|file| files.is_resident(file));
        if let Err(error) = self.make_sound(&mut writer) {
            let _ = file.remove();
            return Err(error);
        }
        let change = Change { added: vec![record], ..Change::default() };
        self.commit_files(&mut writer, change, &compaction.files)?;
        self.publish(snapshot.with(account, |segments| {
            let files = segments.files_mut();
            compaction.files.iter().for_each(|file| files.remove(file));
            files.insert(Arc::clone(&file), is_resident);
        }));
        self.remove_retired(&mut writer).map(drop)
    }
}

/// As many of the files, the smallest first, as fit into one.
fn fitting(mut files: Vec<&Arc<ArchiveFile>>) -> Vec<Arc<ArchiveFile>> {
    files.sort_by_key(|file| file.rows());
    let mut room = MAX_RUN_ROWS as u64;
    let fits = |file: &&Arc<ArchiveFile>| {
        let fits = file.rows() <= room;
        room = room.saturating_sub(file.rows());
        fits
    };
    files.into_iter().take_while(fits).cloned().collect()
}
