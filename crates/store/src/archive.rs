use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use skillscope_segment::{AccountId, Chunk, Format, Input, ReadOptions, SegmentWriter, read_segments};

use crate::directory::DataDirectory;
use crate::partition::Run;
use crate::{Error, Result};

/// The Parquet files of a data directory: `archive/account=A/date=YYYY-MM-DD/HH-N.parquet`, for the rows of an account
/// that ended in hour HH of that UTC day; N tells the files of an hour apart.
#[derive(Debug)]
pub(crate) struct Archive {
    root: PathBuf,
    staging: PathBuf,
    next_number: u64,
}

impl Archive {
    pub(crate) fn new(directory: &DataDirectory) -> Self {
        Self { root: directory.archive(), staging: directory.staging(), next_number: 1 }
    }

    /// Reads every file, oldest hours first within an account, and hands its rows on. A file that cannot be read to its
    /// end is named in the log and left where it is; what could be read of it counts, and the others are read.
    pub(crate) fn load(&mut self, mut sink: impl FnMut(Chunk) -> Result<()>) -> Result<()> {
        for path in self.files()? {
            self.next_number = self.next_number.max(number(&path).saturating_add(1));
            load_file(&path, &mut sink)?;
        }
        Ok(())
    }

    /// Writes each run to a file of its own. All files are complete and synced before the first one appears under
    /// `archive/`; where one cannot be written, none is left there.
    pub(crate) fn write(&mut self, runs: &[Run]) -> Result<()> {
        let mut staged = Vec::with_capacity(runs.len());
        let written = runs.iter().try_for_each(|run| {
            let name = format!("{}-{:08}.parquet", hour_of_day(run.hour), self.next_number);
            self.next_number = self.next_number.saturating_add(1);
            let folder = self.folder(run);
            staged.push((self.staging.join(&name), folder.join(&name)));
            write_file(&self.staging.join(&name), run)
        });
        let published = written.and_then(|()| staged.iter().try_for_each(|(from, to)| publish(from, to)));
        if published.is_err() {
            for path in staged.iter().flat_map(|(from, to)| [from, to]).filter(|path| path.exists()) {
                if let Err(error) = fs::remove_file(path) {
                    tracing::error!(file = %path.display(), %error, "a file of a failed write could not be removed");
                }
            }
        }
        published
    }

    fn folder(&self, run: &Run) -> PathBuf {
        let date = time(run.hour).format("date=%Y-%m-%d").to_string();
        self.root.join(format!("account={}", run.account)).join(date)
    }

    /// Every Parquet file, in the order of account, date and name.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for account in entries(&self.root)? {
            for date in entries(&account)? {
                files.extend(
                    entries(&date)?.into_iter().filter(|path| path.extension().is_some_and(|e| e == "parquet")),
                );
            }
        }
        Ok(files)
    }
}

fn load_file(path: &Path, sink: &mut impl FnMut(Chunk) -> Result<()>) -> Result<()> {
    const CHUNK_ROWS: usize = 1 << 20;
    let options = ReadOptions { account: account(path), chunk_rows: CHUNK_ROWS };
    let mut outcome = Ok(());
    let read = File::open(path).map_err(skillscope_segment::Error::from).and_then(|file| {
        read_segments(Format::Parquet, Input::File(file), &options, |chunk| {
            for rejection in &chunk.rejected {
                let (row, error) = (rejection.line, &rejection.error);
                tracing::error!(file = %path.display(), row, %error, "a row of the archive does not count");
            }
            if outcome.is_ok() {
                outcome = sink(chunk);
            }
            Ok::<_, skillscope_segment::Error>(())
        })
    });
    if let Err(error) = read {
        tracing::error!(file = %path.display(), %error, "a file of the archive cannot be read");
    }
    outcome
}

fn write_file(path: &Path, run: &Run) -> Result<()> {
    let encode = || {
        let mut writer = SegmentWriter::new(Format::Parquet, Vec::new())?;
        writer.write(&run.batch)?;
        writer.finish()
    };
    let bytes = encode().map_err(|source| Error::Unwritten { path: path.to_owned(), source })?;
    let mut file = File::create(path).map_err(Error::io("create", path))?;
    file.write_all(&bytes).map_err(Error::io("write", path))?;
    file.sync_all().map_err(Error::io("sync", path))
}

/// Moves a finished file to its place, and makes the move itself durable.
fn publish(from: &Path, to: &Path) -> Result<()> {
    let Some(folder) = to.parent() else { return Ok(()) };
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    fs::rename(from, to).map_err(Error::io("move into place", to))?;
    // The folder's own entry may be new as well, up to the archive.
    for folder in folder.ancestors().take(3) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("sync", folder))?;
    }
    Ok(())
}

/// The folders and files in `path`, sorted by name; none where it is no folder.
fn entries(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(path).map_err(Error::io("list", path))?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>();
    if let Ok(paths) = &mut paths {
        paths.sort();
    }
    paths.map_err(Error::io("list", path))
}

/// The account in `archive/account=A/date=D/file.parquet`.
fn account(file: &Path) -> Option<AccountId> {
    let folder = file.parent()?.parent()?.file_name()?.to_str()?;
    AccountId::parse(folder.strip_prefix("account=")?).ok()
}

/// The number in `HH-N.parquet`, 0 where the name is another.
fn number(file: &Path) -> u64 {
    let number = file.file_stem().and_then(|stem| stem.to_str()?.split_once('-')?.1.parse().ok());
    number.unwrap_or(0)
}

fn hour_of_day(hour: i64) -> String {
    time(hour).format("%H").to_string()
}

fn time(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}
