//! A disk in memory that forgets what was not synced when the power goes, and fails when it is told to.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use rand::{Rng, RngExt};

use crate::{Disk, DiskFile, InPlaceFile};

#[derive(Debug, Clone)]
pub(super) struct SimulatedDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<PathBuf, Content>,
    /// The names that are there after the power was gone.
    durable_names: BTreeMap<PathBuf, Content>,
    folders: BTreeSet<PathBuf>,
    locked: bool,
    /// Parquet files cannot be opened.
    is_archive_unreadable: bool,
    fault: Option<Fault>,
    /// Changing operations so far.
    operations: usize,
}

type Content = Arc<Mutex<FileState>>;

#[derive(Debug, Default)]
struct FileState {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// What was done to the file since it was synced.
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The operation with this number fails, if it writes.
    Write(usize),
    /// … and half of the bytes are written.
    ShortWrite(usize),
    /// There is no room for anything more, from this operation on.
    Full(usize),
    /// A sync with this number fails, what was to be synced never becomes durable, and the next sync succeeds.
    Sync(usize),
    /// The operation with this number fails, if it renames.
    Rename(usize),
    /// The operation with this number fails, whatever it is.
    Any(usize),
    /// From this operation on nothing can be written, synced or renamed, and no sync becomes durable later.
    Broken(usize),
}

#[derive(Clone, Copy, PartialEq)]
enum Operation {
    Write,
    Sync,
    Rename,
    Other,
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(start, new) => {
            let end = start + new.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*start..end].copy_from_slice(new);
        }
        Change::Length(length) => bytes.resize(*length, 0),
    }
}

impl FileState {
    fn change(&mut self, change: Change) {
        apply(&mut self.now, &change);
        self.pending.push(change);
    }

    fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            apply(&mut self.durable, &change);
        }
    }
}

