//! The checkpoint of a replay: a file beside the output.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{beside, put, remove, sync_folder};
use crate::archive::SkippedFile;
use crate::{Error, Result};

/// How far a replay has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// The fingerprint of the question and the archive. A replay goes on only if both are the same.
    pub(crate) of: String,
    /// The number of instants whose reports are written.
    pub(crate) done: u64,
    /// The position in the output at which the next report is written.
    pub(crate) position: u64,
    /// The files that were left out so far because they are corrupt.
    pub(crate) skipped: Vec<SkippedFile>,
}

impl Checkpoint {
    pub(crate) fn start(of: String) -> Self {
        Self { of, done: 0, position: 0, skipped: Vec::new() }
    }

    /// The checkpoint beside an output; `None` if there is none that can be read.
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
