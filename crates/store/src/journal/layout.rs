//! The journal's file: its tables, and the names that its values stand under.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use redb::{Builder, Database, StorageBackend, TableDefinition};

use crate::disk::InPlaceFile;
use crate::statistics::Histogram;

/// Rows that no archive file has yet: account, hour of `end_time`, number of the entry → rows.
pub(crate) const ENTRIES: TableDefinition<(&str, i64, u64), &[u8]> = TableDefinition::new("entries");

/// The archive files whose rows count: number → [`FileRecord`](super::file_record::FileRecord).
pub(crate) const FILES: TableDefinition<u64, &[u8]> = TableDefinition::new("files");

/// Files whose rows do not count any more, and which may still be on disk: number →
/// [`FileRecord`](super::file_record::FileRecord).
pub(crate) const RETIRED: TableDefinition<u64, &[u8]> = TableDefinition::new("retired");

/// The checksums of the blocks of files on the list: number of the file → [`Verified`](super::verified::Verified).
pub(crate) const CHECKSUMS: TableDefinition<u64, &[u8]> = TableDefinition::new("checksums");

/// The conversations that are followed: number → [`ConversationRecord`](super::conversations::ConversationRecord).
pub(crate) const CONVERSATIONS: TableDefinition<u64, &[u8]> = TableDefinition::new("conversations");

/// Named numbers.
pub(crate) const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counters");

pub(crate) const NEXT_FILE: &str = "next file";

/// The name of the number of the last commit.
pub(crate) const COMMITS: &str = "commits";

/// The name of an account's watermark is this and the account.
pub(crate) const WATERMARK: &str = "watermark ";

/// The name of an account's last arrival is this and the account.
pub(crate) const ARRIVAL: &str = "arrival ";

/// The name of the time at which an account's stream began is this and the account.
pub(crate) const STREAM: &str = "stream ";

/// Names of conversations begin with this.
pub(crate) const CONVERSATION: &str = "conversation ";

/// Names of the checksums of files begin with this.
pub(crate) const CHECKSUMS_OF: &str = "checksums of file";

/// Names of entries begin with this.
pub(crate) const ENTRY: &str = "entry ";

/// Memory for pages that are read or written.
const CACHE_BYTES: usize = 8 << 20;

/// Opens the database in `file`. How long each sync takes is added to `sync_times`.
pub(crate) fn open_database(
    file: Box<dyn InPlaceFile>,
    verify: bool,
    sync_times: SyncTimes,
) -> std::result::Result<Database, redb::Error> {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(verify);
    Ok(builder.create_with_backend(Backend { file, sync_times })?)
}

pub(crate) fn entry_name((account, hour, number): (&str, i64, u64)) -> String {
    format!("{ENTRY}{number} of account {account}, hour {}", skillscope_segment::format_instant(hour))
}

pub(crate) fn conversation_name(number: u64) -> String {
    format!("{CONVERSATION}{number}")
}

pub(crate) fn file_name(kind: &str, number: u64) -> String {
    format!("{kind} {number}")
}

/// Where it is counted how long syncs take; nowhere, for a database that nobody waits for.
pub(crate) type SyncTimes = Option<Arc<Histogram>>;

/// A file as redb wants it.
#[derive(Debug)]
struct Backend {
    file: Box<dyn InPlaceFile>,
    sync_times: SyncTimes,
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.file.read_at(offset, out.len())?;
        out.copy_from_slice(&bytes);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.file.set_length(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        let start = Instant::now();
        self.file.sync()?;
        if let Some(times) = &self.sync_times {
            times.add_since(start);
        }
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, bytes)
    }
}
