//! The folder `relations/` of a data directory: a file for each table and view.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use skillscope_segment::AccountId;

use super::{Relation, RelationName, RelationSet};
use crate::disk::directory::{DataDirectory, RELATIONS};
use crate::disk::{self, Disk};
use crate::error::{Error, Result};

/// The folder of what is for all accounts. An account's is `account=` and its identifier.
const FOR_ALL: &str = "all";
const OF_ACCOUNT: &str = "account=";

/// Where the file of a table or view stands, below the data directory.
pub(crate) fn path_of(relation: &Relation) -> PathBuf {
    let folder = match relation.owner() {
        Some(account) => format!("{OF_ACCOUNT}{account}"),
        None => FOR_ALL.to_owned(),
    };
    Path::new(RELATIONS).join(folder).join(relation.name().of_file())
}

/// Whose file stands at a path below `relations/`, and its name.
fn owner_and_name(below: &Path) -> Option<(Option<AccountId>, RelationName)> {
    let (folder, file) = below.to_str()?.split_once('/')?;
    let owner = match folder.strip_prefix(OF_ACCOUNT) {
        Some(account) => Some(AccountId::parse(account).ok()?),
        None if folder == FOR_ALL => None,
        None => return None,
    };
    Some((owner, RelationName::from_file(file)?))
}

/// Reads the table or view whose file stands at `path`; `None` where it is damaged, or nobody's.
fn read(disk: &dyn Disk, root: &Path, path: &Path) -> Result<Option<Relation>> {
    let Some((owner, name)) = path.strip_prefix(root).ok().and_then(owner_and_name) else { return Ok(None) };
    let bytes = disk::read(disk, path).map_err(Error::io("read", path))?;
    Ok(Relation::decoded(owner, name, &bytes))
}

/// How many tables and views a directory has that are whole, and what is wrong with the others, in plain words.
pub(crate) fn check(directory: &DataDirectory) -> Result<(u64, Vec<String>)> {
    let (mut whole, mut problems) = (0, Vec::new());
    for path in directory.relation_files()? {
        match read(directory.disk().as_ref(), &directory.path().join(RELATIONS), &path)? {
            Some(_) => whole += 1,
            None => problems.push(format!(
                "{} is no table or view as it was written; the next start sets it aside",
                path.display()
            )),
        }
    }
    Ok((whole, problems))
}

/// The folder, which is read through the directory, and changed on a disk.
#[derive(Debug)]
pub(super) struct Folder {
    directory: Arc<DataDirectory>,
    disk: Arc<dyn Disk>,
    next: AtomicU64,
}

impl Folder {
    pub(super) fn new(directory: Arc<DataDirectory>, disk: Arc<dyn Disk>) -> Self {
        Self { directory, disk, next: AtomicU64::new(1) }
    }

    /// Reads everything. What cannot be read as it was written is set aside, and named in the log.
    pub(super) fn read(&self) -> Result<RelationSet> {
        let mut set = RelationSet::default();
        let root = self.directory.path().join(RELATIONS);
        for path in self.directory.relation_files()? {
            match read(self.directory.disk().as_ref(), &root, &path)? {
                Some(relation) => set.add(Arc::new(relation)),
                None => {
                    let place = self.directory.set_aside(&path)?;
                    tracing::error!(place = %place.display(), "a damaged table or view was set aside; add it again");
                }
            }
        }
        Ok(set)
    }

    /// Writes the file where nobody looks for it, and makes it durable.
    pub(super) fn stage(&self, relation: &Relation) -> Result<PathBuf> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let staged = self.directory.staging().join(format!("relation-{number}"));
        let bytes = relation.encoded()?;
        let written = self.disk.write(&staged, &bytes).map_err(Error::io("write", &staged));
        let written = written.and_then(|()| self.disk.sync(&staged).map_err(Error::io("sync", &staged)));
        if written.is_err() {
            // Where this fails, the next start removes it.
            let _ = self.disk.remove(&staged);
        }
        written.map(|()| staged)
    }

    /// Moves a staged file to its place, over the one that may be there.
    pub(super) fn move_into_place(&self, staged: &Path, relation: &Relation) -> Result<()> {
        let place = self.place(relation);
        let folder = place.parent().unwrap_or(&place);
        let moved = self.disk.create_folder(folder).map_err(Error::io("create", folder));
        let moved = moved.and_then(|()| self.disk.rename(staged, &place).map_err(Error::io("move into place", &place)));
        if moved.is_err() {
            let _ = self.disk.remove(staged);
        }
        moved
    }

    pub(super) fn remove(&self, relation: &Relation) -> Result<()> {
        let place = self.place(relation);
        self.disk.remove(&place).map_err(Error::io("remove", place))
    }

    /// Writes the file of what was removed once more.
    pub(super) fn put_back(&self, relation: &Relation) -> Result<()> {
        let staged = self.stage(relation)?;
        self.move_into_place(&staged, relation)?;
        self.sync(relation)
    }

    /// Makes durable what has become of the name of a file, and of the folders that it is in.
    pub(super) fn sync(&self, relation: &Relation) -> Result<()> {
        let place = self.place(relation);
        let folders: BTreeSet<&Path> = self.directory.folders_of(&place).collect();
        folders.into_iter().try_for_each(|folder| self.disk.sync_folder(folder).map_err(Error::io("sync", folder)))
    }

    fn place(&self, relation: &Relation) -> PathBuf {
        self.directory.path().join(path_of(relation))
    }
}
