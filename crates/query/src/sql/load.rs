//! What statements take at a moment.

/// What statements take at a moment, and the limits of it.
#[derive(Debug, Clone)]
pub struct SqlLoad {
    /// The number of statements in each phase.
    pub statements: Vec<(&'static str, u64)>,
    /// The most that may be at work at a time.
    pub most_at_work: u64,
    /// Memory of all statements, in bytes.
    pub memory_bytes: u64,
    /// Its limit.
    pub memory_limit_bytes: u64,
    /// Disk space that statements have spilled to, in bytes.
    pub spill_bytes: u64,
    /// Its limit.
    pub spill_limit_bytes: u64,
}
