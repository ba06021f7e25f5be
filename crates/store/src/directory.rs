use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The layout that this version writes.
const FORMAT_VERSION: u32 = 1;

const LOCK: &str = "lock";
const VERSION: &str = "format-version";
const NEW_VERSION: &str = "format-version.new";
const OURS_BEFORE_VERSION: [&str; 2] = [LOCK, NEW_VERSION];

/// A data directory, held by this process alone for as long as the value lives.
///
/// ```text
/// archive/          Parquet files, and nothing else: open to any reader
/// staging/          files being written; emptied at start
/// format-version    the layout's version, as text
/// lock              locked by the process that has the directory open
/// ```
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

impl DataDirectory {
    /// Opens `path`, or makes it where it does not exist or is empty.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let is_new = !path.join(VERSION).exists();
        fs::create_dir_all(path).map_err(Error::io("create", path))?;
        refuse_other_folders(path)?;
        let lock = acquire_lock(path)?;
        let directory = Self { path: path.to_owned(), _lock: lock };
        directory.check_version()?;
        directory.empty_staging()?;
        let archive = directory.archive();
        fs::create_dir_all(&archive).map_err(Error::io("create", archive))?;
        if is_new {
            directory.sync()?;
        }
        Ok(directory)
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.path.join("archive")
    }

    pub(crate) fn staging(&self) -> PathBuf {
        self.path.join("staging")
    }

    fn check_version(&self) -> Result<()> {
        let path = self.path.join(VERSION);
        if !path.exists() {
            return self.write_version(&path);
        }
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        match text.trim().parse::<u32>() {
            Ok(version) if version <= FORMAT_VERSION => Ok(()),
            _ => Err(Error::NewerFormat {
                path: self.path.clone(),
                found: text.trim().to_owned(),
                supported: FORMAT_VERSION,
            }),
        }
    }

    /// Complete or not at all, also where the power goes.
    fn write_version(&self, path: &Path) -> Result<()> {
        let new = self.path.join(NEW_VERSION);
        let mut file = File::create(&new).map_err(Error::io("create", &new))?;
        writeln!(file, "{FORMAT_VERSION}").map_err(Error::io("write", &new))?;
        file.sync_all().map_err(Error::io("sync", &new))?;
        fs::rename(&new, path).map_err(Error::io("move into place", path))
    }

    /// Makes the entries of the directory, and its own in the folder that it is in, durable.
    fn sync(&self) -> Result<()> {
        let path = fs::canonicalize(&self.path).map_err(Error::io("find", &self.path))?;
        for folder in path.ancestors().take(2) {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("sync", folder))?;
        }
        Ok(())
    }

    /// What stands in `staging/` was never acknowledged.
    fn empty_staging(&self) -> Result<()> {
        let staging = self.staging();
        if staging.exists() {
            fs::remove_dir_all(&staging).map_err(Error::io("empty", &staging))?;
        }
        fs::create_dir_all(&staging).map_err(Error::io("create", &staging))
    }
}

/// A mistyped `--data-dir` must not fill somebody's home with files.
fn refuse_other_folders(path: &Path) -> Result<()> {
    if path.join(VERSION).exists() {
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(Error::io("list", path))? {
        let entry = entry.map_err(Error::io("list", path))?;
        // A process that ended between its first steps has left no more than these.
        if !OURS_BEFORE_VERSION.iter().any(|name| entry.file_name() == OsStr::new(name)) {
            return Err(Error::NotADataDirectory { path: path.to_owned() });
        }
    }
    Ok(())
}

fn acquire_lock(path: &Path) -> Result<File> {
    let lock = path.join(LOCK);
    let file =
        File::options().create(true).truncate(false).write(true).open(&lock).map_err(Error::io("open", &lock))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(Error::Io { action: "lock", path: lock, source }),
    }
}
