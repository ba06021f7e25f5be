//! The data directory: its files, its lock, its version, and its quarantine.

use std::any::Any;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, NaiveDateTime, Utc};

use super::Disk;
use crate::error::{Error, Result};
use crate::linked_copy::remove_left_copy;

/// The layout that this version writes. Version 1 had no journal, version 2 no conversations in it, and version 3 neither
/// times of arrival of its rows nor conversations that an export told.
const FORMAT_VERSION: u32 = 4;

/// The oldest layout that is read, and becomes [`FORMAT_VERSION`] when it is opened.
const OLDEST_VERSION: u32 = 2;

pub(crate) const LOCK: &str = "lock";
pub(crate) const VERSION: &str = "format-version";
const NEW_VERSION: &str = "format-version.new";
pub(crate) const ARCHIVE: &str = "archive";
pub(crate) const STAGING: &str = "staging";
pub(crate) const QUARANTINE: &str = "quarantine";
const EXPIRED: &str = "expired";
const CLOCK: &str = "clock";
const NEW_CLOCK: &str = "clock.new";
const PROBE: &str = "probe";
pub(crate) const JOURNAL: &str = "journal.redb";
const SERVER: &str = "server";
pub(crate) const DEAD_LETTERS: &str = "dead-letters";
pub(crate) const RELATIONS: &str = "relations";
const OURS_BEFORE_VERSION: [&str; 2] = [LOCK, NEW_VERSION];

/// A data directory, held by this process alone for as long as the value lives.
///
/// ```text
/// archive/          Parquet files, and nothing else: open to any reader
/// journal.redb      rows that are not archived yet, the list of archive files, and the conversations that are followed
/// journal.commits   the number of the journal's last commit
/// dead-letters/     conversation events that could have no effect, as NDJSON, by the day on which they came
/// relations/        tables and views that somebody added
/// expired/          files whose rows are too old, by the hour in which that was found; removed a day later
/// quarantine/       damaged files, and files that were on no list; never removed
/// staging/          files being written, and copies that other processes read; emptied at start
/// format-version    the layout's version, as text
/// lock              locked by the process that has the directory open
/// clock             up to when time is known to have come, in milliseconds since the epoch, as text
/// server            where that process listens, as a URL
/// tokens…           who may enter the server; of the server alone, and no part of a backup
/// control           the socket by which the owner reaches the server; of the server alone
/// ```
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    /// Whether the owner's group may read the archive.
    is_archive_shared: bool,
    /// How many files were in `quarantine/` when that was last looked at.
    quarantined: AtomicU64,
    _lock: Lock,
}

type Lock = Box<dyn Any + Send + Sync>;

impl DataDirectory {
    pub(crate) fn is_one(path: &Path) -> bool {
        path.join(VERSION).is_file()
    }

    /// Opens `path`, or makes it where it does not exist or is empty. It is kept to its owner, but the archive is, if
    /// `is_archive_shared`, open to the owner's group; `None` leaves that as it is.
    pub(crate) fn open(path: &Path, disk: Arc<dyn Disk>, is_archive_shared: Option<bool>) -> Result<Self> {
        disk.create_folder(path).map_err(Error::io("create", path))?;
        let entries = disk.list(path).map_err(Error::io("list", path))?;
        let is_new = !entries.iter().any(|(entry, _)| is_named(entry, VERSION));
        // A mistyped --data-dir must not fill somebody's home with files. The files of ours that may be there are left
        // by a process that ended before it wrote the version.
        if is_new && !entries.iter().all(|(entry, _)| OURS_BEFORE_VERSION.iter().any(|name| is_named(entry, name))) {
            return Err(Error::NotADataDirectory { path: path.to_owned() });
        }
        let directory = Self { is_archive_shared: is_archive_shared == Some(true), ..Self::lock(path, disk)? };
        if is_new {
            directory.write_version()?
        } else if directory.check_version()? < FORMAT_VERSION {
            directory.write_version()?;
        }
        for folder in [ARCHIVE, QUARANTINE] {
            let folder = path.join(folder);
            directory.disk.create_folder(&folder).map_err(Error::io("create", folder))?;
        }
        if is_archive_shared.is_some() {
            directory.keep_to_owner(is_new);
        }
        directory.empty_staging()?;
        directory.forget_server()?;
        directory.sync()?;
        directory.count_quarantined()?;
        Ok(directory)
    }

