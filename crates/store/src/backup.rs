//! A backup of a data directory while it is in use, as a tar archive, and unpacking one.

use std::fs::{self, DirBuilder, File};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use tar::{Builder, EntryType, Header};

use crate::archive::file::ArchiveFile;
use crate::disk::access::{FILE_OF_OWNER, FOLDER_OF_OWNER};
use crate::disk::directory::{self, DEAD_LETTERS, JOURNAL, VERSION};
use crate::disk::{self, Disk, DiskFile};
use crate::error::{Error, Result};
use crate::journal;
use crate::journal::change::{Counters, JournalChange};
use crate::journal::conversations::ConversationChanges;
use crate::journal::entries::entry;
use crate::relations::{RelationSet, path_of};
use crate::shared::Shared;

/// A data directory as it was at one moment, to be written elsewhere.
///
/// It is written as a tar archive, with the format version at its end: a copy that was cut short is no data directory.
#[derive(Debug)]
pub struct Backup {
    disk: Arc<dyn Disk>,
    /// A journal of that moment, removed with this value.
    journal: PathBuf,
    files: Vec<Arc<ArchiveFile>>,
    /// Files of dead letters, to which later ones may be added before they are copied.
    dead_letters: Vec<PathBuf>,
    relations: Arc<RelationSet>,
}

impl Backup {
    /// Notes what is stored now. Writes are held up only while the conversations that are followed are noted. With
    /// `verify`, files that were not read yet are compared with their checksums first.
    ///
    /// # Errors
    /// Where the copy of the journal cannot be written.
    pub(crate) fn of(shared: &Shared, verify: bool) -> Result<Self> {
        // Giving up a file that is lost puts its rows back in memory, so the snapshot is taken again.
        let (snapshot, conversations, arrivals, number, files) = loop {
            let (snapshot, conversations, arrivals, number) = {
                let mut writer = shared.writer();
                let conversations = ConversationChanges::whole(writer.segmenter()).detached()?;
                (writer.snapshot(), conversations, writer.feeds().arrivals(), writer.number_file())
            };
            let all: Vec<_> = snapshot.all_files().cloned().collect();
            let count = all.len();
            if !verify {
                break (snapshot, conversations, arrivals, number, all);
            }
            let files = shared.readable(all)?;
            if files.len() == count {
                break (snapshot, conversations, arrivals, number, files);
            }
        };
        let added = files.iter().map(|file| file.listed()).collect();
        let mut change = JournalChange { added, conversations, arrivals, ..JournalChange::default() };
        for partition in snapshot.all_partitions() {
            for run in partition.sealing().iter().chain(partition.open()) {
                let number = change.entries.len() as u64 + 1;
                change.entries.push(entry(partition.account().as_str(), partition.hour(), number, run)?);
            }
        }
        let directory = shared.directory();
        let dead_letters = directory.dead_letter_files()?;
        let journal = directory.staging().join(format!("backup-{number}.redb"));
        let (disk, relations) = (Arc::clone(directory.disk()), shared.relations().latest());
        let backup = Self { disk, journal, files, dead_letters, relations };
        let counters = Counters { next_file: number.saturating_add(1), commits: 1 };
        drop(journal::create(Arc::clone(&backup.disk), &backup.journal, change, counters, None)?);
        Ok(backup)
    }

    /// Writes the directory as a tar archive.
    ///
    /// # Errors
    /// Where a file cannot be read or `out` cannot be written to.
    pub fn write_to(&self, out: impl Write) -> Result<()> {
        self.write(out, &self.files)
    }

    /// Writes the directory without the files under `archive/`, for a [`LinkedCopy`](crate::LinkedCopy).
    ///
    /// # Errors
    /// Where a file cannot be read or `out` cannot be written to.
    pub fn write_without_archive_to(&self, out: impl Write) -> Result<()> {
        self.write(out, &[])
    }

