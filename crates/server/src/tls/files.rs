//! The two files of a certificate, and whether they have changed.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::TlsError;

/// Long chains take some kilobytes.
const MOST_BYTES: u64 = 1 << 20;

/// Where a certificate and its key are.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// What is known of a file without reading it: where its bytes are, how many they are, and when they changed. A link
/// that leads somewhere else changes it, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileState([i64; 7]);

impl Files {
    /// What is known of both; `None` for what is no file, or cannot be found.
    pub(super) fn state(&self) -> [Option<FileState>; 2] {
        [&self.certificate, &self.key].map(|path| FileState::of(path))
    }

    /// Whether everybody on this machine may read the key.
    pub(super) fn is_key_open(&self) -> bool {
        fs::metadata(&self.key).is_ok_and(|file| file.mode() & 0o004 != 0)
    }
}

impl FileState {
    fn of(path: &Path) -> Option<Self> {
        // Others, such as pipes, are read when somebody says so.
        let file = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        let whole = |number: u64| i64::from_ne_bytes(number.to_ne_bytes());
        let place = [whole(file.dev()), whole(file.ino()), whole(file.size())];
        let [device, node, size] = place;
        Some(Self([device, node, size, file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()]))
    }
}

/// All bytes of a file, unless it is too long.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |source| TlsError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(TlsError::TooLong { path: path.to_owned(), most: MOST_BYTES });
    }
    Ok(bytes)
}
