use std::path::PathBuf;
use std::time::Duration;

/// What analysts' statements may use, all of them together unless it says otherwise.
#[derive(Debug, Clone)]
pub struct SqlLimits {
    /// Memory for sorting, joining and grouping, in bytes. Beyond it they spill to disk, or fail.
    pub memory_bytes: usize,
    /// Where they spill to; the system's folder for temporary files where there is none.
    pub spill_folder: Option<PathBuf>,
    /// Disk space to spill to, in bytes.
    pub spill_bytes: u64,
    /// How long one statement may take, from its arrival to its last row.
    pub time: Duration,
    /// How many run at a time.
    pub running: usize,
    /// How long one more waits for its turn.
    pub patience: Duration,
}

impl Default for SqlLimits {
    /// A quarter of the machine's memory.
    fn default() -> Self {
        Self {
            memory_bytes: usize::try_from(skillscope_store::memory_bytes() / 4).unwrap_or(usize::MAX),
            spill_folder: None,
            spill_bytes: Self::SPILL_BYTES,
            time: Duration::from_secs(Self::SECONDS),
            running: Self::RUNNING,
            patience: Duration::from_secs(5),
        }
    }
}

impl SqlLimits {
    /// The default of [`spill_bytes`](Self::spill_bytes).
    pub const SPILL_BYTES: u64 = 16 << 30;

    /// The default of [`time`](Self::time), in seconds.
    pub const SECONDS: u64 = 300;

    /// The default of [`running`](Self::running).
    pub const RUNNING: usize = 8;
}
