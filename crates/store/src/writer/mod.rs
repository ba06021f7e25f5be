//! The one value through which everything that is stored changes. One thread has it at a time, while readers go on with
//! the snapshot that was published last.

pub(crate) mod arrivals;
mod files;
mod loss;
mod new_rows;

use std::sync::Arc;

use parking_lot::RwLock;
use skillscope_segment::Segmenter;

use self::arrivals::Arrivals;
use crate::archive::file::ArchiveFile;
use crate::clock::Clock;
use crate::disk::directory::DataDirectory;
use crate::error::Result;
use crate::feeds::Feeds;
use crate::journal::Journal;
use crate::journal::conversations::ConversationChanges;
use crate::journal::entries::whole_journal;
use crate::moment::Moment;
use crate::open::{OpenChange, OpenConversations, Places};
use crate::rows::keys::{KeyColumns, KeyHasher, KeyIndex};
use crate::rows::run::Run;
use crate::snapshot::Snapshot;
use crate::statistics::Statistics;

/// The latest snapshot, and what is open beside it. Anyone can read them, and only the [`Writer`] changes them.
#[derive(Debug)]
pub(crate) struct Published {
    snapshot: RwLock<Arc<Snapshot>>,
    /// Locked first where both change.
    open: RwLock<Arc<OpenConversations>>,
}

impl Published {
    fn new(snapshot: Snapshot, open: OpenConversations) -> Self {
        Self { snapshot: RwLock::new(Arc::new(snapshot)), open: RwLock::new(Arc::new(open)) }
    }

    pub(crate) fn latest(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.read())
    }

    /// All segments and all open conversations after the same commit.
    pub(crate) fn moment(&self) -> Moment {
        let open = self.open.read();
        Moment { snapshot: self.latest(), open: Arc::clone(&open) }
    }

    fn replace(&self, snapshot: Snapshot) {
        let new = Arc::new(snapshot);
        let old = std::mem::replace(&mut *self.snapshot.write(), new);
        // Memory of rows that no snapshot has any more is freed here, outside of the lock.
        drop(old);
    }

    /// Replaces the snapshot and changes what is open, at once.
    fn replace_with(&self, snapshot: Snapshot, change: impl FnOnce(&mut OpenConversations)) {
        let mut open = self.open.write();
        change(Arc::make_mut(&mut open));
        self.replace(snapshot);
    }
}

/// The journal, the keys in memory and the conversations, which change together with the published snapshot.
#[derive(Debug)]
pub(crate) struct Writer {
    directory: Arc<DataDirectory>,
    clock: Clock,
    hasher: KeyHasher,
    published: Arc<Published>,
    arrivals: Arc<Arrivals>,
    feeds: Arc<Feeds>,
    /// The keys of all rows in memory.
    keys: KeyIndex,
    journal: Journal,
    /// The conversations that are followed.
    segmenter: Segmenter,
    /// Where the ones that are open stand among those that are published.
    places: Places,
    /// Files that are in no snapshot any more, and may still be on disk.
    retired: Vec<Arc<ArchiveFile>>,
    /// Files that may be on the list on disk, since the commit that was to add them failed.
    doubtful: Vec<Arc<ArchiveFile>>,
}

/// The state that recovery found, from which a writer goes on.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) snapshot: Snapshot,
    pub(crate) keys: KeyIndex,
    pub(crate) journal: Journal,
    pub(crate) segmenter: Segmenter,
    pub(crate) retired: Vec<Arc<ArchiveFile>>,
    pub(crate) feeds: Feeds,
}

