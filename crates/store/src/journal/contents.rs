//! Reading a journal to its end, and finding the whole values in a damaged one.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use bytes::Bytes;
use redb::{ReadableTable, WriteTransaction};

use super::change::Entry;
use super::commit_record::noted;
use super::conversations::ConversationRecord;
use super::file_record::FileRecord;
use super::layout::{
    ARRIVAL, CHECKSUMS, CHECKSUMS_OF, COMMITS, CONVERSATION, CONVERSATIONS, COUNTERS, ENTRIES, ENTRY, FILES, NEXT_FILE,
    RETIRED, STREAM, WATERMARK, conversation_name, entry_name, file_name, open_database,
};
use super::value::{all_values, unframed};
use super::verified::Verified;
use crate::disk::memory_file::MemoryFile;
use crate::disk::unwritten_file::UnwrittenFile;
use crate::disk::{Disk, InPlaceFile};
use crate::error::{Error, Result};

/// Everything that a journal holds.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) entries: Vec<Entry>,
    pub(crate) files: Vec<FileRecord>,
    pub(crate) retired: Vec<FileRecord>,
    /// The conversations that are followed, by number.
    pub(crate) conversations: Vec<(u64, ConversationRecord)>,
    /// Event times by account, in milliseconds since the epoch.
    pub(crate) watermarks: Vec<(String, i64)>,
    /// When something was accepted last, by account, in milliseconds since the epoch.
    pub(crate) arrivals: Vec<(String, i64)>,
    /// When streams began, by account, in milliseconds since the epoch.
    pub(crate) beginnings: Vec<(String, i64)>,
    /// Values that could not be read: the name of each, and its bytes.
    pub(crate) damaged: Vec<(String, Vec<u8>)>,
    /// Whether there was no journal at all.
    pub(crate) is_missing: bool,
    /// Whether values may be missing whose names are not known either.
    pub(crate) is_incomplete: bool,
    /// The number for the next file.
    pub(crate) next_file: u64,
    /// The number of the last commit; `None` in the journal of an older program.
    pub(crate) commits: Option<u64>,
    /// The number of the last commit that was acknowledged, as far as it is known.
    pub(crate) noted_commits: Option<u64>,
    /// The whole file, where it is damaged.
    pub(crate) whole_file: Option<Bytes>,
}

impl Entry {
    /// An entry of which only the rows are known.
    fn found(rows: &[u8]) -> Self {
        Self { account: String::new(), hour: 0, number: 0, rows: rows.to_owned() }
    }
}

impl Contents {
    /// How many commits were acknowledged that the journal does not have.
    pub(crate) fn missing_commits(&self) -> Option<u64> {
        // An older program counts no commits, and writes the journal anew without their number.
        let missing = self.noted_commits?.saturating_sub(self.commits?);
        (missing > 0).then_some(missing)
    }
}

/// The contents of the journal at `path`. The file itself stays as it is: what redb writes when it opens a file could
/// cover what is to be found in it.
pub(crate) fn inspect(disk: &dyn Disk, path: &Path) -> Result<Contents> {
    let is_there = match disk.open(path).and_then(|file| file.length()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        length => length.map_err(Error::io("open", path))? > 0,
    };
    if !is_there {
        return Ok(Contents { is_missing: true, ..Contents::default() });
    }
    let unwritten = || Ok(Box::new(UnwrittenFile::over(disk.open(path)?)?) as Box<dyn InPlaceFile>);
    read_or_salvage(path, noted(disk, path), unwritten)
}

/// Reads a journal to its end.
///
/// Where a page is damaged, the journal is read a second time without checks, as far as redb can follow the pages; redb
/// may panic on the way. After that the whole file is searched for entries and conversations that no page leads to. The
/// same is done where commits are missing that were acknowledged: their pages may be there, in part.
fn read_or_salvage(
    path: &Path,
    noted_commits: Option<u64>,
    file: impl Fn() -> io::Result<Box<dyn InPlaceFile>>,
) -> Result<Contents> {
    let attempt = |file: io::Result<Box<dyn InPlaceFile>>, verify, contents: &mut Contents| {
        catch_unwind(AssertUnwindSafe(|| read(file.map_err(redb::Error::Io)?, verify, contents)))
    };
    let mut contents = Contents { noted_commits, ..Contents::default() };
    let reason = match attempt(file(), true, &mut contents) {
        Ok(Ok(())) => match contents.missing_commits() {
            None => return Ok(contents),
            Some(missing) => format!("its newest pages are damaged; acknowledged commits that are missing: {missing}"),
        },
        Ok(Err(redb::Error::Io(source))) if !is_damage(&source) => return Err(Error::io("read", path)(source)),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "its pages do not fit together".to_owned(),
    };
    tracing::error!(journal = %path.display(), reason, "the journal is damaged; what can be found in it counts");
    let file = file().map_err(Error::io("read", path))?;
    let length = file.length().and_then(|length| usize::try_from(length).map_err(io::Error::other));
    let bytes = length.and_then(|length| file.read_at(0, length)).map_err(Error::io("read", path))?;
    drop(file);
    contents = Contents { noted_commits, ..Contents::default() };
    // From a copy, since opening may write. Where it fails, the values that were read before are in `contents`.
    let copy: Box<dyn InPlaceFile> = Box::new(MemoryFile::new(&bytes));
    let _ = attempt(Ok(copy), false, &mut contents);
    contents.is_incomplete = true;
    let entries = all_values(&bytes).into_iter().filter(|(name, _)| name.starts_with(ENTRY));
    contents.entries.extend(entries.map(|(_, rows)| Entry::found(rows)));
    salvage_conversations(&bytes, &mut contents.conversations);
    contents.whole_file = Some(bytes);
    Ok(contents)
}

