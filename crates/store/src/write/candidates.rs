//! Which rows of a batch are new, by their keys in memory and in the archive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use skillscope_segment::normalize_encoding;

use super::appended::{Appended, RefusedRow};
use super::contradictions::{Contradictions, FirstRows};
use crate::archive::file::ArchiveFile;
use crate::archive::keys::{ArchivedKeys, Sought};
use crate::calendar::hour_of;
use crate::error::Result;
use crate::rows::keys::{Admission, Key, KeyColumns, KeyHash, KeyHasher, Trial};
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::writer::Writer;

/// Rows that are to be stored. The archive is searched for their keys beforehand, while others write.
#[derive(Debug, Clone)]
pub(crate) struct Candidates {
    batch: RecordBatch,
    hashes: Vec<KeyHash>,
    end_times: Vec<i64>,
    /// Rows whose keys are in archive files, with the end time stored there.
    hits: BTreeMap<usize, i64>,
    /// The numbers of the files that were looked at.
    looked_at: BTreeSet<u64>,
}

impl Candidates {
    /// Rows for whose keys the archive has not been searched.
    pub(crate) fn not_sought(batch: &RecordBatch, hasher: KeyHasher) -> Result<Self> {
        let batch = normalize_encoding(batch)?;
        let rows = KeyColumns::new(&batch)?;
        let key = |(account, conversation, index, end_time): (&str, &str, u32, i64)| {
            (hasher.hash(account, conversation, index), end_time)
        };
        let (hashes, end_times) = rows.rows().map(key).unzip();
        let (hits, looked_at) = (BTreeMap::new(), BTreeSet::new());
        Ok(Self { batch: batch.clone(), hashes, end_times, hits, looked_at })
    }

    pub(crate) fn new(
        batch: &RecordBatch,
        hasher: KeyHasher,
        archived_keys: &ArchivedKeys,
        shared: &Shared,
    ) -> Result<Self> {
        let mut candidates = Self::not_sought(batch, hasher)?;
        let files = candidates.files(&shared.snapshot())?;
        for (file, rows) in files {
            candidates.looked_at.insert(file.record().number);
            let hits = match archived_keys.find(&file, &candidates.sought(&rows)?) {
                Err(error) if error.is_of_lost_file() => {
                    shared.writer().give_up(&file, &error)?;
                    continue;
                }
                found => found?,
            };
            note(&mut candidates.hits, hits, &candidates.end_times);
        }
        Ok(candidates)
    }

    pub(crate) fn rows(&self) -> usize {
        self.hashes.len()
    }

    /// The rows whose keys are in archive files that were not there when the candidates were made, with the end time
    /// stored there.
    pub(crate) fn later_hits(
        &self,
        archived_keys: &ArchivedKeys,
        writer: &mut Writer,
        snapshot: &Snapshot,
    ) -> Result<BTreeMap<usize, i64>> {
        let mut hits = BTreeMap::new();
        for (file, rows) in self.files(snapshot)? {
            if self.looked_at.contains(&file.record().number) {
                continue;
            }
            match archived_keys.find(&file, &self.sought(&rows)?) {
                Err(error) if error.is_of_lost_file() => {
                    writer.give_up(&file, &error)?;
                }
                found => note(&mut hits, found?, &self.end_times),
            }
        }
        Ok(hits)
    }

    /// The archive files that may have some of the rows, as they are of the same hours.
    fn files(&self, snapshot: &Snapshot) -> Result<Vec<(Arc<ArchiveFile>, Vec<usize>)>> {
        let columns = KeyColumns::new(&self.batch)?;
        let mut files: BTreeMap<u64, (Arc<ArchiveFile>, Vec<usize>)> = BTreeMap::new();
        let (mut last, mut found) = (None, Vec::new());
        for (row, (account, _, _, end_time)) in columns.rows().enumerate() {
            // Most rows are of the same account and hour as the one before.
            let place = (account, hour_of(end_time));
            if last != Some(place) {
                last = Some(place);
                let segments = snapshot.account(account).and_then(|account| snapshot.segments(account));
                let archived = segments.into_iter().flat_map(|segments| segments.files.archived_of(place.1));
                found = archived.cloned().collect::<Vec<_>>();
            }
            for file in &found {
                let entry = files.entry(file.record().number);
                entry.or_insert_with(|| (Arc::clone(file), Vec::new())).1.push(row);
            }
        }
        Ok(files.into_values().collect())
    }

