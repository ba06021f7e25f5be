use std::sync::Arc;

use skillscope_segment::AccountId;

use crate::archive;
use crate::calendar::HOUR_MS;
use crate::journal::change::Change;
use crate::journal::file_record::FileRecord;
use crate::rows::partition::Partition;
use crate::rows::run::{Cut, Run, mergeable};
use crate::{Result, Snapshot, Store};

/// Rows of hours that are over are sealed at once where more than this would wait in memory and in the journal.
const MOST_WAITING_BYTES: usize = 256 << 20;

/// The rows of an hour on their way from the journal to the archive.
///
/// ```text
/// begin   the open rows are marked; rows that arrive from now on are not among them
/// write   they are sorted, written to staging/, synced, read back, and moved to archive/
/// finish  in one commit their files join the list and their entries leave the journal
/// ```
///
/// Whatever ends it before the commit leaves the rows in the journal, and at most a file that no list knows.
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

impl Store {
    /// The next hour whose rows should be sealed: those that have waited long enough, or all whose hour is over.
    pub(crate) fn hour_to_seal(&self, at_once: bool) -> Option<(AccountId, i64)> {
        let now = self.options.clock.now();
        let snapshot = self.snapshot();
        let over = || {
            let partitions = snapshot.all_partitions();
            partitions.filter(|partition| !partition.open().is_empty() && end_of(partition) <= now)
        };
        let chosen = if at_once {
            over().next()
        } else if over().map(|partition| partition.unsealed_bytes()).sum::<usize>() > MOST_WAITING_BYTES {
            over().max_by_key(|partition| partition.unsealed_bytes())
        } else {
            // Whoever has waited longest: a busy account holds up no other.
            let due = over().filter(|partition| self.seal_time(partition) <= now);
            due.min_by_key(|partition| self.seal_time(partition))
        };
        chosen.map(|partition| (partition.account().clone(), partition.hour()))
    }

    fn seal_time(&self, partition: &Partition) -> i64 {
        let grace_ends = end_of(partition).saturating_add(self.options.seal_grace_ms);
        grace_ends.max(partition.opened().saturating_add(self.options.late_wait_ms()))
    }

    /// Seals an hour, from beginning to end.
    pub(crate) fn seal(&self, account: &AccountId, hour: i64) -> Result<()> {
        let Some(sealing) = self.begin_sealing(account, hour)? else { return Ok(()) };
        let written = self.write_sealing(&sealing);
        self.finish_sealing(sealing, written)
    }

    pub(crate) fn begin_sealing(&self, account: &AccountId, hour: i64) -> Result<Option<Sealing>> {
        let mut writer = self.writer();
        self.make_sound(&mut writer)?;
        let snapshot = self.snapshot();
        let Some(partition) = snapshot.partition(account, hour) else { return Ok(None) };
        // There are rows still marked only if an earlier sealing panicked.
        let pieces = mergeable([partition.sealing(), partition.open()].concat());
        let pieces = pieces.into_iter().map(|runs| (writer.journal.number_file(), runs)).collect();
        let boundary = writer.journal.boundary();
        self.publish(changed(&snapshot, account, hour, Partition::with_sealing));
        Ok(Some(Sealing { account: account.clone(), hour, pieces, boundary }))
    }

    pub(crate) fn write_sealing(&self, sealing: &Sealing) -> Result<Written> {
        let mut written = Vec::with_capacity(sealing.pieces.len());
        for (number, runs) in &sealing.pieces {
            let run = Run::merged(runs)?;
            let cut = Cut { account: sealing.account.clone(), hour: sealing.hour, run };
            let mut record = FileRecord::empty(*number, &cut);
            record.add(&cut);
            record.written = self.options.clock.now();
            match self.write_file(&cut.run, &[], record) {
                Ok(record) => written.push((record, cut.run)),
                Err(error) => {
                    self.unplace(written.iter().map(|(record, _)| record));
                    return Err(error);
                }
            }
        }
        Ok(written)
    }

    /// Writes rows to a file in the archive that no list knows yet.
    pub(crate) fn write_file(&self, run: &Run, replaces: &[u64], record: FileRecord) -> Result<FileRecord> {
        let written = archive::file::write(
            self.options.disk.as_ref(),
            self.directory.path(),
            &run.batch,
            replaces,
            record.clone(),
        );
        if written.is_err() {
            self.unplace([&record]);
        }
        written
    }

    /// Removes files of which no commit was ever tried. One that stays is set aside by the next start.
    fn unplace<'r>(&self, records: impl IntoIterator<Item = &'r FileRecord>) {
        for record in records {
            let path = self.directory.path().join(record.path());
            let _ = self.options.disk.remove(&path);
        }
    }

    pub(crate) fn finish_sealing(&self, sealing: Sealing, written: Result<Written>) -> Result<()> {
        let mut writer = self.writer();
        let committed = written.and_then(|written| {
            let added: Vec<FileRecord> = written.iter().map(|(record, _)| record.clone()).collect();
            if let Err(error) = self.make_sound(&mut writer) {
                self.unplace(&added);
                return Err(error);
            }
            let sealed = Some((sealing.account.as_str(), sealing.hour, sealing.boundary));
            let change = Change { sealed, added: added.clone(), ..Change::default() };
            self.commit_files(&mut writer, change, &[])?;
            Ok(written)
        });
        let snapshot = self.snapshot();
        let (account, hour) = (&sealing.account, sealing.hour);
        let written = match committed {
            Ok(written) => written,
            Err(error) => {
                let now = self.options.clock.now();
                self.publish(changed(&snapshot, account, hour, |partition| partition.with_sealing_undone(now)));
                return Err(error);
            }
        };
        let is_resident = self.options.is_hot(hour);
        let mut files = Vec::with_capacity(written.len());
        for (record, _) in &written {
            files.push(self.archive_file(record.clone())?);
        }
        self.publish(snapshot.with(account, |segments| {
            segments.change(account, hour, |mut partition| {
                partition = partition.without_sealing();
                for (_, run) in written.iter().filter(|_| is_resident) {
                    partition = partition.with_sealed(run.clone());
                }
                partition
            });
            files.into_iter().for_each(|file| segments.files_mut().insert(file, is_resident));
        }));
        if !is_resident {
            self.forget_keys(&mut writer, written.iter().map(|(_, run)| run))?;
        }
        Ok(())
    }

    /// Seals every hour that is over, without waiting for rows that may come late.
    ///
    /// # Errors
    /// Where an hour cannot be written; its rows stay in the journal, and the other hours are not tried.
    pub fn seal_finished_hours(&self) -> Result<()> {
        let _only = self.one_job();
        while let Some((account, hour)) = self.hour_to_seal(true) {
            self.seal(&account, hour)?;
        }
        Ok(())
    }
}

/// `snapshot` with another partition of an account and hour.
pub(crate) fn changed(
    snapshot: &Snapshot,
    account: &AccountId,
    hour: i64,
    change: impl FnOnce(Partition) -> Partition,
) -> Snapshot {
    snapshot.with(account, |segments| segments.change(account, hour, change))
}

fn end_of(partition: &Partition) -> i64 {
    partition.hour().saturating_add(HOUR_MS)
}
