//! Who may read the files of a data directory, and look into its folders: the owner alone, but for what the owner's
//! group may read.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::directory::STAGING;

pub(crate) const FILE_OF_OWNER: u32 = 0o600;
pub(crate) const FOLDER_OF_OWNER: u32 = 0o700;

const FILE_OF_GROUP: u32 = 0o640;
const FOLDER_OF_GROUP: u32 = 0o750;

/// The folder itself, where the group may go on to a folder in it, and see nothing else.
const WAY_OF_GROUP: u32 = 0o710;

/// The bits of a folder by which others than the owner go through it.
const WAY_OF_OTHERS: u32 = 0o011;

/// The bits that say who may do what. Above them are others, such as the one by which new files get a folder's group.
const EVERYBODY: u32 = 0o777;

/// The implementation of [`Disk::keep_to_owner`](super::Disk::keep_to_owner). Links are not followed: what stands
/// elsewhere is not the folder's.
pub(super) fn keep_to_owner(folder: &Path, shared: Option<&Path>) -> io::Result<usize> {
    let staging = folder.join(STAGING);
    let mut walk = Walk { shared, staging: &staging, folders: Vec::new(), were_open: 0, failed: None };
    // The folder may be reached by a link.
    let metadata = folder.metadata()?;
    let mode = if shared.is_some() { WAY_OF_GROUP } else { FOLDER_OF_OWNER };
    walk.visit(folder.to_owned(), &metadata, mode, true);
    while let Some((folder, is_way)) = walk.folders.pop() {
        if let Err(error) = walk.visit_all(&folder, is_way) {
            walk.fail(error);
        }
    }
    walk.failed.map_or(Ok(walk.were_open), Err)
}

/// A way through a folder and all that is in it.
struct Walk<'a> {
    shared: Option<&'a Path>,
    /// Where files of the archive may have a second name, for a reader. The first one says who may read them.
    staging: &'a Path,
    /// What was not looked into yet, and whether others could go there.
    folders: Vec<(PathBuf, bool)>,
    were_open: usize,
    failed: Option<io::Error>,
}

impl Walk<'_> {
    fn visit_all(&mut self, folder: &Path, is_way: bool) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            match entry.metadata() {
                Ok(metadata) if metadata.is_file() && metadata.nlink() > 1 && path.starts_with(self.staging) => {}
                Ok(metadata) => {
                    let is_shared = self.shared.is_some_and(|shared| path.starts_with(shared));
                    self.visit(path, &metadata, mode_of(&metadata, is_shared), is_way);
                }
                Err(error) => self.fail(error),
            }
        }
        Ok(())
    }

    /// Sets the permissions of a file or folder. They let nobody in who could not come so far (`is_way`).
    fn visit(&mut self, path: PathBuf, metadata: &Metadata, mode: u32, is_way: bool) {
        match set_mode(&path, metadata, mode) {
            Ok(was_open) => self.were_open += usize::from(was_open && is_way),
            Err(error) => self.fail(error),
        }
        if metadata.is_dir() {
            self.folders.push((path, is_way && metadata.permissions().mode() & WAY_OF_OTHERS != 0));
        }
    }

    fn fail(&mut self, error: io::Error) {
        // What somebody removed meanwhile lets nobody in.
        if error.kind() != io::ErrorKind::NotFound {
            self.failed = Some(error);
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
