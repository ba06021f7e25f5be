//! Where an import stores its records: a data directory, or a running server.

use anyhow::Result;
use arrow::array::RecordBatch;
use skillscope_segment::{EventBatch, ToldRecord};
use skillscope_store::{Appended, Store, StoreOptions};

use crate::arguments::ImportRecords;
use crate::output;
use crate::remote::RemoteServer;

/// Rows that a directory stores at once: many, so that few files are written.
const DIRECTORY_CHUNK_ROWS: usize = 1 << 18;

/// Rows that are sent to a server at once: about half a megabyte.
const REMOTE_CHUNK_ROWS: usize = 1 << 12;

/// The place into which records are loaded.
pub(super) enum Destination {
    Directory(Box<Store>),
    Server(RemoteServer),
}

impl Destination {
    pub(super) fn open(command: &ImportRecords) -> Result<Self> {
        let address = &command.arguments().store;
        if let Some(url) = &address.url {
            return Ok(Self::Server(RemoteServer::at(url, &address.client)?));
        }
        let archive_group_readable = Some(command.arguments().archive_access.archive_group_readable);
        let mut options = StoreOptions { archive_group_readable, ..StoreOptions::default() };
        command.set(&mut options);
        let data_dir = &address.directory.data_dir;
        Ok(match Store::open_with(data_dir, options) {
            Ok(store) => Self::Directory(Box::new(store)),
            Err(error) => Self::Server(RemoteServer::that_has_open(data_dir, error)?),
        })
    }

    pub(super) fn chunk_rows(&self) -> usize {
        match self {
            Self::Directory(_) => DIRECTORY_CHUNK_ROWS,
            Self::Server(_) => REMOTE_CHUNK_ROWS,
        }
    }

    pub(super) fn append(&self, batch: &RecordBatch) -> Result<Appended> {
        match self {
            Self::Directory(store) => maintained(store, store.append(batch)?),
            Self::Server(server) => server.append(batch),
        }
    }

    pub(super) fn append_history(&self, batch: &RecordBatch, lines: &[u64], told: Vec<ToldRecord>) -> Result<Appended> {
        match self {
            Self::Directory(store) => {
                let told = told.into_iter().map(|record| record.told).collect();
                maintained(store, store.append_history(batch, told)?)
            }
            Self::Server(server) => server.append_history(lines, &told),
        }
    }

    /// Whether records are sent on as they are.
    pub(super) fn is_server(&self) -> bool {
        matches!(self, Self::Server(_))
    }

    pub(super) fn append_events(&self, events: EventBatch) -> Result<Appended> {
        match self {
            Self::Directory(store) => maintained(store, store.append_events(events, false)?),
            Self::Server(server) => server.append_events(&events),
        }
    }

    /// Prepares for the next file of events, whose times need not follow those of the file before.
    pub(super) fn begin_file(&self) {
        if let Self::Directory(store) = self {
            store.restart_event_time();
        }
    }

    /// Archives the hours that are over, and complains of events that had no effect.
    pub(super) fn finish(&self) -> Result<()> {
        let Self::Directory(store) = self else { return Ok(()) };
        for (reason, count) in store.dead_letters() {
            let folder = store.dead_letter_folder();
            let folder = folder.display();
            output::complain(&format!("without effect, and kept in {folder}: {count} ({reason})"));
        }
        Ok(store.seal_finished_hours()?)
    }
}

/// Archives what is due between two batches, since the whole input may be larger than memory.
fn maintained(store: &Store, appended: Appended) -> Result<Appended> {
    while store.maintain()? {}
    Ok(appended)
}
