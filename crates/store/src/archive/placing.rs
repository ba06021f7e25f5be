//! Writing a file, and moving it to its place in the archive, before it is on any list.

use std::path::Path;

use arrow::array::RecordBatch;

use super::file::checksum;
use super::parquet;
use crate::disk::directory::DataDirectory;
use crate::disk::{self, Disk};
use crate::error::{Error, Result};
use crate::journal::file_record::FileRecord;
use crate::journal::verified::{BlockChecksums, Verified};

/// Writes a file of the rows of `batch`, and completes its record. The file is whole, durable and has been read back
/// before it appears in the archive.
///
/// # Errors
/// No file is left then, unless removing it fails too: the next start sets it aside.
pub(crate) fn place(
    directory: &DataDirectory,
    batch: &RecordBatch,
    replaces: &[u64],
    mut record: FileRecord,
) -> Result<FileRecord> {
    let bytes = parquet::encode(batch, replaces)?;
    (record.bytes, record.checksum) = (bytes.len() as u64, checksum(&bytes));
    record.verified = Some(Verified { at: record.written, blocks: BlockChecksums::of(&bytes) });
    let disk = directory.disk().as_ref();
    let staged = directory.staging().join(format!("{}.parquet", record.number));
    let placed = directory.path().join(record.path());
    let written = write_and_verify(disk, &staged, &bytes, record.checksum)
        .and_then(|()| directory.share(&staged))
        .and_then(|()| move_into_place(directory, &staged, &placed));
    if let Err(error) = written {
        // Where this fails too, the next start removes it.
        let _ = disk.remove(&staged);
        unplace(directory, [&record]);
        return Err(error);
    }
    Ok(record)
}

/// Removes files of which no commit was ever tried. One that stays is set aside by the next start.
pub(crate) fn unplace<'r>(directory: &DataDirectory, records: impl IntoIterator<Item = &'r FileRecord>) {
    for record in records {
        let _ = directory.disk().remove(&directory.path().join(record.path()));
    }
}

fn write_and_verify(disk: &dyn Disk, path: &Path, bytes: &[u8], expected: u64) -> Result<()> {
    disk.write(path, bytes).map_err(Error::io("write", path))?;
    disk.sync(path).map_err(Error::io("sync", path))?;
    let back = disk::read(disk, path).map_err(Error::io("read back", path))?;
    if checksum(&back) == expected { Ok(()) } else { Err(Error::Corrupt { path: path.to_owned(), bytes: None }) }
}

/// Moves a finished file to its place in the archive, and makes the move itself durable.
fn move_into_place(directory: &DataDirectory, from: &Path, to: &Path) -> Result<()> {
    let (disk, Some(folder)) = (directory.disk(), to.parent()) else { return Ok(()) };
    disk.create_folder(folder).map_err(Error::io("create", folder))?;
    let folders = || folder.ancestors().take_while(|folder| *folder != directory.path());
    for folder in folders() {
        directory.share(folder)?;
    }
    disk.rename(from, to).map_err(Error::io("move into place", to))?;
    // The folder's own entry may be new as well, up to the archive.
    for folder in folders() {
        disk.sync_folder(folder).map_err(Error::io("sync", folder))?;
    }
    Ok(())
}
