//! Cursors: statements whose rows a client takes a few at a time, in any of the ways of `FETCH`.

mod cursor;
mod kept_rows;
mod source;
mod table;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use arrow::datatypes::SchemaRef;
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::command::Declaration;
use super::error::{SqlState, error};
use super::kept::Place;
pub(super) use cursor::{Cursor, batches};
pub(super) use table::{CursorTable, FUNCTION, read_cursors};

/// The cursors of one connection.
#[derive(Debug, Default)]
pub(super) struct Cursors(Mutex<HashMap<String, Entry>>);

/// A cursor that is open, and what is known of it while it is at work.
#[derive(Debug)]
struct Entry {
    cursor: Arc<AsyncMutex<Cursor>>,
    about: About,
    /// How many savepoints there were when it was made in a transaction that still goes on.
    depth: Option<usize>,
    _place: Place,
}

/// What is known of a cursor.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub(super) schema: SchemaRef,
    pub(super) declaration: Arc<Declaration>,
    pub(super) made: SystemTime,
}

impl Cursors {
    /// Whether a name is free.
    pub(super) fn check(&self, name: &str) -> PgWireResult<()> {
        match self.0.lock().contains_key(name) {
            true => Err(error(SqlState::DuplicateCursor, format!("cursor \"{name}\" already exists"))),
            false => Ok(()),
        }
    }

    /// Adds a cursor. `depth` is the number of savepoints of its transaction, if it is made in one.
    pub(super) fn add(&self, cursor: Cursor, about: About, depth: Option<usize>, place: Place) {
        let name = about.declaration.name.clone();
        let cursor = Arc::new(AsyncMutex::new(cursor));
        self.0.lock().insert(name, Entry { cursor, about, depth, _place: place });
    }

    /// What is known of the cursor of this name.
    pub(super) fn about(&self, name: &str) -> Option<About> {
        self.0.lock().get(name).map(|entry| entry.about.clone())
    }

    /// What is known of each of them.
    pub(super) fn all(&self) -> Vec<About> {
        self.0.lock().values().map(|entry| entry.about.clone()).collect()
    }

    /// The cursor of this name and its columns, for whoever moves it.
    pub(super) fn take(&self, name: &str) -> PgWireResult<(OwnedMutexGuard<Cursor>, SchemaRef)> {
        let known = |entry: &Entry| (Arc::clone(&entry.cursor), Arc::clone(&entry.about.schema));
        let (cursor, schema) = self.0.lock().get(name).map(known).ok_or_else(|| missing(name))?;
        // A portal that is suspended may be in the midst of its rows.
        let in_use = |_| error(SqlState::NotInState, format!("cursor \"{name}\" is in use by a portal"));
        Ok((cursor.try_lock_owned().map_err(in_use)?, schema))
    }

    /// Closes the cursor of this name.
    pub(super) fn close(&self, name: &str) -> PgWireResult<()> {
        self.remove(name).then_some(()).ok_or_else(|| missing(name))
    }

    /// Closes the cursor of this name, if there is one.
    pub(super) fn remove(&self, name: &str) -> bool {
        let removed = self.0.lock().remove(name);
        removed.is_some()
    }

    /// Closes all of them.
    pub(super) fn close_all(&self) {
        let all = std::mem::take(&mut *self.0.lock());
        drop(all);
    }

    /// The transaction has ended. Those that were made in it stay where it was committed and they are `WITH HOLD`.
    pub(super) fn end(&self, is_committed: bool) {
        let mut cursors = self.0.lock();
        cursors.retain(|_, entry| entry.depth.is_none() || (is_committed && entry.about.declaration.is_held));
        cursors.values_mut().for_each(|entry| entry.depth = None);
    }

    /// There are only so many savepoints left, and what was made since the last of them is gone.
    pub(super) fn roll_back_to(&self, depth: usize) {
        self.0.lock().retain(|_, entry| entry.depth.is_none_or(|made| made < depth));
    }

    /// There are only so many savepoints left.
    pub(super) fn release(&self, depth: usize) {
        self.0.lock().values_mut().for_each(|entry| entry.depth = entry.depth.map(|made| made.min(depth)));
    }
}

fn missing(name: &str) -> PgWireError {
    error(SqlState::UnknownCursor, format!("cursor \"{name}\" does not exist"))
}
