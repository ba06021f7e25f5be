//! The size of threads that run plans.

/// The stack of a thread. Nested SQL expressions are evaluated recursively. Pages that are not used take no memory.
pub(crate) const SQL_STACK_BYTES: usize = 16 << 20;

/// The stack of a thread that counts over an archive. Plans over many files nest deeply.
pub(crate) const PLAN_STACK_BYTES: usize = 8 << 20;
