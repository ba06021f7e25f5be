//! Archives that commands read, also of a data directory that a server has open.

use anyhow::{Context, Result};
use skillscope_replay::{Archive, Error, Location};
use skillscope_store::LinkedCopy;

use crate::remote::RemoteServer;

/// Opens an archive. Where a server has it open, what is read is a copy of this moment, which goes when it is dropped.
pub(crate) async fn open(location: &Location, keep_going: bool) -> Result<(Archive, Option<LinkedCopy>)> {
    let (error, folder) = match (Archive::open(location.clone(), keep_going).await, location) {
        (Err(Error::Store(error)), Location::Folder(folder)) => (error, folder.clone()),
        (opened, _) => return Ok((opened?, None)),
    };
    let linked = move || RemoteServer::that_has_open(&folder, error)?.linked_copy(&folder);
    let copy = tokio::task::spawn_blocking(linked).await.context("the copy was not made")??;
    let archive = Archive::open_copy(location.clone(), &copy.path(), keep_going).await?;
    Ok((archive, Some(copy)))
}