    fn sought(&self, rows: &[usize]) -> Result<Vec<Sought<'_>>> {
        let columns = KeyColumns::new(&self.batch)?;
        let sought = rows.iter().filter_map(|row| {
            let (hash, end_time) = (*self.hashes.get(*row)?, *self.end_times.get(*row)?);
            Some(Sought { row: *row, conversation: columns.conversation(*row), hash, end_time })
        });
        Ok(sought.collect())
    }

    /// The rows that are new, and the outcome for all. `group` has the rows that are written before them in the same
    /// commit, and `snapshot` all that was stored before.
    pub(crate) fn admit(
        &self,
        later_hits: &BTreeMap<usize, i64>,
        trial: &mut Trial<'_>,
        snapshot: &Snapshot,
        group: &[RecordBatch],
    ) -> Result<(RecordBatch, Appended)> {
        let columns = KeyColumns::new(&self.batch)?;
        let mut is_new = Vec::with_capacity(self.hashes.len());
        let (mut appended, mut repeats) = (Appended::default(), Vec::new());
        for (row, ((_, conversation, index, end_time), hash)) in columns.rows().zip(&self.hashes).enumerate() {
            let archived = self.hits.get(&row).or_else(|| later_hits.get(&row));
            let admission = match archived {
                None => trial.admit(*hash, end_time),
                Some(stored) if *stored == end_time => Admission::Duplicate,
                Some(stored) => Admission::Conflict { stored_end_time: *stored },
            };
            is_new.push(admission == Admission::New);
            match admission {
                Admission::New => appended.accepted += 1,
                Admission::Duplicate => {
                    appended.duplicates += 1;
                    repeats.extend(archived.is_none().then_some(row));
                }
                Admission::Conflict { stored_end_time } => {
                    appended.refuse(row, || {
                        first_counts(index, conversation, &format!("end_time {stored_end_time}, not {end_time}"))
                    });
                }
            }
        }
        let batch = match appended.accepted {
            all if all == is_new.len() => self.batch.clone(),
            _ => filter_record_batch(&self.batch, &BooleanArray::from(is_new))?,
        };
        let first = FirstRows { snapshot, group, own: &batch };
        refuse_contradictions(&mut appended, &Contradictions::of(&self.batch, &repeats, first)?, &columns);
        Ok((batch, appended))
    }
}

/// Refuses repeats that say something else than the first rows of their keys.
fn refuse_contradictions(appended: &mut Appended, found: &Contradictions<'_>, columns: &KeyColumns<'_>) {
    appended.duplicates = appended.duplicates.saturating_sub(found.len());
    let told = found.iter().take(Appended::MOST_LISTED).filter_map(|(row, differences)| {
        let Key { conversation, index, .. } = columns.key(row)?;
        Some(RefusedRow { row, reason: first_counts(index, conversation, &differences) })
    });
    appended.refuse_more(found.len(), told);
}

/// Why a segment is refused that differs from the first of its key.
fn first_counts(index: u32, conversation: &str, differences: &str) -> String {
    format!(
        "segment {index} of conversation {conversation:?} is stored with {differences}: the first write of a segment \
         counts"
    )
}

/// Notes the end times that are stored under the keys of some rows. Where there are several, the row's own counts.
fn note(hits: &mut BTreeMap<usize, i64>, found: Vec<(usize, i64)>, end_times: &[i64]) {
    for (row, stored) in found {
        let known = hits.entry(row).or_insert(stored);
        if end_times.get(row) == Some(&stored) {
            *known = stored;
        }
    }
}
