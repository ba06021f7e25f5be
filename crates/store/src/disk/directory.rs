//! The data directory: its files, its lock, its version, and its quarantine.

use std::any::Any;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Disk;
use crate::error::{Error, Result};

/// The layout that this version writes. Version 1 had no journal, and version 2 no conversations in it.
const FORMAT_VERSION: u32 = 3;

/// The oldest layout that is read, and becomes [`FORMAT_VERSION`] when it is opened.
const OLDEST_VERSION: u32 = 2;

const LOCK: &str = "lock";
pub(crate) const VERSION: &str = "format-version";
const NEW_VERSION: &str = "format-version.new";
const ARCHIVE: &str = "archive";
const STAGING: &str = "staging";
const QUARANTINE: &str = "quarantine";
pub(crate) const JOURNAL: &str = "journal.redb";
const SERVER: &str = "server";
pub(crate) const DEAD_LETTERS: &str = "dead-letters";
const OURS_BEFORE_VERSION: [&str; 2] = [LOCK, NEW_VERSION];

/// A data directory, held by this process alone for as long as the value lives.
///
/// ```text
/// archive/          Parquet files, and nothing else: open to any reader
/// journal.redb      rows that are not archived yet, the list of archive files, and the conversations that are followed
/// dead-letters/     conversation events that could have no effect, as NDJSON, by the day on which they came
/// quarantine/       damaged files, and files that were on no list; never removed
/// staging/          files being written; emptied at start
/// format-version    the layout's version, as text
/// lock              locked by the process that has the directory open
/// server            where that process listens, as a URL
/// ```
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    _lock: Box<dyn Any + Send + Sync>,
}

impl DataDirectory {
    pub(crate) fn is_one(path: &Path) -> bool {
        path.join(VERSION).is_file()
    }

    /// Opens `path`, or makes it where it does not exist or is empty.
    pub(crate) fn open(path: &Path, disk: Arc<dyn Disk>) -> Result<Self> {
        disk.create_folder(path).map_err(Error::io("create", path))?;
        let entries = disk.list(path).map_err(Error::io("list", path))?;
        let is_new = !entries.iter().any(|(entry, _)| is_named(entry, VERSION));
        // A mistyped --data-dir must not fill somebody's home with files. The files of ours that may be there are left
        // by a process that ended before it wrote the version.
        if is_new && !entries.iter().all(|(entry, _)| OURS_BEFORE_VERSION.iter().any(|name| is_named(entry, name))) {
            return Err(Error::NotADataDirectory { path: path.to_owned() });
        }
        let directory = Self::lock(path, disk)?;
        if is_new {
            directory.write_version()?
        } else if directory.check_version()? < FORMAT_VERSION {
            directory.write_version()?;
        }
        for folder in [ARCHIVE, QUARANTINE] {
            let folder = path.join(folder);
            directory.disk.create_folder(&folder).map_err(Error::io("create", folder))?;
        }
        directory.empty_staging()?;
        directory.forget_server()?;
        directory.sync()?;
        Ok(directory)
    }

    /// Opens `path`, where there must be a data directory, and changes nothing in it.
    pub(crate) fn open_to_read(path: &Path, disk: Arc<dyn Disk>) -> Result<Self> {
        if disk.open(&path.join(VERSION)).is_err() {
            return Err(Error::NoDataDirectory { path: path.to_owned() });
        }
        let directory = Self::lock(path, disk)?;
        directory.check_version()?;
        Ok(directory)
    }

    fn lock(path: &Path, disk: Arc<dyn Disk>) -> Result<Self> {
        let lock = disk.lock(&path.join(LOCK)).map_err(Error::io("lock", path.join(LOCK)))?;
        let Some(lock) = lock else {
            let url = super::read(disk.as_ref(), &path.join(SERVER)).ok();
            let url = url.and_then(|text| Some(std::str::from_utf8(&text).ok()?.trim().to_owned()));
            return Err(Error::InUse { path: path.to_owned(), url });
        };
        Ok(Self { path: path.to_owned(), disk, _lock: lock })
    }

