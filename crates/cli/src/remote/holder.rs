//! The server that has a data directory open, as commands find it that were told the directory alone.

use std::path::Path;

use anyhow::{Context, Result};
use skillscope_server::owner_secret;
use skillscope_store::{Error, LinkedCopy};

use super::server::RemoteServer;

/// How often a copy is tried. Files of the list may be merged away while they are linked, some a minute at most.
const TRIES: usize = 5;

impl RemoteServer {
    /// The server that has a data directory open, where that is the `error` of opening it. A line of the log says that
    /// it is asked instead.
    ///
    /// # Errors
    /// The same error, where it says something else; or that no server answers.
    pub(crate) fn that_has_open(data_dir: &Path, error: Error) -> Result<Self> {
        let Error::InUse { path, url: Some(url) } = error else { return Err(error.into()) };
        // A process that is no server may have the directory of one that was killed, and somebody else its port.
        let Some(secret) = owner_secret(data_dir)? else { return Err(Error::InUse { path, url: None }.into()) };
        let server = Self::on_this_machine(&url, &secret)?;
        tracing::info!("{} is open in the server at {}, which is asked", data_dir.display(), server.url());
        Ok(server)
    }

    /// A copy of this moment of the data directory, on this machine, that the server has open.
    pub(crate) fn linked_copy(&self, data_dir: &Path) -> Result<LinkedCopy> {
        let mut tries = 1;
        loop {
            let no_copy = || {
                let (path, url) = (data_dir.display(), self.url());
                format!("{path} is in use by the server at {url}, and no copy of this moment can be made for reading")
            };
            let copy = LinkedCopy::begin(data_dir).with_context(no_copy)?;
            match copy.fill(self.backup_without_archive()?) {
                Err(Error::Moved { .. }) if tries < TRIES => tries += 1,
                filled => return filled.with_context(no_copy).map(|()| copy),
            }
        }
    }
}
