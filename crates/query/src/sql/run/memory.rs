//! The memory of statements, shared fairly.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use datafusion::common::resources_err;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool, MemoryReservation};

/// The memory that all statements share. A statement that runs alone may use three quarters of it; several at a time
/// share these three quarters equally. The last quarter is for the next statement, however much the others have taken.
#[derive(Debug)]
pub(in crate::sql) struct SqlMemory {
    bytes: usize,
    used: AtomicUsize,
    statements: AtomicUsize,
}

impl SqlMemory {
    pub(in crate::sql) fn new(bytes: usize) -> Self {
        Self { bytes, used: AtomicUsize::new(0), statements: AtomicUsize::new(0) }
    }

    /// The bytes that all statements use now.
    pub(in crate::sql) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// The bytes that one statement may use now.
    fn share(&self) -> usize {
        self.bytes / 4 * 3 / self.statements.load(Ordering::Relaxed).max(1)
    }
}

/// The memory of one statement.
#[derive(Debug)]
pub(in crate::sql) struct StatementMemory {
    shared: Arc<SqlMemory>,
    used: AtomicUsize,
    /// Whether it is one of those that share. One that is only planned is not, for however long that goes on.
    shares: AtomicBool,
}

impl StatementMemory {
    pub(in crate::sql) fn new(shared: Arc<SqlMemory>) -> Self {
        Self { shared, used: AtomicUsize::new(0), shares: AtomicBool::new(false) }
    }

    fn share(&self) {
        if !self.shares.swap(true, Ordering::Relaxed) {
            self.shared.statements.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for StatementMemory {
    fn drop(&mut self) {
        if self.shares.load(Ordering::Relaxed) {
            self.shared.statements.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl fmt::Display for StatementMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl MemoryPool for StatementMemory {
    fn name(&self) -> &str {
        "statement"
    }

    fn grow(&self, _reservation: &MemoryReservation, additional: usize) {
        self.share();
        self.used.fetch_add(additional, Ordering::Relaxed);
        self.shared.used.fetch_add(additional, Ordering::Relaxed);
    }

    fn shrink(&self, _reservation: &MemoryReservation, shrink: usize) {
        self.used.fetch_sub(shrink, Ordering::Relaxed);
        self.shared.used.fetch_sub(shrink, Ordering::Relaxed);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.share();
        let own = self.used.load(Ordering::Relaxed).saturating_add(additional);
        let all = self.shared.used.load(Ordering::Relaxed).saturating_add(additional);
        if own > self.shared.share() || all > self.shared.bytes {
            let consumer = reservation.consumer().name();
            return resources_err!("{consumer} needs {additional} bytes more, and the statement has {own} then");
        }
        self.grow(reservation, additional);
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.shared.share())
    }
}