    /// Opens `path`, where there must be a data directory, and changes nothing in it.
    pub(crate) fn open_to_read(path: &Path, disk: Arc<dyn Disk>) -> Result<Self> {
        let version = path.join(VERSION);
        match disk.open(&version) {
            // That somebody may not look into it does not mean that there is nothing.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(Error::io("open", version)(error));
            }
            Err(_) => return Err(Error::NoDataDirectory { path: path.to_owned() }),
            Ok(_) => {}
        }
        let lock = disk.lock_to_read(&path.join(LOCK));
        let directory = Self::locked(path, disk, lock)?;
        directory.check_version()?;
        Ok(directory)
    }

    fn lock(path: &Path, disk: Arc<dyn Disk>) -> Result<Self> {
        let lock = disk.lock(&path.join(LOCK));
        Self::locked(path, disk, lock)
    }

    fn locked(path: &Path, disk: Arc<dyn Disk>, lock: io::Result<Option<Lock>>) -> Result<Self> {
        let lock = lock.map_err(Error::io("lock", path.join(LOCK)))?;
        let Some(lock) = lock else {
            let url = super::read(disk.as_ref(), &path.join(SERVER)).ok();
            let url = url.and_then(|text| Some(std::str::from_utf8(&text).ok()?.trim().to_owned()));
            return Err(Error::InUse { path: path.to_owned(), url });
        };
        Ok(Self { path: path.to_owned(), disk, is_archive_shared: false, quarantined: AtomicU64::new(0), _lock: lock })
    }

    /// Closes what others may have been able to read so far. Where this process is not the owner, that is left to him.
    fn keep_to_owner(&self, is_new: bool) {
        let archive = self.archive();
        let path = self.path.display();
        match self.disk.keep_to_owner(&self.path, self.is_archive_shared.then_some(archive.as_path())) {
            // Nobody has written anything to a new one.
            Ok(count) if is_new || count == 0 => {}
            Ok(count) => tracing::warn!(
                "{count} files and folders in {path} were open to others, and are kept to their owner now; \
                 --archive-group-readable lets a group read the archive"
            ),
            Err(error) => tracing::warn!(%error, "not all of {path} can be kept to its owner"),
        }
    }

    /// Lets the owner's group read a file that is about to stand in the archive, or a folder of the archive, where it
    /// may read the archive at all.
    pub(crate) fn share(&self, path: &Path) -> Result<()> {
        if !self.is_archive_shared {
            return Ok(());
        }
        self.disk.open_to_group(path).map_err(Error::io("open to the group", path))
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

    /// The length of the journal.
    pub(crate) fn journal_bytes(&self) -> Result<u64> {
        let path = self.journal();
        self.disk.open(&path).and_then(|file| file.length()).map_err(Error::io("open", path))
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

    /// The time that was recorded last, where there is one that can be read.
    pub(crate) fn recorded_time(&self) -> Option<i64> {
        let bytes = super::read(self.disk.as_ref(), &self.path.join(CLOCK)).ok()?;
        std::str::from_utf8(&bytes).ok()?.trim().parse().ok()
    }

    /// Records what time it is, for the next start. It need not be durable: an older record makes that one careful.
    pub(crate) fn record_time(&self, now: i64) -> Result<()> {
        let (new, path) = (self.path.join(NEW_CLOCK), self.path.join(CLOCK));
        self.disk.write(&new, format!("{now}\n").as_bytes()).map_err(Error::io("write", &new))?;
        self.disk.rename(&new, &path).map_err(Error::io("move into place", path))
    }

    /// Tries whether the disk takes so many bytes.
    pub(crate) fn try_to_write(&self, bytes: usize) -> Result<()> {
        let path = self.staging().join(PROBE);
        let written = self.disk.write(&path, &vec![0; bytes]).map_err(Error::io("write", &path));
        let written = written.and_then(|()| self.disk.sync(&path).map_err(Error::io("sync", &path)));
        let removed = self.disk.remove(&path).map_err(Error::io("remove", path));
        written.and(removed)
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
        for (path, is_folder) in self.disk.list(&staging).map_err(Error::io("list", &staging))? {
            if is_folder {
                remove_left_copy(self.disk.as_ref(), &path);
                continue;
            }
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
        self.quarantined.fetch_add(1, Ordering::Relaxed);
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
        self.quarantined.fetch_add(1, Ordering::Relaxed);
        self.sync_folders_of(&place)?;
        Ok(place)
    }

    /// Makes a file's name durable, and the names of its folders in the data directory, which may be new.
    pub(crate) fn sync_folders_of(&self, file: &Path) -> Result<()> {
        for folder in self.folders_of(file) {
            self.disk.sync_folder(folder).map_err(Error::io("sync", folder))?;
        }
        Ok(())
    }

    /// The folders that a file of the data directory is in, up to the directory itself.
    pub(crate) fn folders_of<'p>(&'p self, file: &'p Path) -> impl Iterator<Item = &'p Path> {
        file.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.path))
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

    /// The place in `expired/` of a file whose rows were found to be too old at `since`; its folder exists.
    pub(crate) fn expired_place(&self, since: i64, below_archive: &Path) -> Result<PathBuf> {
        let place = self.path.join(EXPIRED).join(hour_name(since)).join(below_archive);
        if let Some(folder) = place.parent() {
            self.disk.create_folder(folder).map_err(Error::io("create", folder))?;
        }
        Ok(place)
    }

    /// Every file in `expired/`, in order of path.
    pub(crate) fn expired_files(&self) -> Result<Vec<PathBuf>> {
        self.files_below(EXPIRED)
    }

    /// The hour in which the rows of a file in `expired/` were found to be too old, and its path below that hour's
    /// folder; `None` for a file that somebody else put there.
    pub(crate) fn expired_at<'p>(&self, file: &'p Path) -> Option<(i64, &'p Path)> {
        let below = file.strip_prefix(self.path.join(EXPIRED)).ok()?;
        let hour = below.components().next()?.as_os_str();
        let since = NaiveDateTime::parse_from_str(&format!("{}:00", hour.to_str()?), "%Y-%m-%dT%H:%M").ok()?;
        Some((since.and_utc().timestamp_millis(), below.strip_prefix(hour).ok()?))
    }

    /// Removes a file below `expired/`, and its folders with their last file.
    pub(crate) fn remove_expired(&self, file: &Path) -> Result<()> {
        self.disk.remove(file).map_err(Error::io("remove", file))?;
        self.remove_empty_folders_of(file);
        Ok(())
    }

    /// Moves a file in `expired/` to the folder of another hour.
    pub(crate) fn move_expired(&self, file: &Path, since: i64, below_hour: &Path) -> Result<()> {
        let place = self.expired_place(since, below_hour)?;
        self.disk.rename(file, &place).map_err(Error::io("move away", file))?;
        self.remove_empty_folders_of(file);
        self.sync_folders_of(&place)
    }

    fn remove_empty_folders_of(&self, expired: &Path) {
        let root = self.path.join(EXPIRED);
        for folder in expired.ancestors().skip(1).take_while(|folder| *folder != root) {
            if self.disk.remove_empty_folder(folder).is_err() {
                break;
            }
        }
    }

    /// Every file under `archive/`, in order of path.
    pub(crate) fn archived_files(&self) -> Result<Vec<PathBuf>> {
        self.files_below(ARCHIVE)
    }

    /// Every file that was set aside, in order of path.
    pub(crate) fn quarantined_files(&self) -> Result<Vec<PathBuf>> {
        self.files_below(QUARANTINE)
    }

    /// Looks how many files are in `quarantine/`, from which an operator may take some.
    pub(crate) fn count_quarantined(&self) -> Result<()> {
        self.quarantined.store(self.quarantined_files()?.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// How many files are in `quarantine/`, as far as is known without looking.
    pub(crate) fn quarantined(&self) -> u64 {
        self.quarantined.load(Ordering::Relaxed)
    }

    /// Every file of dead letters, in order of name.
    pub(crate) fn dead_letter_files(&self) -> Result<Vec<PathBuf>> {
        self.files_below(DEAD_LETTERS)
    }

    /// Every file of a table or view that somebody added, in order of name.
    pub(crate) fn relation_files(&self) -> Result<Vec<PathBuf>> {
        self.files_below(RELATIONS)
    }

    fn files_below(&self, folder: &str) -> Result<Vec<PathBuf>> {
        files_below(self.disk.as_ref(), self.path.join(folder))
    }
}

/// Every file below a folder, in order of path; none where there is no such folder.
pub(crate) fn files_below(disk: &dyn Disk, folder: PathBuf) -> Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder]);
    while let Some(folder) = folders.pop() {
        let entries = match disk.list(&folder) {
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

/// The content of `format-version`.
pub(crate) fn version() -> String {
    format!("{FORMAT_VERSION}\n")
}

/// The name of the folder in `expired/` for what is found in the hour of a time.
fn hour_name(time: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(time).unwrap_or_default().format("%Y-%m-%dT%H").to_string()
}

fn is_named(path: &Path, name: &str) -> bool {
    path.file_name() == Some(OsStr::new(name))
}
