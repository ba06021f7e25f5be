use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arrow::compute::concat_batches;
use skillscope_segment::conform_to;

use crate::totals::Totals;
use crate::{ArchiveFile, Result, Store, parquet_file};

/// Running totals of files whose rows are not in memory, made when they are first asked for.
#[derive(Debug, Default)]
pub(crate) struct ArchivedTotals {
    known: Mutex<Known>,
    /// Held by whoever makes totals: two that ask for the same file do not both read it.
    making: Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    /// By the number of the file.
    entries: HashMap<u64, Entry>,
    /// Goes up with each use.
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    file: Weak<ArchiveFile>,
    /// `None` where the file's rows allow none.
    totals: Option<Arc<Totals>>,
    last_use: u64,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.totals.as_ref().map_or(0, |totals| totals.bytes())
    }
}

/// Memory that the totals of a row take, about.
const ROW_BYTES: u64 = 15;

impl Store {
    /// Running totals of the rows of `files`, which must be [readable](Self::readable). `None` where some rows allow none,
    /// or where together they would take more memory than there is for them: such files are read instead.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn archived_totals(&self, files: &[Arc<ArchiveFile>]) -> Result<Option<Vec<Arc<Totals>>>> {
        let bytes = files.iter().map(|file| file.rows() * ROW_BYTES).fold(0, u64::saturating_add);
        if bytes > self.options.totals_bytes && !files.iter().all(|file| self.is_hot_file(file)) {
            return Ok(None);
        }
        let mut totals = Vec::with_capacity(files.len());
        for file in files {
            let Some(of_file) = self.totals_of(file)? else { return Ok(None) };
            totals.push(of_file);
        }
        Ok(Some(totals))
    }

    fn totals_of(&self, file: &Arc<ArchiveFile>) -> Result<Option<Arc<Totals>>> {
        let number = file.record().number;
        if let Some(totals) = self.archived_totals.known().get(number) {
            return Ok(totals);
        }
        let _only = self.archived_totals.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(totals) = self.archived_totals.known().get(number) {
            return Ok(totals);
        }
        let totals = read(file)?.map(Arc::new);
        let mut known = self.archived_totals.known();
        known.insert(file, totals.clone());
        known.make_room(self.options.totals_bytes, |file| self.is_hot_file(file));
        Ok(totals)
    }

    /// Makes the totals of a file of the hot hours whose rows found no room in memory; tells whether there was one without.
    pub(crate) fn make_hot_totals(&self) -> Result<bool> {
        let snapshot = self.snapshot();
        let is_known = |file: &ArchiveFile| self.archived_totals.known().entries.contains_key(&file.record().number);
        let mut archived = snapshot.accounts().flat_map(|account| snapshot.archived(account));
        let Some(file) = archived.find(|file| self.is_hot_file(file) && !is_known(file)) else { return Ok(false) };
        for file in self.readable(vec![Arc::clone(file)])? {
            self.totals_of(&file)?;
        }
        Ok(true)
    }

    /// Memory that running totals take, in bytes: those of rows in memory, and those of files that were asked for.
    pub fn totals_bytes(&self) -> usize {
        let snapshot = self.snapshot();
        let of_rows = snapshot.all_partitions().flat_map(|partition| partition.totals()).flatten();
        of_rows.map(|totals| totals.bytes()).sum::<usize>() + self.archived_totals.bytes()
    }

    fn is_hot_file(&self, file: &ArchiveFile) -> bool {
        file.record().hours().any(|hour| self.options.is_hot(hour))
    }
}

impl ArchivedTotals {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Memory that all of them take.
    fn bytes(&self) -> usize {
        self.known().entries.values().map(Entry::bytes).sum()
    }
}

impl Known {
    fn get(&mut self, number: u64) -> Option<Option<Arc<Totals>>> {
        self.uses += 1;
        let entry = self.entries.get_mut(&number)?;
        entry.last_use = self.uses;
        Some(entry.totals.clone())
    }

    fn insert(&mut self, file: &Arc<ArchiveFile>, totals: Option<Arc<Totals>>) {
        self.uses += 1;
        let entry = Entry { file: Arc::downgrade(file), totals, last_use: self.uses };
        self.entries.insert(file.record().number, entry);
    }

    /// Forgets files that are gone, and those that have not been used for longest while there is too much, but for hot ones.
    fn make_room(&mut self, most: u64, is_hot: impl Fn(&ArchiveFile) -> bool) {
        self.entries.retain(|_, entry| entry.file.strong_count() > 0);
        let mut bytes: usize = self.entries.values().map(Entry::bytes).sum();
        let mut by_use: Vec<(u64, u64)> =
            self.entries.iter().map(|(number, entry)| (entry.last_use, *number)).collect();
        by_use.sort_unstable();
        for (_, number) in by_use {
            if bytes as u64 <= most {
                break;
            }
            let Some(entry) = self.entries.get(&number) else { continue };
            if !entry.file.upgrade().is_some_and(|file| is_hot(&file)) {
                bytes -= entry.bytes();
                self.entries.remove(&number);
            }
        }
    }
}

fn read(file: &ArchiveFile) -> Result<Option<Totals>> {
    let batches = parquet_file::decode_columns(file.read()?, &Totals::COLUMNS)?;
    let Some(first) = batches.first() else { return Ok(None) };
    // Concatenating puts dictionaries one after the other; each value is kept once.
    let rows = conform_to(&concat_batches(&first.schema(), &batches)?, first.schema())?;
    Ok(Totals::of(&rows))
}