/// Whether the file's content is to blame, and not the disk: the file is no journal, or its end is missing.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

/// Adds all values of a journal to `contents`, the list of files first.
fn read(file: Box<dyn InPlaceFile>, verify: bool, contents: &mut Contents) -> std::result::Result<(), redb::Error> {
    let database = open_database(file, verify, None)?;
    let transaction = database.begin_write()?;
    if let Some(next) = transaction.open_table(COUNTERS)?.get(NEXT_FILE)? {
        contents.next_file = next.value();
    }
    contents.commits = transaction.open_table(COUNTERS)?.get(COMMITS)?.map(|commits| commits.value());
    let (mut files, mut retired) = (Vec::new(), Vec::new());
    read_files(&transaction.open_table(FILES)?, "file", &mut files, contents)?;
    read_files(&transaction.open_table(RETIRED)?, "retired file", &mut retired, contents)?;
    (contents.files, contents.retired) = (files, retired);
    read_entries(&transaction.open_table(ENTRIES)?, contents)?;
    read_conversations(&transaction, contents)?;
    read_checksums(&transaction.open_table(CHECKSUMS)?, contents)?;
    transaction.abort()?;
    Ok(())
}

/// Adds the conversations that are not there yet. The file may hold several states of a conversation. The furthest one
/// counts: it is the last that was written, or the one before.
fn salvage_conversations(bytes: &[u8], conversations: &mut Vec<(u64, ConversationRecord)>) {
    let known: BTreeSet<_> = conversations.iter().map(|(_, record)| record.name()).collect();
    let mut found: BTreeMap<_, (u64, ConversationRecord)> = BTreeMap::new();
    for (name, payload) in all_values(bytes) {
        let Some(number) = name.strip_prefix(CONVERSATION).and_then(|number| number.parse().ok()) else { continue };
        let Ok(record) = ConversationRecord::decode(payload) else { continue };
        // A conversation that was forgotten and came back has a higher number.
        let progress = (number, record.state.next_sequence());
        let is_furthest =
            |(other, state): &(u64, ConversationRecord)| (*other, state.state.next_sequence()) <= progress;
        if !known.contains(&record.name()) && found.get(&record.name()).is_none_or(is_furthest) {
            found.insert(record.name(), (number, record));
        }
    }
    conversations.extend(found.into_values());
}

fn read_conversations(transaction: &WriteTransaction, contents: &mut Contents) -> std::result::Result<(), redb::Error> {
    for counter in transaction.open_table(COUNTERS)?.iter()? {
        let (name, time) = counter?;
        let Ok(time) = i64::try_from(time.value()) else { continue };
        let kinds = [
            (WATERMARK, &mut contents.watermarks),
            (ARRIVAL, &mut contents.arrivals),
            (STREAM, &mut contents.beginnings),
        ];
        for (prefix, times) in kinds {
            times.extend(name.value().strip_prefix(prefix).map(|account| (account.to_owned(), time)));
        }
    }
    for record in transaction.open_table(CONVERSATIONS)?.iter()? {
        let (number, value) = record?;
        let (number, name) = (number.value(), conversation_name(number.value()));
        match unframed(&name, value.value()).map(ConversationRecord::decode) {
            Some(Ok(record)) => contents.conversations.push((number, record)),
            _ => contents.damaged.push((name, value.value().to_owned())),
        }
    }
    Ok(())
}

fn read_entries(
    table: &impl ReadableTable<(&'static str, i64, u64), &'static [u8]>,
    contents: &mut Contents,
) -> std::result::Result<(), redb::Error> {
    for entry in table.iter()? {
        let (key, value) = entry?;
        let (account, hour, number) = key.value();
        let name = entry_name(key.value());
        match unframed(&name, value.value()) {
            Some(rows) => {
                contents.entries.push(Entry { account: account.to_owned(), hour, number, rows: rows.to_owned() });
            }
            None => contents.damaged.push((name, value.value().to_owned())),
        }
    }
    Ok(())
}

fn read_files(
    table: &impl ReadableTable<u64, &'static [u8]>,
    kind: &str,
    files: &mut Vec<FileRecord>,
    contents: &mut Contents,
) -> std::result::Result<(), redb::Error> {
    for file in table.iter()? {
        let (key, value) = file?;
        let name = file_name(kind, key.value());
        match unframed(&name, value.value()).and_then(|json| serde_json::from_slice(json).ok()) {
            Some(file) => files.push(file),
            None => {
                contents.damaged.push((name, value.value().to_owned()));
                contents.is_incomplete = true;
            }
        }
    }
    Ok(())
}

/// Adds the checksums of their blocks to the files of the list.
fn read_checksums(
    table: &impl ReadableTable<u64, &'static [u8]>,
    contents: &mut Contents,
) -> std::result::Result<(), redb::Error> {
    for file in &mut contents.files {
        let Some(value) = table.get(file.number)? else { continue };
        let name = file_name(CHECKSUMS_OF, file.number);
        match unframed(&name, value.value()) {
            Some(payload) => file.verified = Verified::decode(payload),
            // They are made anew when the file is read.
            None => contents.damaged.push((name, value.value().to_owned())),
        }
    }
    Ok(())
}
