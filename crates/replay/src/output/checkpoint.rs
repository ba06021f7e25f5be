use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{beside, put, remove, sync_folder};
use crate::archive::SkippedFile;
use crate::{Error, Result};

/// How far a replay has come, kept beside its output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// Tells questions and archives apart: a replay goes on only where both are what they were.
    pub(crate) of: String,
    /// Instants whose reports are written.
    pub(crate) done: u64,
    /// Where the output goes on.
    pub(crate) position: u64,
    /// Files that were found to be corrupt on the way.
    pub(crate) skipped: Vec<SkippedFile>,
}

impl Checkpoint {
    pub(crate) fn start(of: String) -> Self {
        Self { of, done: 0, position: 0, skipped: Vec::new() }
    }

    /// The checkpoint beside an output; one that cannot be read is as none.
    pub(crate) fn load(output: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path(output)).ok()?).ok()
    }

    pub(crate) fn save(&self, output: &Path) -> Result<()> {
        let (path, new) = (path(output), beside(output, ".partial.json.new"));
        let write = || {
            let mut file = File::create(&new)?;
            serde_json::to_writer(&file, self)?;
            file.flush()?;
            file.sync_all()
        };
        write().map_err(Error::output(&new))?;
        put(&new, &path)
    }

    pub(crate) fn remove(output: &Path) -> Result<()> {
        remove(&path(output))?;
        sync_folder(output)
    }
}

fn path(output: &Path) -> PathBuf {
    beside(output, ".partial.json")
}
