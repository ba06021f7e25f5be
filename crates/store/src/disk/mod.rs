//! All access to files goes through a [`Disk`]. The data directory knows the place of each file.

pub(crate) mod access;
pub(crate) mod directory;
pub(crate) mod health;
pub(crate) mod memory_file;
pub(crate) mod overlay;
pub(crate) mod unwritten_file;

use std::any::Any;
use std::fmt::Debug;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use self::access::{FILE_OF_OWNER, FOLDER_OF_OWNER};
use crate::error::{Error, Result};

/// Everything that the store does to files goes through here, so that a test can put its own disk below it: one that is
/// full, that fails, or that forgets writes that were not synced.
pub trait Disk: Debug + Send + Sync {
    /// Creates a folder and the folders above it, where they do not exist.
    ///
    /// # Errors
    /// The system's error, as with every function here.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// The paths of all files and folders in a folder, in order of name, and whether each is a folder.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] where there is no such folder.
    fn list(&self, path: &Path) -> io::Result<Vec<(PathBuf, bool)>>;

    /// Creates a file, or empties the one that is there, and writes `bytes` to it; they need not be durable.
    ///
    /// # Errors
    /// A part of the bytes may be there then.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Makes a file's content durable.
    ///
    /// # Errors
    /// Writes since the last success may or may not be durable then, and success at another try proves nothing.
    fn sync(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    ///
    /// # Errors
    /// As with [`sync`](Self::sync).
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// Moves a file, over the one that may be there.
    ///
    /// # Errors
    /// Nothing has moved then.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// The system's error.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Removes a folder if nothing is in it.
    ///
    /// # Errors
    /// Where something is.
    fn remove_empty_folder(&self, path: &Path) -> io::Result<()>;

    /// Opens a file for reading. It can be read to the end of the value's life, also if it is removed meanwhile.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] where there is no such file.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Takes the lock that a file stands for, until the value is dropped; `None` where another process has it.
    ///
    /// # Errors
    /// The system's error.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Any + Send + Sync>>>;

    /// Takes a lock as [`lock`](Self::lock) does, where nothing is written: also on a disk that lets nobody write.
    ///
    /// # Errors
    /// The system's error.
    fn lock_to_read(&self, path: &Path) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
        self.lock(path)
    }

    /// Opens a file for reading and writing in place; an empty one where there is none.
    ///
    /// # Errors
    /// The system's error.
    fn open_in_place(&self, path: &Path) -> io::Result<Box<dyn InPlaceFile>>;

    /// Keeps a folder, and everything in it, to its owner; but the owner's group may read what stands at `shared` and
    /// below. Tells how many files and folders had been open to others. A disk without owners has nothing to do.
    ///
    /// # Errors
    /// Where a file or folder stays as it is; the others are kept to the owner all the same.
    fn keep_to_owner(&self, _folder: &Path, _shared: Option<&Path>) -> io::Result<usize> {
        Ok(0)
    }

    /// Lets the owner's group read a file, or look into a folder. A disk without owners has nothing to do.
    ///
    /// # Errors
    /// The system's error.
    fn open_to_group(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is open for reading.
pub trait DiskFile: Debug + Send + Sync {
    /// Its length in bytes.
    ///
    /// # Errors
    /// The system's error.
    fn length(&self) -> io::Result<u64>;

    /// `length` bytes from `offset` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] where there are fewer.
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes>;
}

/// A file that is open for reading and writing in place.
pub trait InPlaceFile: DiskFile {
    /// Writes `bytes` at `offset`, within the file's length.
    ///
    /// # Errors
    /// A part of the bytes may be there then.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file, or makes it longer with zeros.
    ///
    /// # Errors
    /// The system's error.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Makes the content durable.
    ///
    /// # Errors
    /// As with [`Disk::sync`].
    fn sync(&self) -> io::Result<()>;
}

/// Reads a file whole.
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> io::Result<Bytes> {
    let file = disk.open(path)?;
    let length = usize::try_from(file.length()?).map_err(io::Error::other)?;
    file.read_at(0, length)
}

/// Makes the names in a folder durable or, where the folder is gone, the names in the nearest one above it.
pub(crate) fn sync_nearest_folder(disk: &dyn Disk, folder: &Path) -> Result<()> {
    for folder in folder.ancestors() {
        match disk.sync_folder(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            synced => return synced.map_err(Error::io("sync", folder)),
        }
    }
    Ok(())
}

/// The machine's own files.
#[derive(Debug, Clone, Copy)]
pub struct LocalDisk;

impl Disk for LocalDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(FOLDER_OF_OWNER).create(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            entries.push((entry.path(), entry.file_type()?.is_dir()));
        }
        entries.sort();
        Ok(entries)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        File::options().write(true).create(true).truncate(true).mode(FILE_OF_OWNER).open(path)?.write_all(bytes)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_empty_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(File::open(path)?))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
        locked(File::options().create(true).truncate(false).write(true).mode(FILE_OF_OWNER).open(path)?)
    }

    fn lock_to_read(&self, path: &Path) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
        match self.lock(path) {
            Err(error) if lets_nobody_write(&error) => match File::open(path) {
                // Nobody else has it, and nobody can make it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(Box::new(()))),
                file => locked(file?),
            },
            locked => locked,
        }
    }

    fn open_in_place(&self, path: &Path) -> io::Result<Box<dyn InPlaceFile>> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(FILE_OF_OWNER);
        Ok(Box::new(options.open(path)?))
    }

    fn keep_to_owner(&self, folder: &Path, shared: Option<&Path>) -> io::Result<usize> {
        access::keep_to_owner(folder, shared)
    }

    fn open_to_group(&self, path: &Path) -> io::Result<()> {
        access::open_to_group(path)
    }
}

fn lets_nobody_write(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}

fn locked(file: File) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
    match file.try_lock() {
        Ok(()) => Ok(Some(Box::new(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

impl DiskFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let mut bytes = vec![0; length];
        self.read_exact_at(&mut bytes, offset)?;
        Ok(bytes.into())
    }
}

impl InPlaceFile for File {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
