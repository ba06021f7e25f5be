//! The tokens of a data directory, in a file that its owner alone may read.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::AccessError;
use super::token::Token;

/// The names of the files. None is part of a backup: a copy of the data opens nothing.
const TOKENS: &str = "tokens";
const USES: &str = "token-uses";
const TIMESTAMPS: &str = "token-timestamps";
const LOCK: &str = "tokens.lock";

/// The layout of the file that this version writes.
const VERSION: u32 = 1;

const OF_OWNER: u32 = 0o600;

/// The files of a data directory that tell of its tokens.
#[derive(Debug, Clone)]
pub(super) struct TokenFile {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Contents {
    version: u32,
    tokens: Vec<Token>,
}

impl TokenFile {
    pub(super) fn in_directory(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The tokens; `None` where the directory has never had one.
    ///
    /// # Errors
    /// Where the file cannot be read, or is not what this version writes.
    pub(super) fn read(&self) -> Result<Option<Vec<Token>>, AccessError> {
        let path = self.folder.join(TOKENS);
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(AccessError::io("read", &path))?,
        };
        let damaged = |reason: String| AccessError::Damaged { path: path.clone(), reason };
        let contents: Contents = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if contents.version != VERSION {
            return Err(damaged(format!("it has version {}, and this program knows {VERSION}", contents.version)));
        }
        Ok(Some(contents.tokens))
    }

    /// Changes the tokens, one process at a time. The new ones are there wholly, or not at all.
    ///
    /// # Errors
    /// Those of [`read`](Self::read) and of `change`, and where the file cannot be written.
    pub(super) fn change<T>(
        &self,
        change: impl FnOnce(&mut Vec<Token>) -> Result<T, AccessError>,
    ) -> Result<T, AccessError> {
        let path = self.folder.join(LOCK);
        let lock = of_owner().open(&path).map_err(AccessError::io("open", &path))?;
        lock.lock().map_err(AccessError::io("lock", &path))?;
        let mut tokens = self.read()?.unwrap_or_default();
        let changed = change(&mut tokens)?;
        self.replace(TOKENS, &Contents { version: VERSION, tokens })?;
        Ok(changed)
    }

    /// When each token was used last, as far as that was written down.
    pub(super) fn uses(&self) -> BTreeMap<String, i64> {
        // It is told to people, and decides nothing.
        let bytes = fs::read(self.folder.join(USES)).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// # Errors
    /// Where it cannot be written.
    pub(super) fn write_uses(&self, uses: &BTreeMap<String, i64>) -> Result<(), AccessError> {
        self.replace(USES, uses)
    }

    /// The latest timestamp that each token has signed with, as far as that still matters.
    pub(super) fn timestamps(&self) -> BTreeMap<String, i64> {
        // Without them a server must start all the same. Requests of the last minutes could be sent again then.
        let bytes = fs::read(self.folder.join(TIMESTAMPS)).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// # Errors
    /// Where they cannot be written.
    pub(super) fn write_timestamps(&self, timestamps: &BTreeMap<String, i64>) -> Result<(), AccessError> {
        self.replace(TIMESTAMPS, timestamps)
    }

    fn replace(&self, name: &str, contents: &impl Serialize) -> Result<(), AccessError> {
        let (new, path) = (self.folder.join(format!("{name}.new")), self.folder.join(name));
        let text =
            serde_json::to_vec_pretty(contents).map_err(|error| AccessError::io("write", &path)(error.into()))?;
        write_durably(&new, &text).map_err(AccessError::io("write", &new))?;
        fs::rename(&new, &path).map_err(AccessError::io("move into place", &path))?;
        let folder = File::open(&self.folder).and_then(|folder| folder.sync_all());
        folder.map_err(AccessError::io("sync", &self.folder))
    }
}

/// Opens files for writing that their owner alone may read.
fn of_owner() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(OF_OWNER);
    options
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A file that was left by somebody else would keep its permissions.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = of_owner().open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::access::token::tests::wanted;

    #[test]
    fn tokens_are_kept_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = TokenFile::in_directory(folder.path());
        assert!(file.read().unwrap().is_none());
        let (token, secret) = Token::new(wanted("a"), 0).unwrap();
        file.change(|tokens| {
            tokens.push(token);
            Ok(())
        })
        .unwrap();
        file.write_uses(&BTreeMap::from([("id".to_owned(), 7)])).unwrap();
        assert_eq!(file.uses(), BTreeMap::from([("id".to_owned(), 7)]));
        assert_eq!(file.read().unwrap().unwrap().first().unwrap().name, "a");
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
            assert!(!fs::read_to_string(&path).unwrap().contains(secret.reveal()), "{path:?}");
        }
    }

    #[test]
    fn a_change_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = TokenFile::in_directory(folder.path());
        let (token, _) = Token::new(wanted("a"), 0).unwrap();
        let failed: Result<(), AccessError> = file.change(|tokens| {
            tokens.push(token);
            Err(AccessError::NoScope)
        });
        assert!(failed.is_err() && file.read().unwrap().is_none());
    }

    #[test]
    fn a_damaged_file_lets_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let file = TokenFile::in_directory(folder.path());
        for damaged in ["", "{", "[]", r#"{"version":2,"tokens":[]}"#, r#"{"version":1,"tokens":[{"name":"a"}]}"#] {
            fs::write(folder.path().join(TOKENS), damaged).unwrap();
            assert!(matches!(file.read(), Err(AccessError::Damaged { .. })), "{damaged:?}");
            assert!(file.change(|_| Ok(())).is_err(), "{damaged:?}");
        }
    }
}