    fn write(&self, out: impl Write, files: &[Arc<ArchiveFile>]) -> Result<()> {
        let mut archive = Builder::new(out);
        let journal = self.disk.open(&self.journal).map_err(Error::io("open", &self.journal))?;
        let length = journal.length().map_err(Error::io("read", &self.journal))?;
        add(&mut archive, Path::new(JOURNAL), length, Chunks { file: journal, offset: 0, length })?;
        for file in files {
            let bytes = file.read()?;
            add(&mut archive, &file.path(), file.bytes(), bytes.as_ref())?;
        }
        for path in &self.dead_letters {
            let bytes = disk::read(self.disk.as_ref(), path).map_err(Error::io("read", path))?;
            let name = Path::new(DEAD_LETTERS).join(path.file_name().unwrap_or_default());
            add(&mut archive, &name, bytes.len() as u64, bytes.as_ref())?;
        }
        for relation in self.relations.all() {
            let bytes = relation.encoded()?;
            add(&mut archive, &path_of(relation), bytes.len() as u64, bytes.as_slice())?;
        }
        let version = directory::version();
        add(&mut archive, Path::new(VERSION), version.len() as u64, version.as_bytes())?;
        archive.into_inner().and_then(|mut out| out.flush()).map_err(Error::Backup)
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        // Where this fails, the next start removes it.
        let _ = self.disk.remove(&self.journal);
    }
}

fn add(archive: &mut Builder<impl Write>, path: &Path, length: u64, bytes: impl Read) -> Result<()> {
    let mut header = Header::new_gnu();
    header.set_size(length);
    header.set_mode(FILE_OF_OWNER);
    archive.append_data(&mut header, path, bytes).map_err(Error::Backup)
}

/// A file, read piece by piece.
struct Chunks {
    file: Arc<dyn DiskFile>,
    offset: u64,
    length: u64,
}

impl Read for Chunks {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let length = left.min(out.len());
        let bytes = self.file.read_at(self.offset, length)?;
        for (to, from) in out.iter_mut().zip(&bytes) {
            *to = *from;
        }
        self.offset += length as u64;
        Ok(length)
    }
}

/// Writes the data directory in a [backup](Backup::write_to) to the folder `to`, which must be empty or missing. It is
/// complete and durable when this returns, and its owner alone can read it.
///
/// # Errors
/// [`Error::NotEmpty`] where something is in the folder, [`Error::Backup`] where the input is no backup or its end is
/// missing.
pub fn unpack_backup(backup: impl Read, to: &Path) -> Result<()> {
    create_folder(to)?;
    if fs::read_dir(to).map_err(Error::io("list", to))?.next().is_some() {
        return Err(Error::NotEmpty { path: to.to_owned() });
    }
    let mut archive = tar::Archive::new(BufReader::new(backup));
    let mut is_whole = false;
    for entry in archive.entries().map_err(Error::Backup)? {
        let mut entry = entry.map_err(Error::Backup)?;
        let path = entry.path().map_err(Error::Backup)?.into_owned();
        let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
        if is_whole || !is_inside || entry.header().entry_type() != EntryType::Regular {
            return Err(Error::Backup(io::Error::other(format!("{} does not belong in it", path.display()))));
        }
        is_whole = path == Path::new(VERSION);
        if is_whole {
            sync_folders(to)?;
        }
        write_new(&to.join(&path), &mut entry)?;
    }
    if !is_whole {
        return Err(Error::Backup(io::Error::other("its end is missing")));
    }
    sync_folders(to)?;
    let path = std::path::absolute(to).map_err(Error::io("find", to))?;
    let Some(folder) = path.parent() else { return Ok(()) };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("sync", folder))
}

fn write_new(path: &Path, content: &mut impl Read) -> Result<()> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    let mut options = File::options();
    let mut file =
        options.write(true).create_new(true).mode(FILE_OF_OWNER).open(path).map_err(Error::io("create", path))?;
    io::copy(content, &mut file).map_err(Error::Backup)?;
    file.sync_all().map_err(Error::io("sync", path))
}

fn create_folder(path: &Path) -> Result<()> {
    let created = DirBuilder::new().recursive(true).mode(FOLDER_OF_OWNER).create(path);
    created.map_err(Error::io("create", path))
}

/// Makes the names in a folder, and in all folders below it, durable.
fn sync_folders(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let path = entry.map_err(Error::io("list", folder))?.path();
        if path.is_dir() {
            sync_folders(&path)?;
        }
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("sync", folder))
}