impl SimulatedDisk {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn set_fault(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    /// Lets nobody open Parquet files, or lets everybody again.
    pub(super) fn set_archive_unreadable(&self, is_unreadable: bool) {
        self.state().is_archive_unreadable = is_unreadable;
    }

    /// Changing operations so far.
    pub(super) fn operations(&self) -> usize {
        self.state().operations
    }

    /// The power goes: of what was not synced, some writes are there and some are not, and a name is there or not.
    pub(super) fn cut_power(&self, random: &mut impl Rng) {
        let mut state = self.state();
        state.fault = None;
        state.locked = false;
        let mut names = state.durable_names.clone();
        for (path, content) in &state.names {
            if random.random_bool(0.5) {
                names.insert(path.clone(), Arc::clone(content));
            }
        }
        for (path, _) in state.durable_names.iter().filter(|(path, _)| !state.names.contains_key(*path)) {
            if random.random_bool(0.5) {
                names.remove(path);
            }
        }
        for content in names.values_mut() {
            let old = content.lock().unwrap();
            let mut bytes = old.durable.clone();
            for change in &old.pending {
                match change {
                    Change::Write(start, new) if random.random_bool(0.5) => {
                        // A write may be torn at any byte.
                        let end = if random.random_bool(0.2) { random.random_range(0..=new.len()) } else { new.len() };
                        apply(&mut bytes, &Change::Write(*start, new[..end].to_vec()));
                    }
                    Change::Length(_) if random.random_bool(0.5) => apply(&mut bytes, change),
                    _ => {}
                }
            }
            drop(old);
            // Those who had the file open are gone.
            *content = Arc::new(Mutex::new(FileState { now: bytes.clone(), durable: bytes, pending: Vec::new() }));
        }
        state.names = names.clone();
        state.durable_names = names;
    }

    /// The process ends; what it wrote is there.
    pub(super) fn end_process(&self) {
        self.state().locked = false;
    }

    pub(super) fn files_below(&self, folder: &str) -> Vec<String> {
        let state = self.state();
        let below = state.names.keys().filter_map(|path| path.strip_prefix(folder).ok());
        below.map(|path| path.display().to_string()).collect()
    }

    pub(super) fn read(&self, path: &str) -> Vec<u8> {
        self.state().names[Path::new(path)].lock().unwrap().now.clone()
    }

    /// Replaces a file behind the store's back.
    pub(super) fn put(&self, path: &str, bytes: Vec<u8>) {
        let content = FileState { now: bytes.clone(), durable: bytes, pending: Vec::new() };
        let content = Arc::new(Mutex::new(content));
        let mut state = self.state();
        let path = PathBuf::from(path);
        state.folders.extend(path.ancestors().skip(1).map(Path::to_owned));
        state.names.insert(path.clone(), Arc::clone(&content));
        state.durable_names.insert(path, content);
    }

    pub(super) fn take_away(&self, path: &str) {
        let mut state = self.state();
        state.names.remove(Path::new(path));
        state.durable_names.remove(Path::new(path));
    }

    /// Counts an operation, and tells whether it fails.
    fn operate(&self, operation: Operation) -> Option<Fault> {
        let mut state = self.state();
        let number = state.operations;
        state.operations += 1;
        let fault = state.fault?;
        let strikes = match fault {
            Fault::Write(at) | Fault::ShortWrite(at) => number >= at && operation == Operation::Write,
            Fault::Full(at) => return (number >= at && operation == Operation::Write).then_some(fault),
            Fault::Broken(at) => return (number >= at && operation != Operation::Other).then_some(fault),
            Fault::Sync(at) => number >= at && operation == Operation::Sync,
            Fault::Rename(at) => number >= at && operation == Operation::Rename,
            Fault::Any(at) => number >= at,
        };
        if strikes {
            state.fault = None;
        }
        strikes.then_some(fault)
    }

    fn content(&self, path: &Path) -> io::Result<Content> {
        self.state().names.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn write_bytes(&self, content: &Content, start: usize, bytes: &[u8]) -> io::Result<()> {
        let fault = self.operate(Operation::Write);
        let mut file = content.lock().unwrap();
        match fault {
            None => file.change(Change::Write(start, bytes.to_vec())),
            Some(Fault::Full(_)) => return Err(io::ErrorKind::StorageFull.into()),
            Some(Fault::ShortWrite(_)) => {
                file.change(Change::Write(start, bytes[..bytes.len() / 2].to_vec()));
                return Err(io::Error::other("a write stopped half-way"));
            }
            Some(_) => return Err(io::Error::other("a write failed")),
        }
        Ok(())
    }

    fn sync_content(&self, content: &Content) -> io::Result<()> {
        let fault = self.operate(Operation::Sync);
        let mut file = content.lock().unwrap();
        if fault.is_some() {
            file.pending.clear();
            return Err(io::Error::other("a sync failed"));
        }
        file.sync();
        Ok(())
    }

    fn other(&self) -> io::Result<()> {
        match self.operate(Operation::Other) {
            None => Ok(()),
            Some(_) => Err(io::Error::other("an operation failed")),
        }
    }
}

impl Disk for SimulatedDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.other()?;
        self.state().folders.extend(path.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
        let state = self.state();
        if !state.folders.contains(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let is_in = |entry: &&PathBuf| entry.parent() == Some(path);
        let files = state.names.keys().filter(is_in).map(|file| (file.clone(), false));
        let mut entries: Vec<_> =
            files.chain(state.folders.iter().filter(is_in).map(|folder| (folder.clone(), true))).collect();
        entries.sort();
        Ok(entries)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let content = Content::default();
        self.state().names.insert(path.to_owned(), Arc::clone(&content));
        self.write_bytes(&content, 0, bytes)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.sync_content(&self.content(path)?)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        if self.operate(Operation::Sync).is_some() {
            return Err(io::Error::other("a sync of a folder failed"));
        }
        let mut state = self.state();
        if !state.folders.contains(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let is_in = |entry: &PathBuf| entry.parent() == Some(path);
        let there: BTreeMap<_, _> = state.names.clone().into_iter().filter(|(entry, _)| is_in(entry)).collect();
        state.durable_names.retain(|entry, _| !is_in(entry));
        state.durable_names.extend(there);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.operate(Operation::Rename).is_some() {
            return Err(io::Error::other("a rename failed"));
        }
        let mut state = self.state();
        let content = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), content);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.other()?;
        self.state().names.remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn remove_empty_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let is_below = |entry: &PathBuf| entry.parent() == Some(path);
        if state.names.keys().any(is_below) || state.folders.iter().any(is_below) {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        state.folders.remove(path);
        Ok(())
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let is_parquet = path.extension().is_some_and(|extension| extension == "parquet");
        if is_parquet && self.state().is_archive_unreadable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(Arc::new(OpenFile { disk: self.clone(), content: self.content(path)? }))
    }

    fn lock(&self, _path: &Path) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
        let mut state = self.state();
        if std::mem::replace(&mut state.locked, true) {
            return Ok(None);
        }
        Ok(Some(Box::new(Lock(self.clone()))))
    }

    fn open_in_place(&self, path: &Path) -> io::Result<Box<dyn InPlaceFile>> {
        let content = Arc::clone(self.state().names.entry(path.to_owned()).or_default());
        Ok(Box::new(OpenFile { disk: self.clone(), content }))
    }
}

struct Lock(SimulatedDisk);

impl Drop for Lock {
    fn drop(&mut self) {
        self.0.end_process();
    }
}

#[derive(Debug)]
struct OpenFile {
    disk: SimulatedDisk,
    content: Content,
}

impl DiskFile for OpenFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.content.lock().unwrap().now.len() as u64)
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let file = self.content.lock().unwrap();
        let start = offset as usize;
        match file.now.get(start..start + length) {
            Some(bytes) => Ok(Bytes::copy_from_slice(bytes)),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl InPlaceFile for OpenFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.write_bytes(&self.content, offset as usize, bytes)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        if self.disk.operate(Operation::Write).is_some() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.content.lock().unwrap().change(Change::Length(length as usize));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.sync_content(&self.content)
    }
}
