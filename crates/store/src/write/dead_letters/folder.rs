//! The folder of dead letters: a file a day.

use std::path::{Path, PathBuf};

use chrono::{Days, NaiveDate};

use crate::disk::directory::DataDirectory;
use crate::error::{Error, Result};

const NAME: &str = "%Y-%m-%d.ndjson";

/// The file of a day.
pub(super) fn file_of(directory: &DataDirectory, day: NaiveDate) -> PathBuf {
    directory.dead_letters().join(day.format(NAME).to_string())
}

/// The bytes of all files.
pub(super) fn bytes(directory: &DataDirectory) -> Result<u64> {
    let mut sum = 0_u64;
    for path in directory.dead_letter_files()? {
        let length = directory.disk().open(&path).and_then(|file| file.length());
        match length {
            Ok(length) => sum = sum.saturating_add(length),
            // Somebody has just removed it.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("read", &path)(error)),
        }
    }
    Ok(sum)
}

/// Removes the files of more than `days` days before `today`, and tells whether there were any. Other files in the
/// folder are left alone.
pub(super) fn remove_before(directory: &DataDirectory, today: NaiveDate, days: u32) -> Result<bool> {
    let Some(first) = today.checked_sub_days(Days::new(u64::from(days))) else { return Ok(false) };
    let mut has_removed = false;
    for path in directory.dead_letter_files()? {
        if day_of(&path).is_some_and(|day| day < first) {
            directory.disk().remove(&path).map_err(Error::io("remove", &path))?;
            tracing::info!(file = %path.display(), days, "a file of events without effect was removed for its age");
            has_removed = true;
        }
    }
    Ok(has_removed)
}

fn day_of(path: &Path) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(path.file_name()?.to_str()?, NAME).ok()
}
