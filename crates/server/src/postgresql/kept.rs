//! How much a client may leave on the server between its messages: prepared statements, portals with bound values,
//! cursors, and savepoints.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::memory::{Full, MessageMemory, Reserved};

/// Prepared statements of a connection.
pub(super) const STATEMENTS: usize = 10_000;

/// Portals of a connection.
const PORTALS: usize = 1_000;

/// Cursors of a connection.
const CURSORS: usize = 100;

/// Savepoints of a transaction.
const SAVEPOINTS: usize = 10_000;

/// What all of that takes together in a connection, with the rows to which cursors can go back.
const KEPT_BYTES: usize = 32 << 20;

/// What a statement or a portal takes beside its texts and values.
const OVERHEAD_BYTES: usize = 1 << 10;

/// Why a client may not leave more.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("a connection has at most {STATEMENTS} prepared statements; DEALLOCATE some")]
    Statements,
    #[error("a connection has at most {PORTALS} portals; close some")]
    Portals,
    #[error("a connection has at most {CURSORS} cursors; close some")]
    Cursors,
    #[error("a transaction has at most {SAVEPOINTS} savepoints; release some")]
    Savepoints,
    #[error("the rows that cursors with SCROLL keep take at most {} MiB in a connection; NO SCROLL keeps none", KEPT_BYTES >> 20)]
    Rows,
    #[error("the prepared statements and bound values of a connection take at most {} MiB", KEPT_BYTES >> 20)]
    Bytes,
    #[error("{0}")]
    Full(#[from] Full),
}

/// What is left by one connection.
#[derive(Debug)]
pub(super) struct Kept {
    memory: MessageMemory,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    statements: AtomicUsize,
    portals: AtomicUsize,
    cursors: AtomicUsize,
    savepoints: AtomicUsize,
    rows: AtomicUsize,
    bytes: AtomicUsize,
}

/// A statement, a portal or the like that is counted until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    kind: Kind,
    bytes: usize,
    counts: Arc<Counts>,
    _reserved: Reserved,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Statement,
    Portal,
    Cursor,
    Savepoint,
    /// Rows to which a cursor can go back.
    Rows,
}

impl Counts {
    fn of(&self, kind: Kind) -> &AtomicUsize {
        match kind {
            Kind::Statement => &self.statements,
            Kind::Portal => &self.portals,
            Kind::Cursor => &self.cursors,
            Kind::Savepoint => &self.savepoints,
            Kind::Rows => &self.rows,
        }
    }
}

impl Kept {
    pub(super) fn new(memory: MessageMemory) -> Self {
        Self { memory, counts: Arc::default() }
    }

    /// A place for something whose texts and values take `bytes`.
    pub(super) fn place(&self, kind: Kind, bytes: usize) -> Result<Place, Refusal> {
        let bytes = bytes.saturating_add(OVERHEAD_BYTES);
        let (most, refusal) = match kind {
            Kind::Statement => (STATEMENTS, Refusal::Statements),
            Kind::Portal => (PORTALS, Refusal::Portals),
            Kind::Cursor => (CURSORS, Refusal::Cursors),
            Kind::Savepoint => (SAVEPOINTS, Refusal::Savepoints),
            Kind::Rows => (usize::MAX, Refusal::Rows),
        };
        // One task alone adds to them.
        if self.counts.of(kind).load(Ordering::Relaxed) >= most {
            return Err(refusal);
        }
        if self.counts.bytes.load(Ordering::Relaxed).saturating_add(bytes) > KEPT_BYTES {
            return Err(if matches!(kind, Kind::Rows) { Refusal::Rows } else { Refusal::Bytes });
        }
        let reserved = self.memory.try_reserve(bytes)?;
        self.counts.of(kind).fetch_add(1, Ordering::Relaxed);
        self.counts.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(Place { kind, bytes, counts: Arc::clone(&self.counts), _reserved: reserved })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.counts.of(self.kind).fetch_sub(1, Ordering::Relaxed);
        self.counts.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_until_they_are_dropped() {
        let memory = MessageMemory::new(64 << 20);
        let kept = Kept::new(memory.clone());
        let mut places: Vec<Place> = (0..PORTALS).map(|_| kept.place(Kind::Portal, 0).unwrap()).collect();
        assert_eq!(kept.place(Kind::Portal, 0).unwrap_err(), Refusal::Portals);
        assert!(kept.place(Kind::Statement, 0).is_ok());
        assert_eq!(kept.place(Kind::Statement, KEPT_BYTES).unwrap_err(), Refusal::Bytes);
        places.pop();
        assert!(kept.place(Kind::Portal, 0).is_ok());
        places.clear();
        assert_eq!(memory.taken(), 0);
    }

    #[test]
    fn all_connections_share_a_memory() {
        let memory = MessageMemory::new(4 << 10);
        let (one, other) = (Kept::new(memory.clone()), Kept::new(memory));
        let _place = one.place(Kind::Statement, 2 << 10).unwrap();
        assert!(matches!(other.place(Kind::Statement, 2 << 10), Err(Refusal::Full(_))));
    }
}