    pub(crate) fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.path.join(ARCHIVE)
    }

    pub(crate) fn staging(&self) -> PathBuf {
        self.path.join(STAGING)
    }

    pub(crate) fn dead_letters(&self) -> PathBuf {
        self.path.join(DEAD_LETTERS)
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.path.join(JOURNAL)
    }

    /// Tells other processes where this one listens.
    pub(crate) fn announce(&self, url: &str) -> Result<()> {
        let path = self.path.join(SERVER);
        self.disk.write(&path, url.as_bytes()).map_err(Error::io("write", path))
    }

    fn forget_server(&self) -> Result<()> {
        let path = self.path.join(SERVER);
        match self.disk.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
            _ => Ok(()),
        }
    }

    /// The layout's version.
    fn check_version(&self) -> Result<u32> {
        let path = self.path.join(VERSION);
        let bytes = super::read(self.disk.as_ref(), &path).map_err(Error::io("read", &path))?;
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        match text.parse::<u32>() {
            Ok(found @ OLDEST_VERSION..=FORMAT_VERSION) => Ok(found),
            Ok(found) if found < OLDEST_VERSION => Err(Error::OlderFormat { path: self.path.clone(), found }),
            _ => Err(Error::NewerFormat { path: self.path.clone(), found: text, supported: FORMAT_VERSION }),
        }
    }

    /// Writes the version, whole or not at all, even where the power fails.
    fn write_version(&self) -> Result<()> {
        let (new, path) = (self.path.join(NEW_VERSION), self.path.join(VERSION));
        self.disk.write(&new, version().as_bytes()).map_err(Error::io("write", &new))?;
        self.disk.sync(&new).map_err(Error::io("sync", &new))?;
        self.disk.rename(&new, &path).map_err(Error::io("move into place", path))?;
        self.sync()
    }

    /// Makes the entries of the directory, and its own in the folder that it is in, durable.
    fn sync(&self) -> Result<()> {
        let path = std::path::absolute(&self.path).map_err(Error::io("find", &self.path))?;
        for folder in path.ancestors().take(2) {
            self.disk.sync_folder(folder).map_err(Error::io("sync", folder))?;
        }
        Ok(())
    }

    /// Removes all files in `staging/`: nothing in them was ever acknowledged.
    fn empty_staging(&self) -> Result<()> {
        let staging = self.staging();
        self.disk.create_folder(&staging).map_err(Error::io("create", &staging))?;
        for (path, _) in self.disk.list(&staging).map_err(Error::io("list", &staging))? {
            tracing::info!(file = %path.display(), "a file whose writing was interrupted is removed");
            self.disk.remove(&path).map_err(Error::io("remove", path))?;
        }
        Ok(())
    }

    /// Moves a file of the data directory to the same path below `quarantine/`, and tells where it is then.
    pub(crate) fn set_aside(&self, path: &Path) -> Result<PathBuf> {
        let relative = path.strip_prefix(&self.path).unwrap_or(path);
        let place = self.free_name(relative)?;
        self.disk.rename(path, &place).map_err(Error::io("set aside", path))?;
        self.sync_folders_of(&place)?;
        Ok(place)
    }

    /// Keeps bytes that cannot be read, under `name`.
    pub(crate) fn keep_damaged(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let name = name.replace(['/', ':'], "-");
        let (staged, place) = (self.staging().join(&name), self.free_name(Path::new(&name))?);
        self.disk.write(&staged, bytes).map_err(Error::io("write", &staged))?;
        self.disk.sync(&staged).map_err(Error::io("sync", &staged))?;
        self.disk.rename(&staged, &place).map_err(Error::io("move into place", &place))?;
        self.sync_folders_of(&place)?;
        Ok(place)
    }

    /// Makes a file's name durable, and the names of its folders below the data directory, which may be new.
    fn sync_folders_of(&self, file: &Path) -> Result<()> {
        for folder in file.ancestors().skip(1).take_while(|folder| *folder != self.path) {
            self.disk.sync_folder(folder).map_err(Error::io("sync", folder))?;
        }
        Ok(())
    }

    /// A path below `quarantine/` at which nothing stands; its folder exists.
    fn free_name(&self, relative: &Path) -> Result<PathBuf> {
        let place = self.path.join(QUARANTINE).join(relative);
        if let Some(folder) = place.parent() {
            self.disk.create_folder(folder).map_err(Error::io("create", folder))?;
        }
        let mut free = place.clone();
        let mut number = 1_u32;
        while self.disk.open(&free).is_ok() {
            let mut name = place.clone().into_os_string();
            name.push(format!(".{number}"));
            free = PathBuf::from(name);
            number += 1;
        }
        Ok(free)
    }

    /// Every file under `archive/`, in order of path.
    pub(crate) fn archived_files(&self) -> Result<Vec<PathBuf>> {
        self.files_below(ARCHIVE)
    }

    /// Every file that was set aside, in order of path.
    pub(crate) fn quarantined_files(&self) -> Result<Vec<PathBuf>> {
        self.files_below(QUARANTINE)
    }

    /// Every file of dead letters, in order of name.
    pub(crate) fn dead_letter_files(&self) -> Result<Vec<PathBuf>> {
        self.files_below(DEAD_LETTERS)
    }

    fn files_below(&self, folder: &str) -> Result<Vec<PathBuf>> {
        let (mut files, mut folders) = (Vec::new(), vec![self.path.join(folder)]);
        while let Some(folder) = folders.pop() {
            let entries = match self.disk.list(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries.map_err(Error::io("list", &folder))?,
            };
            for (path, is_folder) in entries {
                if is_folder { folders.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        Ok(files)
    }
}

/// The content of `format-version`.
pub(crate) fn version() -> String {
    format!("{FORMAT_VERSION}\n")
}

fn is_named(path: &Path, name: &str) -> bool {
    path.file_name() == Some(OsStr::new(name))
}
