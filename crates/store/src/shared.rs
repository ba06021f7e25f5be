//! The state that reads, writes, backups and maintenance of a store share.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use crate::archive::file::ArchiveFile;
use crate::disk::directory::DataDirectory;
use crate::disk::health::DiskHealth;
use crate::error::{Error, Result};
use crate::feeds::Feeds;
use crate::moment::Moment;
use crate::options::StoreOptions;
use crate::relations::Relations;
use crate::snapshot::Snapshot;
use crate::statistics::Statistics;
use crate::time::Time;
use crate::writer::{Published, Writer};

/// The parts of a store that reads, writes, backups and maintenance share: the snapshot that was published last, and
/// the writer, which makes the next one.
#[derive(Debug)]
pub(crate) struct Shared {
    directory: Arc<DataDirectory>,
    options: StoreOptions,
    published: Arc<Published>,
    writer: Mutex<Writer>,
    health: DiskHealth,
    time: Time,
    statistics: Arc<Statistics>,
    relations: Relations,
    feeds: Arc<Feeds>,
}

impl Shared {
    pub(crate) fn new(
        directory: Arc<DataDirectory>,
        options: StoreOptions,
        writer: Writer,
        relations: Relations,
    ) -> Self {
        let published = writer.published();
        let time = Time::of(&directory, &options, &published.latest(), writer.arrivals());
        let health = DiskHealth::new(writer.is_sound());
        let (statistics, feeds) = (Arc::clone(writer.statistics()), Arc::clone(writer.feeds()));
        let now = options.clock.now();
        let watermarks = writer.segmenter().watermarks().map(|(_, time)| time).filter(|time| *time <= now);
        watermarks.for_each(|time| statistics.note_event(time));
        let writer = Mutex::new(writer);
        Self { directory, options, published, writer, health, time, statistics, relations, feeds }
    }

    pub(crate) fn directory(&self) -> &Arc<DataDirectory> {
        &self.directory
    }

    pub(crate) fn options(&self) -> &StoreOptions {
        &self.options
    }

    /// The tables and views that somebody added.
    pub(crate) fn relations(&self) -> &Relations {
        &self.relations
    }

    /// When something came last for each account.
    pub(crate) fn feeds(&self) -> &Feeds {
        &self.feeds
    }

    /// Whether the disk takes writes.
    pub(crate) fn health(&self) -> &DiskHealth {
        &self.health
    }

    /// What time it is, as far as the clock can be believed.
    pub(crate) fn time(&self) -> &Time {
        &self.time
    }

    /// What is counted of the store's work.
    pub(crate) fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The writer, unless others have it for as long as `patience`.
    pub(crate) fn writer_within(&self, patience: Duration) -> Option<MutexGuard<'_, Writer>> {
        self.writer.try_lock_for(patience)
    }

    /// All segments and all open conversations after the same commit.
    pub(crate) fn moment(&self) -> Moment {
        self.published.moment()
    }

    /// All segments stored so far.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.published.latest()
    }

    /// Waits until no other thread changes anything. A thread that panicked with the writer has published nothing, and
    /// its keys went with its trial.
    pub(crate) fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock()
    }

    /// The implementation of [`Store::readable`](crate::Store::readable).
    pub(crate) fn readable(&self, files: Vec<Arc<ArchiveFile>>) -> Result<Vec<Arc<ArchiveFile>>> {
        let mut readable = Vec::with_capacity(files.len());
        for file in files {
            match file.verify() {
                Ok(()) => readable.push(file),
                Err(error) => self.lose(&file, error)?,
            }
        }
        Ok(readable)
    }

    /// Gives a file up that could not be read because it is corrupt or gone. Where no rows could be made of it, it is
    /// given up only if its bytes are not what was written: a fault of this program must not cost a good file.
    ///
    /// # Errors
    /// `error` where the file is neither; or where it had left the list before.
    pub(crate) fn lose(&self, file: &Arc<ArchiveFile>, error: Error) -> Result<()> {
        let error = match error {
            lost if lost.is_of_lost_file() => lost,
            other if !other.is_of_file_content() => return Err(other),
            other => match file.compare() {
                Ok(()) => {
                    let file = file.path();
                    tracing::error!(error = %other, file = %file.display(), "the rows of a whole file cannot be read");
                    return Err(other);
                }
                Err(lost) if lost.is_of_lost_file() => lost,
                Err(unread) => return Err(unread),
            },
        };
        let is_listed = self.writer().give_up(file, &error)?;
        // A file that left the list earlier may have been merged: its rows are in another file then.
        if is_listed || file.is_given_up() { Ok(()) } else { Err(error) }
    }
}
