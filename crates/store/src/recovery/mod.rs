//! How a start repairs the data directory that the last process left, however it ended.
//!
//! | left behind | becomes |
//! | --- | --- |
//! | a file in `staging/` | removed: nothing of it was acknowledged |
//! | rows in the journal | rows in memory |
//! | conversations in the journal | followed on from where they were |
//! | a file of the list | rows in memory where its hours are hot, else read from disk when asked for |
//! | a retired file | removed: its rows are in another file; or moved to `expired/`, where it has expired |
//! | a file under `archive/` that no list knows | set aside: its rows are in the journal or in other files |
//! | a file of the list that is not there | off the list, and named |
//! | a file or journal entry whose checksum is wrong | named and set aside; everything else counts |
//! | a journal that cannot be read through | all that can be found counts; the list is made anew from the files |
//!
//! At the end the journal is written anew: the last process may not have synced all of its pages.

mod file_list;
mod rows;

use std::sync::Arc;

use arrow::array::RecordBatch;
use skillscope_segment::Segmenter;

use self::file_list::{list_anew, number_of, sort_out_files};
use self::rows::RecoveredRows;
use crate::archive::file::ArchiveFile;
use crate::disk::directory::DataDirectory;
use crate::error::{Error, Result};
use crate::feeds::Feeds;
use crate::journal::Journal;
use crate::journal::change::Entry;
use crate::journal::contents::Contents;
use crate::journal::file_record::FileRecord;
use crate::journal::value::decode_rows;
use crate::options::StoreOptions;
use crate::rows::keys::{KeyHasher, KeyIndex};
use crate::snapshot::Snapshot;
use crate::writer::{Recovered, Writer};

/// Of so many files on the list, some should be in the archive.
const MANY_FILES: usize = 10;

/// Repairs the directory and reads it.
pub(crate) fn recover(directory: &Arc<DataDirectory>, options: &StoreOptions, hasher: KeyHasher) -> Result<Writer> {
    let path = directory.journal();
    let (mut journal, mut contents) = Journal::open(Arc::clone(&options.disk), &path)?;
    let archived = directory.archived_files()?;
    // Without a journal there is no list of files either: it is made anew.
    contents.is_incomplete |= contents.is_missing && !archived.is_empty();
    keep_damaged(directory, &mut contents)?;
    for file in archived.iter().chain(&directory.quarantined_files()?).chain(&directory.expired_files()?) {
        journal.pass_over_file(number_of(file));
    }
    if contents.is_incomplete {
        list_anew(directory, options, &mut contents)?;
    } else if archived.is_empty() && contents.files.len() >= MANY_FILES {
        return Err(Error::ArchiveIsEmpty { path: directory.archive(), files: contents.files.len() });
    }
    sort_out_files(directory, &mut contents)?;
    let files = archive_files(directory, &contents.files)?;

    let segmenter = segmenter(options, &mut contents)?;
    let mut recovered_rows = RecoveredRows { options, hasher, keys: KeyIndex::new(), snapshot: Snapshot::default() };
    let rows = decode(directory, std::mem::take(&mut contents.entries))?;
    let rows = if contents.is_incomplete { recovered_rows.not_archived(rows, &files)? } else { rows };
    recovered_rows.take_rows(rows)?;
    let corrupt = recovered_rows.take_files(files);
    let RecoveredRows { keys, snapshot, .. } = recovered_rows;

    let retired = archive_files(directory, &contents.retired)?;
    let feeds = Feeds::found(&snapshot, &segmenter, &contents.arrivals, &options.clock);
    let recovered = Recovered { snapshot, keys, journal, segmenter, retired, feeds };
    let mut writer = Writer::new(Arc::clone(directory), options.clock.clone(), hasher, recovered);
    match writer.write_journal_anew() {
        // Retired files are removed by the first clean-up: now it is certain that they are retired.
        Ok(()) => set_corrupt_aside(directory, &corrupt)?,
        // Everything can be read; the next write tries again.
        Err(error) => tracing::error!(%error, "the journal could not be written anew"),
    }
    Ok(writer)
}

fn keep_damaged(directory: &DataDirectory, contents: &mut Contents) -> Result<()> {
    for (name, bytes) in std::mem::take(&mut contents.damaged) {
        let place = directory.keep_damaged(&format!("journal {name}"), &bytes)?;
        tracing::error!(%name, place = %place.display(), "this part of the journal is corrupt and was set aside");
    }
    if let Some(bytes) = contents.whole_file.take() {
        let place = directory.keep_damaged("journal.redb", &bytes)?;
        tracing::error!(place = %place.display(), "the damaged journal was kept");
    }
    Ok(())
}

fn set_corrupt_aside(directory: &DataDirectory, files: &[Arc<ArchiveFile>]) -> Result<()> {
    for file in files {
        let place = directory.set_aside(&directory.path().join(file.path()))?;
        tracing::error!(place = %place.display(), rows = file.rows(), "a corrupt file was set aside");
    }
    Ok(())
}

fn archive_files(directory: &DataDirectory, records: &[FileRecord]) -> Result<Vec<Arc<ArchiveFile>>> {
    records.iter().map(|record| Ok(Arc::new(ArchiveFile::new(record.clone(), directory)?))).collect()
}

/// The rows of the entries. One of which no rows can be made is set aside.
fn decode(directory: &DataDirectory, entries: Vec<Entry>) -> Result<Vec<RecordBatch>> {
    let mut rows = Vec::new();
    for entry in entries {
        match decode_rows(&entry.rows) {
            Ok(batches) => rows.extend(batches),
            Err(error) => {
                let place = directory.keep_damaged(&format!("journal entry {}", entry.number), &entry.rows)?;
                tracing::error!(%error, place = %place.display(), "an entry of the journal was set aside");
            }
        }
    }
    Ok(rows)
}

/// The conversations of the journal.
fn segmenter(options: &StoreOptions, contents: &mut Contents) -> Result<Segmenter> {
    let mut segmenter = Segmenter::new(options.event_wait_ms);
    let now = options.clock.steady();
    for (account, watermark) in &contents.watermarks {
        segmenter.restore_watermark(account, *watermark, now)?;
    }
    for (account, begun) in &contents.beginnings {
        segmenter.restore_beginning(account, *begun)?;
    }
    for (_, record) in std::mem::take(&mut contents.conversations) {
        segmenter.restore(&record.account, &record.conversation, record.state, now)?;
    }
    segmenter.finish_restoring();
    Ok(segmenter)
}
