use std::sync::Arc;

use crate::journal::change::Change;
use crate::{ArchiveFile, Result, Store};

/// Files that are removed at a time: writers wait meanwhile.
const MOST_AT_ONCE: usize = 32;

impl Store {
    /// Removes the files all of whose hours are older than their account's segments may become, by the store's clock;
    /// tells whether there were any.
    pub(crate) fn expire(&self) -> Result<bool> {
        let now = self.options.clock.now();
        let is_expired = |file: &&Arc<ArchiveFile>| {
            let age = self.options.retention.age_ms(file.account());
            age.is_some_and(|age| file.record().end().saturating_add(age) <= now)
        };
        let snapshot = self.snapshot();
        let expired = snapshot.all_files().filter(is_expired).take(MOST_AT_ONCE).cloned();
        let expired: Vec<Arc<ArchiveFile>> = expired.collect();
        if expired.is_empty() {
            return Ok(false);
        }
        let mut writer = self.writer();
        self.make_sound(&mut writer)?;
        for file in &expired {
            self.evict_hour(&mut writer, file.account(), file.record().first_hour)?;
        }
        self.commit_files(&mut writer, Change::default(), &expired)?;
        let mut snapshot = self.snapshot().as_ref().clone();
        for file in &expired {
            tracing::info!(file = %file.path().display(), rows = file.rows(), "a file has expired");
            snapshot = snapshot.with(file.account(), |segments| segments.files_mut().remove(file));
        }
        self.publish(snapshot);
        self.remove_retired(&mut writer)?;
        Ok(true)
    }
}
