//! Writing one commit of the journal.

use std::io;

use redb::{Database, WriteTransaction};

use super::conversations::ConversationChanges;
use super::file_record::FileRecord;
use super::layout::{
    ARRIVAL, CHECKSUMS, CHECKSUMS_OF, COMMITS, CONVERSATIONS, COUNTERS, ENTRIES, FILES, NEXT_FILE, RETIRED, STREAM,
    WATERMARK, conversation_name, entry_name, file_name,
};
use super::value::framed;
use super::verified::Verified;
use crate::error::Error;

/// The rows of one entry, encoded.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) account: String,
    pub(crate) hour: i64,
    pub(crate) number: u64,
    pub(crate) rows: Vec<u8>,
}

/// The changes of one commit.
#[derive(Debug, Default)]
pub(crate) struct JournalChange<'a> {
    pub(crate) entries: Vec<Entry>,
    /// The entries of an account and hour with numbers below the last one leave the journal.
    pub(crate) sealed: Option<(&'a str, i64, u64)>,
    /// Files that join the list.
    pub(crate) added: Vec<FileRecord>,
    /// Files that leave the list, and stand among the retired files from then on.
    pub(crate) retired: Vec<FileRecord>,
    /// Retired files that are not on disk any more.
    pub(crate) gone: Vec<u64>,
    /// Files that leave the list because they are corrupt or gone.
    pub(crate) lost: Vec<u64>,
    /// Files on the list, by number, that were compared with their checksums.
    pub(crate) verified: Vec<(u64, Verified)>,
    /// The conversations that are followed.
    pub(crate) conversations: ConversationChanges<'a>,
    /// When something was accepted last, by account, in milliseconds since the epoch.
    pub(crate) arrivals: Vec<(String, i64)>,
    /// Whether this is all that the journal holds.
    pub(crate) is_whole: bool,
}

pub(super) fn write(
    database: &Database,
    change: &JournalChange<'_>,
    counters: &Counters,
) -> std::result::Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    write_entries(&transaction, change)?;
    write_conversations(&transaction, change)?;
    // Opening a table writes to it, and most commits have nothing to do with files.
    if change.has_files() || change.is_whole {
        write_files(&transaction, change, counters.next_file)?;
    }
    write_counters(&transaction, change, counters.commits)?;
    transaction.commit()?;
    Ok(())
}

/// The numbers that a commit notes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counters {
    /// The number for the next file.
    pub(crate) next_file: u64,
    /// The number of this commit.
    pub(crate) commits: u64,
}

impl JournalChange<'_> {
    /// The rows and conversations that it writes, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        let rows = self.entries.iter().map(|entry| entry.rows.len() as u64);
        let conversations = self.conversations.changed.iter().map(|(_, record)| record.len() as u64);
        rows.chain(conversations).sum()
    }

    fn has_files(&self) -> bool {
        let Self { added, retired, gone, lost, verified, .. } = self;
        !(added.is_empty() && retired.is_empty() && gone.is_empty() && lost.is_empty() && verified.is_empty())
    }
}

fn write_entries(transaction: &WriteTransaction, change: &JournalChange<'_>) -> std::result::Result<(), redb::Error> {
    if change.entries.is_empty() && change.sealed.is_none() && !change.is_whole {
        return Ok(());
    }
    let mut entries = transaction.open_table(ENTRIES)?;
    if let Some((account, hour, boundary)) = change.sealed {
        entries.retain_in((account, hour, 0)..(account, hour, boundary), |_, _| false)?;
    }
    for entry in &change.entries {
        let key = (entry.account.as_str(), entry.hour, entry.number);
        entries.insert(key, framed(&entry_name(key), &entry.rows).as_slice())?;
    }
    Ok(())
}

/// Why a conversation could not be written.
enum NotWritten {
    Storage(redb::StorageError),
    Encoding(Error),
}

impl From<redb::StorageError> for NotWritten {
    fn from(error: redb::StorageError) -> Self {
        Self::Storage(error)
    }
}

impl From<Error> for NotWritten {
    fn from(error: Error) -> Self {
        Self::Encoding(error)
    }
}

impl From<NotWritten> for redb::Error {
    fn from(error: NotWritten) -> Self {
        match error {
            NotWritten::Storage(error) => error.into(),
            NotWritten::Encoding(error) => Self::Io(io::Error::other(error)),
        }
    }
}

fn write_conversations(
    transaction: &WriteTransaction,
    change: &JournalChange<'_>,
) -> std::result::Result<(), redb::Error> {
    let changes = &change.conversations;
    if changes.is_empty() && !change.is_whole {
        return Ok(());
    }
    let mut conversations = transaction.open_table(CONVERSATIONS)?;
    let mut insert = |number: u64, record: &[u8]| {
        conversations.insert(number, framed(&conversation_name(number), record).as_slice()).map(drop)
    };
    for (number, record) in &changes.changed {
        insert(*number, record)?;
    }
    changes.for_each_followed(|number, record| insert(number, record).map_err(NotWritten::from))?;
    for number in &changes.forgotten {
        conversations.remove(number)?;
    }
    let mut counters = transaction.open_table(COUNTERS)?;
    for (account, time) in &changes.watermarks {
        counters.insert(format!("{WATERMARK}{account}").as_str(), time.unsigned_abs())?;
    }
    for (account, time) in changes.beginnings.iter().filter(|(_, time)| *time >= 0) {
        counters.insert(format!("{STREAM}{account}").as_str(), time.unsigned_abs())?;
    }
    Ok(())
}

fn write_counters(
    transaction: &WriteTransaction,
    change: &JournalChange<'_>,
    commits: u64,
) -> std::result::Result<(), redb::Error> {
    let mut counters = transaction.open_table(COUNTERS)?;
    for (account, time) in &change.arrivals {
        counters.insert(format!("{ARRIVAL}{account}").as_str(), time.unsigned_abs())?;
    }
    counters.insert(COMMITS, commits)?;
    Ok(())
}

fn write_files(
    transaction: &WriteTransaction,
    change: &JournalChange<'_>,
    next_file: u64,
) -> std::result::Result<(), redb::Error> {
    let mut files = transaction.open_table(FILES)?;
    let mut retired = transaction.open_table(RETIRED)?;
    let mut checksums = transaction.open_table(CHECKSUMS)?;
    let added = change.added.iter().filter_map(|file| Some((file.number, file.verified.as_ref()?)));
    for (number, verified) in added.chain(change.verified.iter().map(|(number, verified)| (*number, verified))) {
        let value = framed(&file_name(CHECKSUMS_OF, number), &verified.encode());
        checksums.insert(number, value.as_slice())?;
    }
    for number in change.retired.iter().map(|file| &file.number).chain(&change.lost) {
        checksums.remove(number)?;
    }
    for file in &change.added {
        files.insert(file.number, file_value("file", file).as_slice())?;
    }
    for file in &change.retired {
        files.remove(file.number)?;
        retired.insert(file.number, file_value("retired file", file).as_slice())?;
    }
    for number in &change.gone {
        retired.remove(number)?;
    }
    for number in &change.lost {
        files.remove(number)?;
    }
    transaction.open_table(COUNTERS)?.insert(NEXT_FILE, next_file)?;
    Ok(())
}

fn file_value(kind: &str, file: &FileRecord) -> Vec<u8> {
    // A record of numbers and a text always has a JSON form.
    let json = serde_json::to_vec(file).unwrap_or_default();
    framed(&file_name(kind, file.number), &json)
}
