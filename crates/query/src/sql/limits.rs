//! The limits of statements.

use std::path::PathBuf;
use std::time::Duration;

use skillscope_store::memory_share;

/// The limits of analysts' statements, for all of them together unless a field says otherwise.
#[derive(Debug, Clone)]
pub struct SqlLimits {
    /// Memory for sorting, joining and grouping, in bytes. A statement that needs more spills to disk, or fails.
    pub memory_bytes: usize,
    /// The folder to spill to; `None` for the system's folder for temporary files.
    pub spill_folder: Option<PathBuf>,
    /// Disk space to spill to, in bytes.
    pub spill_bytes: u64,
    /// The longest time of one statement, from its arrival to its last row.
    pub time: Duration,
    /// The most statements that are at work at a time. One whose reader takes no rows is not at work.
    pub running: usize,
    /// The longest time that a statement waits for its turn.
    pub patience: Duration,
    /// The longest time that the reader of an answer may take to take the next rows, unless its session
    /// [has pauses](crate::SqlSession::with_pauses).
    pub stall: Duration,
    /// A report or a statement that takes as long or longer is logged with its plan; `None` for none.
    pub slow: Option<Duration>,
}

impl Default for SqlLimits {
    /// [A share](Self::MEMORY_PERCENT) of the memory.
    fn default() -> Self {
        Self {
            memory_bytes: usize::try_from(memory_share(Self::MEMORY_PERCENT)).unwrap_or(usize::MAX),
            spill_folder: None,
            spill_bytes: Self::SPILL_BYTES,
            time: Duration::from_secs(Self::SECONDS),
            running: Self::RUNNING,
            patience: Duration::from_secs(5),
            stall: Duration::from_secs(Self::STALL_SECONDS),
            slow: None,
        }
    }
}

impl SqlLimits {
    /// The default of [`memory_bytes`](Self::memory_bytes), in hundredths of [the memory](skillscope_store::memory_bytes).
    pub const MEMORY_PERCENT: u64 = 14;

    /// The default of [`spill_bytes`](Self::spill_bytes).
    pub const SPILL_BYTES: u64 = 16 << 30;

    /// The default of [`time`](Self::time), in seconds.
    pub const SECONDS: u64 = 300;

    /// The default of [`stall`](Self::stall), in seconds.
    pub const STALL_SECONDS: u64 = 60;

    /// The default of [`running`](Self::running).
    pub const RUNNING: usize = 8;
}
