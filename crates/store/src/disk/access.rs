//! Who may read the files of a data directory, and look into its folders: the owner alone, but for what the owner's group
//! may read.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

pub(crate) const FILE_OF_OWNER: u32 = 0o600;
pub(crate) const FOLDER_OF_OWNER: u32 = 0o700;

const FILE_OF_GROUP: u32 = 0o640;
const FOLDER_OF_GROUP: u32 = 0o750;

/// The folder itself, where the group may go on to a folder in it, and see nothing else.
const WAY_OF_GROUP: u32 = 0o710;

/// The bits that say who may do what. Above them are others, such as the one by which new files get a folder's group.
const EVERYBODY: u32 = 0o777;

/// The implementation of [`Disk::keep_to_owner`](super::Disk::keep_to_owner). Links are not followed: what stands
/// elsewhere is not the folder's.
pub(super) fn keep_to_owner(folder: &Path, shared: Option<&Path>) -> io::Result<usize> {
    // The folder may be reached by a link.
    let mode = if shared.is_some() { WAY_OF_GROUP } else { FOLDER_OF_OWNER };
    let mut outcome = Outcome::default();
    outcome.take(set_mode(folder, &folder.metadata()?, mode));
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, metadata) = (entry.path(), entry.metadata());
            let metadata = match metadata {
                // Somebody removed it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                metadata => metadata?,
            };
            let is_shared = shared.is_some_and(|shared| path.starts_with(shared));
            outcome.take(set_mode(&path, &metadata, mode_of(&metadata, is_shared)));
            if metadata.is_dir() {
                folders.push(path);
            }
        }
    }
    outcome.failed.map_or(Ok(outcome.were_open), Err)
}

#[derive(Default)]
struct Outcome {
    were_open: usize,
    failed: Option<io::Error>,
}

impl Outcome {
    fn take(&mut self, was_open: io::Result<bool>) {
        match was_open {
            Ok(was_open) => self.were_open += usize::from(was_open),
            Err(error) => self.failed = Some(error),
        }
    }
}

fn mode_of(metadata: &Metadata, is_shared: bool) -> u32 {
    match (metadata.is_dir(), is_shared) {
        (true, true) => FOLDER_OF_GROUP,
        (true, false) => FOLDER_OF_OWNER,
        (false, true) => FILE_OF_GROUP,
        (false, false) => FILE_OF_OWNER,
    }
}

/// Sets the permissions of a file or folder, and tells whether they let more people in before.
fn set_mode(path: &Path, metadata: &Metadata, mode: u32) -> io::Result<bool> {
    let before = metadata.permissions().mode();
    if metadata.is_symlink() || before & EVERYBODY == mode {
        return Ok(false);
    }
    fs::set_permissions(path, Permissions::from_mode(before & !EVERYBODY & 0o7777 | mode))?;
    Ok(before & EVERYBODY & !mode & !FOLDER_OF_OWNER != 0)
}

/// The implementation of [`Disk::open_to_group`](super::Disk::open_to_group).
pub(super) fn open_to_group(path: &Path) -> io::Result<()> {
    let metadata = path.metadata()?;
    set_mode(path, &metadata, mode_of(&metadata, true)).map(drop)
}
