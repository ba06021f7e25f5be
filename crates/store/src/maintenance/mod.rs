//! The work between writes: sealing hours, merging runs and files, letting go of memory, and removing files that have
//! expired. [`policy`] decides most of what is due, and the other modules do the work. Hot totals and the clean-up
//! decide by themselves: they look for a file without totals, and for files that are no longer needed.

pub(crate) mod compaction;
pub(crate) mod eviction;
mod hot_totals;
mod merging;
mod policy;
mod pressure;
pub(crate) mod retention;
pub(crate) mod scrub;
pub(crate) mod sealing;
pub(crate) mod thread;
mod watch;

use crate::error::Result;
use crate::shared::Shared;
use crate::store::Store;

impl Store {
    /// Does one thing of each kind that is due, and tells whether there was any: merges runs in memory, applies the
    /// waiting events of idle accounts, takes away files that have expired, lets go of hours that are not hot any more,
    /// makes totals of hot hours that found no room in memory, seals an hour, or merges small files. Compares some
    /// files with their checksums, too.
    ///
    /// # Errors
    /// Where it cannot be done; nothing is lost, and it is tried again later.
    pub fn maintain(&self) -> Result<bool> {
        let mut rounds = self.maintenance_rounds();
        *rounds = rounds.wrapping_add(1);
        // Runs can always be merged while much arrives: that holds up nothing else.
        let has_merged = merging::merge_runs(self.shared());
        let gave_up = self.appends().give_up_idle(self.shared());
        let has_done = self.maintain_files(*rounds).inspect_err(|error| watch::note_failure(self.shared(), error));
        // Damage is looked for at leisure: it is no reason to begin another round at once.
        let scrubbed = self.scrub().go_on(self.shared());
        let is_done = gave_up? || has_done? || has_merged;
        scrubbed.map(|()| is_done)
    }

    /// Does one thing of each kind that is due with files. Sealing and merging can take long, so one of them is done
    /// only where nothing else was due. A job that fails holds up no other.
    fn maintain_files(&self, round: u64) -> Result<bool> {
        let shared = self.shared();
        let short: [&dyn Fn() -> Result<bool>; 4] = [
            &|| retention::expire(shared),
            &|| eviction::evict(shared),
            &|| hot_totals::make_next(shared, self.totals_of_files()),
            &|| clean_up(shared),
        ];
        let (seal, compact) = (|| sealing::seal_next(shared), || compaction::compact(shared));
        // They take turns, so that hours that are due without end hold up no merging, and the other way round.
        let long: [&dyn Fn() -> Result<bool>; 2] =
            if round.is_multiple_of(2) { [&compact, &seal] } else { [&seal, &compact] };
        let mut done = false;
        let mut failed = None;
        for job in short {
            match job() {
                Ok(was_due) => done |= was_due,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        for job in long {
            if done {
                break;
            }
            match job() {
                Ok(was_due) => done = was_due,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(done), Err)
    }

    /// Seals every hour that is over, without waiting for rows that may come late.
    ///
    /// # Errors
    /// Where an hour cannot be written; its rows stay in the journal, and the other hours are not tried.
    pub fn seal_finished_hours(&self) -> Result<()> {
        let _only = self.maintenance_rounds();
        sealing::seal_finished(self.shared())
    }
}

/// Writes the journal anew if it has to be, and removes retired files; tells whether there were any.
pub(crate) fn clean_up(shared: &Shared) -> Result<bool> {
    let mut writer = shared.writer();
    writer.make_sound()?;
    writer.remove_retired()
}