impl Writer {
    pub(crate) fn new(directory: Arc<DataDirectory>, clock: Clock, hasher: KeyHasher, recovered: Recovered) -> Self {
        let Recovered { snapshot, keys, journal, segmenter, retired, feeds } = recovered;
        let (mut places, mut open) = (Places::default(), OpenConversations::default());
        for (account, state) in segmenter.conversations().filter(|(_, state)| state.is_open()) {
            let (account, number, state) = (account.clone(), state.number(), Some(Arc::clone(state)));
            places.apply(&mut open, &[OpenChange { account, number, state }], |account, state, index| {
                keys.has(hasher.hash(account.as_str(), state.id(), index))
            });
        }
        let published = Arc::new(Published::new(snapshot, open));
        let (arrivals, feeds, doubtful) = (Arc::default(), Arc::new(feeds), Vec::new());
        Self {
            directory,
            clock,
            hasher,
            published,
            arrivals,
            feeds,
            keys,
            journal,
            segmenter,
            places,
            retired,
            doubtful,
        }
    }

    pub(crate) fn published(&self) -> Arc<Published> {
        Arc::clone(&self.published)
    }

    pub(crate) fn arrivals(&self) -> Arc<Arrivals> {
        Arc::clone(&self.arrivals)
    }

    pub(crate) fn feeds(&self) -> &Arc<Feeds> {
        &self.feeds
    }

    pub(crate) fn statistics(&self) -> &Arc<Statistics> {
        self.journal.statistics()
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.published.latest()
    }

    /// Makes `snapshot` the one that readers get.
    pub(crate) fn publish(&mut self, snapshot: Snapshot) {
        self.published.replace(snapshot);
    }

    /// Whether commits can be made; otherwise [`Self::make_sound`] comes first.
    pub(crate) fn is_sound(&self) -> bool {
        self.journal.is_sound()
    }

    /// Writes the journal anew after a failure, from all that was acknowledged, which is in memory.
    pub(crate) fn make_sound(&mut self) -> Result<()> {
        if self.is_sound() {
            return Ok(());
        }
        self.write_journal_anew()?;
        tracing::warn!("the journal was written anew after a failure; nothing acknowledged was lost");
        Ok(())
    }

    pub(crate) fn write_journal_anew(&mut self) -> Result<()> {
        let snapshot = self.snapshot();
        let mut change = whole_journal(snapshot.all_partitions(), &mut self.journal)?;
        change.added = snapshot.all_files().map(|file| file.listed()).collect();
        // Doubtful files do not count. They can be removed once no journal on disk lists them, and not before.
        let retired = self.retired.iter().chain(&self.doubtful);
        change.retired = retired.map(|file| file.retired_record()).collect();
        change.conversations = ConversationChanges::whole(&self.segmenter);
        change.arrivals = self.feeds.arrivals();
        self.journal.replace(change)?;
        self.retired.append(&mut self.doubtful);
        Ok(())
    }

    /// The number for the next file of the archive.
    pub(crate) fn number_file(&mut self) -> u64 {
        self.journal.number_file()
    }

    /// All entries of the journal so far have lower numbers.
    pub(crate) fn entry_boundary(&self) -> u64 {
        self.journal.boundary()
    }

    /// The keys of all rows in memory.
    pub(crate) fn keys(&self) -> &KeyIndex {
        &self.keys
    }

    /// Forgets the keys of rows that are in memory no longer.
    pub(crate) fn forget_keys<'r>(&mut self, runs: impl Iterator<Item = &'r Run>) -> Result<()> {
        for run in runs {
            for (account, conversation, index, end_time) in KeyColumns::new(&run.batch)?.rows() {
                self.keys.remove(self.hasher.hash(account, conversation, index), end_time);
            }
        }
        self.keys.shrink();
        Ok(())
    }

    pub(crate) fn segmenter(&self) -> &Segmenter {
        &self.segmenter
    }

    /// The conversations, to be changed on trial, and the keys by which their segments are found in memory.
    pub(crate) fn segmenter_and_keys(&mut self) -> (&mut Segmenter, &KeyIndex) {
        (&mut self.segmenter, &self.keys)
    }

    /// The files that are in no snapshot any more, and may still be on disk.
    #[cfg(test)]
    pub(crate) fn retired(&self) -> &[Arc<ArchiveFile>] {
        &self.retired
    }
}
