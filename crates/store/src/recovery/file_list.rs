//! The list of archive files, compared with the files that are there, or made anew from them.

use std::collections::BTreeSet;
use std::path::Path;

use crate::archive::file::checksum;
use crate::archive::parquet;
use crate::disk;
use crate::disk::directory::DataDirectory;
use crate::error::{Error, Result};
use crate::journal::contents::Contents;
use crate::journal::file_record::FileRecord;
use crate::journal::verified::{BlockChecksums, Verified};
use crate::options::StoreOptions;
use crate::rows::run::cut;

/// No file of ours has such a number, even after a million a second for ten thousand years.
const MOST_FILES: u64 = 1 << 58;

/// Completes the list with the files in the archive. A file whose rows another one has taken over does not count.
pub(super) fn list_anew(directory: &DataDirectory, options: &StoreOptions, contents: &mut Contents) -> Result<()> {
    let path_of = |file: &FileRecord| directory.path().join(file.path());
    let listed: BTreeSet<_> = contents.files.iter().map(path_of).collect();
    let retired: BTreeSet<_> = contents.retired.iter().map(path_of).collect();
    let mut replaced = BTreeSet::new();
    for path in directory.archived_files()?.into_iter().filter(|path| !retired.contains(path)) {
        match record_of(directory, options, &path) {
            Ok((record, replaces)) => {
                replaced.extend(replaces);
                if !listed.contains(&path) {
                    tracing::warn!(file = %path.display(), "a file of the archive was put back on the list");
                    contents.files.push(record);
                }
            }
            Err(error @ Error::Io { .. }) => return Err(error),
            Err(error) => tracing::error!(file = %path.display(), %error, "a file of the archive is none of segments"),
        }
    }
    contents.files.retain(|file| !replaced.contains(&file.number));
    Ok(())
}

/// The line for a file that the list lacks, and the numbers of the files that it has replaced.
fn record_of(directory: &DataDirectory, options: &StoreOptions, path: &Path) -> Result<(FileRecord, Vec<u64>)> {
    let bytes = disk::read(options.disk.as_ref(), path).map_err(Error::io("read", path))?;
    let (length, checksum) = (bytes.len() as u64, checksum(&bytes));
    let verified = Verified { at: options.clock.now(), blocks: BlockChecksums::of(&bytes) };
    let (replaces, has_arrival_time) = (parquet::replaces(bytes.clone())?, parquet::has_arrival_time(&bytes)?);
    let mut record = None;
    for batch in parquet::decode(bytes)? {
        for cut in cut(&batch)? {
            let record = record.get_or_insert_with(|| FileRecord::empty(number_of(path), &cut));
            record.add(&cut);
        }
    }
    let misplaced = || Error::Corrupt { path: path.to_owned(), bytes: None };
    let mut record = record.ok_or_else(misplaced)?;
    (record.bytes, record.checksum, record.written) = (length, checksum, verified.at);
    (record.verified, record.has_arrival_time) = (Some(verified), has_arrival_time);
    if directory.path().join(record.path()) == path { Ok((record, replaces)) } else { Err(misplaced()) }
}

/// The number in `HH-N.parquet` or `HH-HH-N.parquet`, also where more follows it; 0 where the name has another form.
pub(super) fn number_of(path: &Path) -> u64 {
    let behind = path.file_name().and_then(|name| name.to_str()?.split('.').next()?.rsplit('-').next()?.parse().ok());
    behind.filter(|number| *number < MOST_FILES).unwrap_or(0)
}

/// Sets aside files that are on no list, and takes files off the list that are missing. A missing file that comes back
/// later is set aside then: its rows may have been delivered again meanwhile. Importing it adds the rows that were not.
pub(super) fn sort_out_files(directory: &DataDirectory, contents: &mut Contents) -> Result<()> {
    let known = contents.files.iter().chain(&contents.retired);
    let known: BTreeSet<_> = known.map(|file| directory.path().join(file.path())).collect();
    let present: BTreeSet<_> = directory.archived_files()?.into_iter().collect();
    for path in present.difference(&known) {
        let place = directory.set_aside(path)?;
        tracing::warn!(file = %path.display(), place = %place.display(), "a file that no list knows was set aside");
    }
    let (there, missing) = std::mem::take(&mut contents.files)
        .into_iter()
        .partition(|file| present.contains(&directory.path().join(file.path())));
    contents.files = there;
    for file in &missing {
        let file: &FileRecord = file;
        tracing::error!(file = %file.path().display(), rows = file.rows, "a file of the archive is missing; if it is found, import it");
    }
    Ok(())
}
