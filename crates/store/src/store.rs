use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use skillscope_segment::SegmentRows;

use crate::archive::Archive;
use crate::directory::DataDirectory;
use crate::keys::{Admission, KeyIndex, Trial};
use crate::partition::cut;
use crate::{Ingested, Result, Snapshot};

/// The segments of one data directory. Readers take snapshots and never wait for a write to finish.
#[derive(Debug)]
pub struct Store {
    /// Held for its lock on the directory.
    _directory: DataDirectory,
    writer: Mutex<Writer>,
    published: RwLock<Arc<Snapshot>>,
}

#[derive(Debug)]
struct Writer {
    keys: KeyIndex,
    archive: Archive,
}

/// What became of the rows of a batch.
#[derive(Debug, Default)]
pub struct Appended {
    /// Rows that are stored now, and were not before.
    pub accepted: usize,
    /// Rows that were stored already.
    pub duplicates: usize,
    /// Rows that were refused: their key is stored with another end time.
    pub refused_count: usize,
    /// These rows, or the first of them where they are many.
    pub refused: Vec<RefusedRow>,
}

/// A row that was refused.
#[derive(Debug)]
pub struct RefusedRow {
    /// 0-based row in the batch.
    pub row: usize,
    /// Why, in plain words.
    pub reason: String,
}

impl Store {
    /// Opens the data directory at `path`, making it where there is none, and loads its segments.
    ///
    /// # Errors
    /// Where the directory is in use, is none of ours or of a newer format, or cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let directory = DataDirectory::open(path)?;
        let mut archive = Archive::new(&directory);
        let mut keys = KeyIndex::new();
        let mut runs = Vec::new();
        archive.load(|chunk| {
            let mut trial = keys.on_trial();
            runs.extend(cut(&Admitted::of(&chunk.batch, &mut trial)?.batch)?);
            trial.keep();
            Ok(())
        })?;
        let snapshot = Snapshot::default().extended(&runs)?;
        Ok(Self {
            _directory: directory,
            writer: Mutex::new(Writer { keys, archive }),
            published: RwLock::new(Arc::new(snapshot)),
        })
    }

    /// Stores the rows of `batch`, which is of [`skillscope_segment::schema`] and has been validated. Returns once
    /// they are on disk and every later [`snapshot`](Self::snapshot) has them.
    ///
    /// # Errors
    /// Where they cannot be written; nothing of the batch is stored then.
    pub fn append(&self, batch: &RecordBatch) -> Result<Appended> {
        // A writer that panicked has published nothing, and its keys went with its trial.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let Writer { keys, archive } = &mut *writer;
        let mut trial = keys.on_trial();
        let Admitted { batch, duplicates, refused_count, refused } = Admitted::of(batch, &mut trial)?;
        if batch.num_rows() > 0 {
            self.store(archive, &batch)?;
        }
        trial.keep();
        Ok(Appended { accepted: batch.num_rows(), duplicates, refused_count, refused })
    }

    fn store(&self, archive: &mut Archive, batch: &RecordBatch) -> Result<()> {
        let runs = cut(batch)?;
        // Whatever can fail comes before the files are in their place.
        let extended = Arc::new(self.snapshot().extended(&runs)?);
        archive.write(&runs)?;
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = extended;
        Ok(())
    }

    /// All segments stored so far.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.published.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The rows of a batch whose keys were new, and what became of the others.
struct Admitted {
    batch: RecordBatch,
    duplicates: usize,
    refused_count: usize,
    refused: Vec<RefusedRow>,
}

impl Admitted {
    fn of(batch: &RecordBatch, keys: &mut Trial<'_>) -> Result<Self> {
        let rows = SegmentRows::new(batch)?;
        let mut is_new = Vec::with_capacity(rows.len());
        let (mut duplicates, mut refused_count, mut refused) = (0, 0, Vec::new());
        for row in 0..rows.len() {
            let segment = rows.segment(row)?;
            let (index, end_time) = (segment.segment_index, segment.end_time);
            let admission = keys.admit(&segment.account_id, &segment.conversation_id, index, end_time);
            is_new.push(admission == Admission::New);
            match admission {
                Admission::New => {}
                Admission::Duplicate => duplicates += 1,
                Admission::Conflict { .. } if refused.len() >= Ingested::MOST_LISTED => refused_count += 1,
                Admission::Conflict { stored_end_time } => {
                    refused_count += 1;
                    let reason = format!(
                        "segment {index} of conversation {:?} is stored with end_time {stored_end_time}, not {end_time}: \
                         the first write of a segment counts",
                        segment.conversation_id
                    );
                    refused.push(RefusedRow { row, reason });
                }
            }
        }
        let batch = filter_record_batch(batch, &BooleanArray::from(is_new))?;
        Ok(Self { batch, duplicates, refused_count, refused })
    }
}
