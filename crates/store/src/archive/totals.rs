use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arrow::compute::concat_batches;
use skillscope_segment::normalize_encoding_to;

use super::parquet;
use crate::calendar::day_of;
use crate::totals::Totals;
use crate::{ArchiveFile, Result, Store};

/// Which files keep running totals of their rows, made when they are first asked for.
#[derive(Debug, Default)]
pub(crate) struct ArchivedTotals {
    keepers: Mutex<Keepers>,
    /// Goes up with each use.
    uses: AtomicU64,
}

#[derive(Debug, Default)]
struct Keepers {
    /// By the number of the file, with the memory that its totals take.
    files: HashMap<u64, (Weak<ArchiveFile>, usize)>,
    bytes: usize,
}

/// What a file knows of its totals. Whoever makes them holds the lock, so that nobody else makes the same ones.
#[derive(Debug, Default)]
pub(crate) struct KeptTotals {
    /// `None` before they were made; then `None` where there are none: its rows allow none, or could not be read.
    made: Mutex<Option<Option<Arc<Totals>>>>,
    last_use: AtomicU64,
}

/// Memory that the totals of a row take, about.
const ROW_BYTES: u64 = 15;

impl Store {
    /// Running totals of the rows of `files`; those of a file that turns out to be corrupt or gone are lost, and so are its
    /// rows. `None` where some rows allow no totals, or where together they would take more memory than there is for
    /// them: such files are read instead.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn archived_totals(&self, files: &[Arc<ArchiveFile>]) -> Result<Option<Vec<Arc<Totals>>>> {
        let since = self.options.hot_since();
        let cold = |file: &&Arc<ArchiveFile>| !is_hot(file, since);
        let expected = files.iter().filter(cold).map(|file| file.rows() * ROW_BYTES).fold(0, u64::saturating_add);
        if expected > self.options.totals_bytes {
            return Ok(None);
        }
        let (mut all, mut cold_bytes) = (Vec::with_capacity(files.len()), 0);
        for file in files {
            match self.totals_of(file) {
                Ok(Some(totals)) => {
                    cold_bytes += if cold(&file) { totals.bytes() as u64 } else { 0 };
                    all.push(totals);
                }
                Ok(None) => return Ok(None),
                Err(error) => self.lose(file, error)?,
            }
            // Rows of many skills take more than most.
            if cold_bytes > self.options.totals_bytes {
                return Ok(None);
            }
        }
        Ok(Some(all))
    }

    fn totals_of(&self, file: &Arc<ArchiveFile>) -> Result<Option<Arc<Totals>>> {
        let kept = file.kept_totals();
        kept.last_use.store(self.archived_totals.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        let mut made = kept.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(totals) = &*made {
            return Ok(totals.clone());
        }
        let totals = read(file)?.map(Arc::new);
        *made = Some(totals.clone());
        // Making room takes the locks of other files.
        drop(made);
        self.keep(file, totals.as_ref().map_or(0, |totals| totals.bytes()));
        Ok(totals)
    }

    /// Remembers that a file keeps totals, and lets those go that have not been used for longest, where there are too many.
    fn keep(&self, file: &Arc<ArchiveFile>, bytes: usize) {
        let since = self.options.hot_since();
        let mut keepers = self.archived_totals.keepers.lock().unwrap_or_else(PoisonError::into_inner);
        keepers.files.insert(file.record().number, (Arc::downgrade(file), bytes));
        keepers.bytes += bytes;
        if keepers.bytes as u64 <= self.options.totals_bytes {
            return;
        }
        keepers.prune();
        let mut cold: Vec<(u64, Arc<ArchiveFile>, usize)> = Vec::new();
        for (file, bytes) in keepers.files.values() {
            let file = file.upgrade().filter(|file| !is_hot(file, since));
            cold.extend(file.map(|file| (file.kept_totals().last_use.load(Ordering::Relaxed), file, *bytes)));
        }
        cold.sort_unstable_by_key(|(last_use, ..)| *last_use);
        let mut cold_bytes: usize = cold.iter().map(|(_, _, bytes)| bytes).sum();
        for (_, file, bytes) in cold {
            if cold_bytes as u64 <= self.options.totals_bytes {
                break;
            }
            // One that is being made is in nobody's way.
            let Ok(mut made) = file.kept_totals().made.try_lock() else { continue };
            *made = None;
            cold_bytes -= bytes;
            keepers.bytes -= bytes;
            keepers.files.remove(&file.record().number);
        }
    }

    /// Makes the totals of a file of the hot hours whose rows found no room in memory; tells whether there was one without.
    pub(crate) fn make_hot_totals(&self) -> Result<bool> {
        let since = self.options.hot_since();
        let snapshot = self.snapshot();
        let lacks = |file: &&Arc<ArchiveFile>| {
            // One that is being made has a maker already.
            is_hot(file, since) && file.kept_totals().made.try_lock().is_ok_and(|made| made.is_none())
        };
        let of_account =
            |account| snapshot.segments(account).map(|segments| segments.files.archived_since(day_of(since)));
        let Some(file) = snapshot.accounts().filter_map(of_account).flatten().find(lacks) else { return Ok(false) };
        if let Err(error) = self.totals_of(file) {
            tracing::warn!(file = %file.path().display(), %error, "running totals of a file could not be made");
            // Who needs it reads it, until the next start.
            *file.kept_totals().made.lock().unwrap_or_else(PoisonError::into_inner) = Some(None);
            self.lose(file, error)?;
        }
        Ok(true)
    }

    /// Memory that running totals take, in bytes: those of rows in memory, and those of files that were asked for.
    pub fn totals_bytes(&self) -> usize {
        let snapshot = self.snapshot();
        let of_rows = snapshot.all_partitions().flat_map(|partition| partition.totals()).flatten();
        let mut keepers = self.archived_totals.keepers.lock().unwrap_or_else(PoisonError::into_inner);
        keepers.prune();
        of_rows.map(|totals| totals.bytes()).sum::<usize>() + keepers.bytes
    }
}

impl Keepers {
    /// Forgets files that are gone, and their totals with them.
    fn prune(&mut self) {
        self.files.retain(|_, (file, _)| file.strong_count() > 0);
        self.bytes = self.files.values().map(|(_, bytes)| bytes).sum();
    }
}

/// Whether a file has rows of the hot hours, which begin at `since`.
fn is_hot(file: &ArchiveFile, since: i64) -> bool {
    file.record().last_hour >= since
}

fn read(file: &ArchiveFile) -> Result<Option<Totals>> {
    let batches = parquet::decode_columns(file.read()?, &Totals::COLUMNS)?;
    let Some(first) = batches.first() else { return Ok(None) };
    // Concatenating puts dictionaries one after the other; each value is kept once.
    let rows = normalize_encoding_to(&concat_batches(&first.schema(), &batches)?, first.schema())?;
    Ok(Totals::of(&rows))
}
