//! The size of threads that run SQL.

/// The stack of a thread. Nested SQL expressions are evaluated recursively. Pages that are not used take no memory.
pub(crate) const SQL_STACK_BYTES: usize = 16 << 20;
