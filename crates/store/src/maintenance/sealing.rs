//! Sealing: the rows of an hour move from the journal to a file of the archive.

use std::sync::Arc;

use skillscope_segment::AccountId;

use super::policy::pressure::Gift;
use super::policy::sealing::{Overdue, WaitingHour, Waits, next_over, next_to_seal, overdue};
use super::pressure::gift;
use crate::archive::file::ArchiveFile;
use crate::archive::placing::{place, unplace};
use crate::error::Result;
use crate::journal::change::JournalChange;
use crate::journal::file_record::FileRecord;
use crate::options::StoreOptions;
use crate::rows::partition::Partition;
use crate::rows::run::{Cut, Run, mergeable};
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::writer::Writer;

/// The rows of an hour on their way from the journal to the archive.
///
/// ```text
/// begin   the open rows are marked; rows that arrive from now on are not among them
/// write   they are sorted, written to staging/, synced, read back, and moved to archive/
/// finish  in one commit their files join the list and their entries leave the journal
/// ```
///
/// Where it ends before the commit, the rows are still in the journal, and at most a file is left that is on no list.
#[derive(Debug)]
pub(crate) struct Sealing {
    account: AccountId,
    hour: i64,
    /// Each becomes a file with this number.
    pieces: Vec<(u64, Vec<Arc<Run>>)>,
    /// The rows' entries have lower numbers.
    boundary: u64,
}

/// The files of a sealing, and the rows in each.
type Written = Vec<(FileRecord, Run)>;

/// Seals the next hour that is due; tells whether there was one.
pub(super) fn seal_next(shared: &Shared) -> Result<bool> {
    let Some((account, hour)) = hour_to_seal(shared, false) else { return Ok(false) };
    seal(shared, &account, hour)?;
    Ok(true)
}

/// Seals every hour that is over.
pub(super) fn seal_finished(shared: &Shared) -> Result<()> {
    while let Some((account, hour)) = hour_to_seal(shared, true) {
        seal(shared, &account, hour)?;
    }
    Ok(())
}

/// The next hour whose rows should be sealed: one that has to make room, one whose rows have waited long enough or,
/// `at_once`, any that is over.
pub(crate) fn hour_to_seal(shared: &Shared, at_once: bool) -> Option<(AccountId, i64)> {
    let now = shared.options().clock.now();
    let snapshot = shared.snapshot();
    if let (false, Some(Gift::Seal(hour))) = (at_once, gift(shared, &snapshot)) {
        return Some((hour.account.clone(), hour.hour));
    }
    let waiting: Vec<_> = snapshot.all_partitions().filter_map(|partition| waiting_hour(partition)).collect();
    let waits = waits(shared.options());
    let next = if at_once { next_over(&waiting, now) } else { next_to_seal(&waiting, waits, now) };
    next.map(|waiting| (waiting.account.clone(), waiting.hour))
}

fn waits(options: &StoreOptions) -> Waits {
    Waits { grace_ms: options.seal_grace_ms, late_ms: options.late_wait_ms() }
}

/// How far sealing is behind.
pub(crate) fn behind(snapshot: &Snapshot, options: &StoreOptions) -> Overdue {
    let waiting = snapshot.all_partitions().filter_map(|partition| waiting_hour(partition));
    overdue(waiting, waits(options), options.clock.now())
}

/// The rows of a partition that no file has yet, where there are some.
pub(super) fn waiting_hour(partition: &Partition) -> Option<WaitingHour<'_>> {
    let waiting = WaitingHour {
        account: partition.account(),
        hour: partition.hour(),
        first_arrival: partition.opened(),
        bytes: partition.unsealed_bytes(),
    };
    (!partition.open().is_empty()).then_some(waiting)
}

/// Seals an hour, from beginning to end.
fn seal(shared: &Shared, account: &AccountId, hour: i64) -> Result<()> {
    let Some(sealing) = Sealing::begin(shared, account, hour)? else { return Ok(()) };
    let job = shared.statistics().sealing.begin();
    let written = sealing.write(shared);
    sealing.finish(shared, written)?;
    job.done();
    Ok(())
}

impl Sealing {
    pub(crate) fn begin(shared: &Shared, account: &AccountId, hour: i64) -> Result<Option<Self>> {
        let mut writer = shared.writer();
        writer.make_sound()?;
        let snapshot = writer.snapshot();
        let Some(partition) = snapshot.partition(account, hour) else { return Ok(None) };
        // There are rows still marked only if an earlier sealing panicked.
        let pieces = mergeable([partition.sealing(), partition.open()].concat());
        let pieces = pieces.into_iter().map(|runs| (writer.number_file(), runs)).collect();
        let boundary = writer.entry_boundary();
        writer.publish(snapshot.with_partition(account, hour, Partition::with_sealing));
        Ok(Some(Self { account: account.clone(), hour, pieces, boundary }))
    }

    pub(crate) fn write(&self, shared: &Shared) -> Result<Written> {
        let mut written = Vec::with_capacity(self.pieces.len());
        for (number, runs) in &self.pieces {
            let run = Run::merged(runs)?;
            let cut = Cut { account: self.account.clone(), hour: self.hour, run };
            let mut record = FileRecord::empty(*number, &cut);
            record.add(&cut);
            record.written = shared.options().clock.now();
            match cut.run.whole().and_then(|rows| place(shared.directory(), &rows, &[], record)) {
                Ok(record) => written.push((record, cut.run)),
                Err(error) => {
                    unplace(shared.directory(), written.iter().map(|(record, _)| record));
                    return Err(error);
                }
            }
        }
        Ok(written)
    }

    pub(crate) fn finish(self, shared: &Shared, written: Result<Written>) -> Result<()> {
        let mut writer = shared.writer();
        match written.and_then(|written| self.commit(shared, &mut writer, written)) {
            Ok(written) => self.publish(shared, &mut writer, &written),
            Err(error) => {
                let now = shared.options().clock.now();
                let undone = |partition: Partition| partition.with_sealing_undone(now);
                let snapshot = writer.snapshot().with_partition(&self.account, self.hour, undone);
                writer.publish(snapshot);
                Err(error)
            }
        }
    }

    fn commit(&self, shared: &Shared, writer: &mut Writer, written: Written) -> Result<Written> {
        let added: Vec<FileRecord> = written.iter().map(|(record, _)| record.clone()).collect();
        if let Err(error) = writer.make_sound() {
            unplace(shared.directory(), &added);
            return Err(error);
        }
        let sealed = Some((self.account.as_str(), self.hour, self.boundary));
        writer.commit_files(JournalChange { sealed, added, ..JournalChange::default() }, &[])?;
        Ok(written)
    }

    /// Puts the files in the place of the rows. In a hot hour, the rows stay in memory, too.
    fn publish(&self, shared: &Shared, writer: &mut Writer, written: &Written) -> Result<()> {
        let is_resident = shared.options().is_hot(self.hour);
        let mut files = Vec::with_capacity(written.len());
        for (record, _) in written {
            files.push(Arc::new(ArchiveFile::new(record.clone(), shared.directory())?));
        }
        let snapshot = writer.snapshot().with(&self.account, |segments| {
            segments.change(&self.account, self.hour, |mut partition| {
                partition = partition.without_sealing();
                for (_, run) in written.iter().filter(|_| is_resident) {
                    partition = partition.with_sealed(run.clone());
                }
                partition
            });
            files.into_iter().for_each(|file| segments.files_mut().insert(file, is_resident));
        });
        writer.publish(snapshot);
        if !is_resident {
            writer.forget_keys(written.iter().map(|(_, run)| run))?;
        }
        Ok(())
    }
}
