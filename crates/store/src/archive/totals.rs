//! Running totals of rows that are in the archive alone.

use std::sync::{Arc, Weak};

use arrow::compute::concat_batches;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Weighter};
use skillscope_segment::normalize_encoding_to;

use super::bounded::bounded;
use super::file::ArchiveFile;
use super::parquet;
use crate::error::{Error, Result};
use crate::totals::Totals;

/// Memory that the totals of a row take, about.
const ROW_BYTES: u64 = 15;

/// Files of which totals are in memory, about.
const FILES: usize = 1 << 10;

/// Running totals of archive files, made when they are first asked for. Totals of the hot hours stay while these are
/// hot; of the other totals, as many stay as there is room for.
#[derive(Debug)]
pub(crate) struct ArchivedTotals {
    /// By the number of the file.
    kept: Cache<u64, Kept, ByBytes>,
    /// Memory for totals of files that are not hot.
    room: u64,
}

/// The totals of one file.
#[derive(Debug, Clone)]
struct Kept {
    file: Weak<ArchiveFile>,
    /// `None` where the rows allow none, or could not be read.
    totals: Option<Arc<Totals>>,
    is_hot: bool,
}

/// Weighs totals by their memory. Totals of hot files weigh nothing, and never make room for others.
#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<u64, Kept> for ByBytes {
    fn weight(&self, _file: &u64, kept: &Kept) -> u64 {
        if kept.is_hot { 0 } else { kept.bytes() }
    }
}

impl Kept {
    fn bytes(&self) -> u64 {
        self.totals.as_ref().map_or(0, |totals| totals.bytes() as u64)
    }
}

impl ArchivedTotals {
    /// Totals of files that are not hot take at most `room` bytes.
    pub(crate) fn new(room: u64) -> Self {
        let kept = Cache::with_options(
            bounded(FILES, room),
            ByBytes,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        );
        Self { kept, room }
    }

    /// The totals of all `files`; the hot hours begin at `since`. `None` where some rows allow no totals, or where the
    /// files that are not hot would take more memory together than there is for them. A file that cannot be read is
    /// given to `lose`, and passed over where that succeeds.
    pub(crate) fn of_all(
        &self,
        files: &[Arc<ArchiveFile>],
        since: i64,
        lose: impl Fn(&Arc<ArchiveFile>, Error) -> Result<()>,
    ) -> Result<Option<Vec<Arc<Totals>>>> {
        let cold = |file: &&Arc<ArchiveFile>| !is_hot(file, since);
        let expected = files.iter().filter(cold).map(|file| file.rows() * ROW_BYTES).fold(0, u64::saturating_add);
        if expected > self.room {
            return Ok(None);
        }
        let (mut all, mut cold_bytes) = (Vec::with_capacity(files.len()), 0);
        for file in files {
            match self.of(file, since) {
                Ok(Some(totals)) => {
                    cold_bytes += if cold(&file) { totals.bytes() as u64 } else { 0 };
                    all.push(totals);
                }
                Ok(None) => return Ok(None),
                Err(error) => lose(file, error)?,
            }
            // Totals take more than expected where rows are of many skills.
            if cold_bytes > self.room {
                return Ok(None);
            }
        }
        Ok(Some(all))
    }

    /// The totals of one file; `None` where there are none. Of several threads that ask, one makes them.
    pub(crate) fn of(&self, file: &Arc<ArchiveFile>, since: i64) -> Result<Option<Arc<Totals>>> {
        let (number, is_hot) = (file.record().number, is_hot(file, since));
        let kept = self.kept.get_or_insert_with(&number, || {
            let totals = read(file)?.map(Arc::new);
            let kept = Kept { file: Arc::downgrade(file), totals, is_hot };
            // A plain insertion counts as a first use. Without one, new totals would be the first to leave a full
            // cache.
            self.kept.insert(number, kept.clone());
            Ok::<_, Error>(kept)
        })?;
        Ok(kept.totals)
    }

    /// Whether nothing is known of a file's totals yet.
    pub(crate) fn lacks(&self, file: &ArchiveFile) -> bool {
        !self.kept.contains_key(&file.record().number)
    }

    /// Gives the totals of a file up until the next start. Readers read its rows instead.
    pub(crate) fn do_without(&self, file: &Arc<ArchiveFile>) {
        let kept = Kept { file: Arc::downgrade(file), totals: None, is_hot: true };
        self.kept.insert(file.record().number, kept);
    }

    /// Forgets the totals of files that are gone. Totals of files that are hot no longer weigh something from now on.
    pub(crate) fn tidy(&self, since: i64) {
        self.kept.retain(|_, kept| kept.file.strong_count() > 0);
        let cooled = |kept: &Kept| kept.is_hot && kept.file.upgrade().is_some_and(|file| !is_hot(&file, since));
        let cooled: Vec<_> = self.kept.iter().filter(|(_, kept)| cooled(kept)).collect();
        for (number, kept) in cooled {
            self.kept.insert(number, Kept { is_hot: false, ..kept });
        }
    }

    /// Memory that the totals of files take.
    pub(crate) fn bytes(&self) -> u64 {
        self.kept.retain(|_, kept| kept.file.strong_count() > 0);
        self.kept.iter().map(|(_, kept)| kept.bytes()).sum()
    }
}

/// Whether a file has rows of the hot hours, which begin at `since`.
pub(crate) fn is_hot(file: &ArchiveFile, since: i64) -> bool {
    file.record().last_hour >= since
}

fn read(file: &Arc<ArchiveFile>) -> Result<Option<Totals>> {
    let batches = parquet::decode_columns(file.read()?, &Totals::COLUMNS)?;
    let Some(first) = batches.first() else { return Ok(None) };
    // Concatenating puts dictionaries one after the other; each value is kept once.
    let rows = normalize_encoding_to(&concat_batches(&first.schema(), &batches)?, first.schema())?;
    Ok(Totals::of(&rows))
}
