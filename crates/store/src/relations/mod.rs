//! Tables and views that people add beside the segments: the names of skills, say. The store keeps them, and does not
//! look into what a view asks.
//!
//! ```text
//! put, remove, rename ─▶ folder.rs  a file each, replaced whole ─▶ relations/… on disk
//!          │                                                          │ at a start
//!          └──▶ set.rs  all of one moment ◀────────────────────────────┘
//! ```

mod error;
mod folder;
mod name;
mod relation;
mod set;

use std::sync::Arc;

use parking_lot::Mutex;
use skillscope_segment::AccountId;

use crate::disk::Disk;
use crate::disk::directory::DataDirectory;
use crate::error::Result;
use crate::options::memory_share;
pub use error::RelationError;
use folder::Folder;
pub(crate) use folder::{check, path_of};
pub use name::RelationName;
pub use relation::{MAX_VIEW_BYTES, Relation, RelationKind};
pub use set::RelationSet;
use set::Room;

/// All tables and views together, with the texts of views, have this share of the memory, within bounds.
const MEMORY_PERCENT: u64 = 5;
const LEAST_BYTES: u64 = 64 << 20;
const MOST_BYTES: u64 = 256 << 20;

/// What happens where there is something of the name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfThere {
    /// It is replaced, if it is of the same kind.
    Replace,
    /// That is an error.
    Refuse,
}

/// The tables and views of a data directory. Readers take a set of one moment, and never wait.
#[derive(Debug)]
pub(crate) struct Relations {
    folder: Folder,
    room: Room,
    /// Held by whoever changes something.
    changing: Mutex<()>,
    current: Mutex<Arc<RelationSet>>,
}

impl Relations {
    /// Reads what the directory has. What is damaged is set aside. Changes are written to `disk`.
    ///
    /// # Errors
    /// Where the directory cannot be read.
    pub(crate) fn open(directory: &Arc<DataDirectory>, disk: Arc<dyn Disk>) -> Result<Self> {
        let bytes = memory_share(MEMORY_PERCENT).clamp(LEAST_BYTES, MOST_BYTES);
        let folder = Folder::new(Arc::clone(directory), disk);
        let current = Mutex::new(Arc::new(folder.read()?));
        Ok(Self { folder, room: Room { bytes }, changing: Mutex::default(), current })
    }

    /// All of this moment.
    pub(crate) fn latest(&self) -> Arc<RelationSet> {
        Arc::clone(&self.current.lock())
    }

    /// Keeps a table or a view. It is durable when this returns.
    ///
    /// # Errors
    /// [`RelationError`] where it may not be kept; where the disk fails, and the old one stays, or the new one has taken
    /// its place, which the next start may not find.
    pub(crate) fn put(&self, relation: Relation, if_there: IfThere) -> Result<()> {
        let _changing = self.changing.lock();
        self.put_beside(&self.latest(), relation, if_there)
    }

    /// Keeps a table or a view, where there is room for it beside all of `counted`.
    fn put_beside(&self, counted: &RelationSet, relation: Relation, if_there: IfThere) -> Result<()> {
        let set = self.latest();
        if let Some(known) = set.own(relation.owner(), relation.name()) {
            if if_there == IfThere::Refuse {
                return Err(RelationError::Exists { name: relation.name().clone() }.into());
            }
            known.check_kind(relation.kind())?;
        }
        self.room.check(counted, &relation)?;
        let staged = self.folder.stage(&relation)?;
        let relation = Arc::new(relation);
        self.folder.move_into_place(&staged, &relation)?;
        self.publish(set.with(Arc::clone(&relation)));
        self.folder.sync(&relation)
    }

    /// Removes the tables or views of these names, all of one kind: all of them at once, or none where one is not there.
    /// A crash in between may leave some of them.
    ///
    /// # Errors
    /// [`RelationError::Missing`], [`RelationError::WrongKind`]; or where the disk fails, and those are there again that
    /// it lets be there.
    pub(crate) fn remove(&self, owner: Option<&AccountId>, names: &[RelationName], kind: RelationKind) -> Result<()> {
        let _changing = self.changing.lock();
        self.remove_now(owner, names, kind)
    }

    fn remove_now(&self, owner: Option<&AccountId>, names: &[RelationName], kind: RelationKind) -> Result<()> {
        let set = self.latest();
        let known = |name: &RelationName| -> Result<Arc<Relation>> {
            let known = set.own(owner, name).ok_or_else(|| RelationError::Missing { kind, name: name.clone() })?;
            known.check_kind(kind)?;
            Ok(Arc::clone(known))
        };
        let removed = names.iter().map(known).collect::<Result<Vec<_>>>()?;
        for (done, relation) in removed.iter().enumerate() {
            if let Err(error) = self.folder.remove(relation) {
                let gone = removed.iter().take(done).filter(|relation| self.folder.put_back(relation).is_err());
                self.publish(set.without(owner, gone.map(|relation| relation.name())));
                return Err(error);
            }
        }
        self.publish(set.without(owner, names));
        removed.iter().try_for_each(|relation| self.folder.sync(relation))
    }

    /// Gives a table or view another name, which nothing may have. A crash in between may leave it with both.
    ///
    /// # Errors
    /// As [`remove`](Self::remove); [`RelationError::Exists`].
    pub(crate) fn rename(
        &self,
        owner: Option<&AccountId>,
        name: &RelationName,
        kind: Option<RelationKind>,
        to: RelationName,
    ) -> Result<()> {
        let _changing = self.changing.lock();
        let missing = || RelationError::Missing { kind: kind.unwrap_or(RelationKind::Table), name: name.clone() };
        let set = self.latest();
        let known = set.own(owner, name).cloned().ok_or_else(missing)?;
        if let Some(kind) = kind {
            known.check_kind(kind)?;
        }
        let names = std::slice::from_ref(name);
        self.put_beside(&set.without(owner, names), known.named(to), IfThere::Refuse)?;
        self.remove_now(owner, names, known.kind())
    }

    fn publish(&self, set: RelationSet) {
        *self.current.lock() = Arc::new(set);
    }
}
