//! The threads that compute, each for one kind of work. Those that serve connections only move bytes, so that whatever
//! is under way, a small answer is given at once.
//!
//! | work | threads |
//! | --- | --- |
//! | reports that take long, the writing of their bytes, and compressing them | `report.rs`, and `backlog.rs` where they come too often |
//! | reading and storing records, and copying the data directory | `blocking.rs`, fair to accounts by `fair_queue.rs` |
//! | SQL, and compressing everything but reports | those of the engine |

mod ahead;
mod backlog;
mod blocking;
mod fair_queue;
mod report;

use std::io;
use std::num::NonZeroUsize;

pub(crate) use ahead::ahead;
pub(crate) use backlog::Place;
pub(crate) use blocking::{BlockingThreads, NotDone};
pub(crate) use report::{NotComputed, ReportThreads};

/// How far threads stand back behind those that serve connections: reports before ingestion, and SQL behind both.
const REPORTS: i32 = 5;
const INGESTION: i32 = 10;

/// Threads for everything but SQL.
pub(crate) struct Threads {
    pub(crate) reports: ReportThreads,
    /// For text, whose records take little more memory than the body, which has its budget. Most wait for the disk: the
    /// more of them wait, the more is stored with one sync.
    pub(crate) text: BlockingThreads,
    /// For formats in which little can unfold to much.
    pub(crate) columns: BlockingThreads,
    pub(crate) backup: BlockingThreads,
}

impl Threads {
    const TEXT: usize = 128;

    pub(crate) fn start() -> io::Result<Self> {
        let processors = processors();
        Ok(Self {
            reports: ReportThreads::start(processors)?,
            text: BlockingThreads::start("ingest-text", Self::TEXT)?,
            columns: BlockingThreads::start("ingest-columns", processors)?,
            backup: BlockingThreads::start("backup", 2)?,
        })
    }
}

/// At least two, so that no one has all of them.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(2, NonZeroUsize::get).max(2)
}

/// Lowers the priority of this thread (on Linux it is the thread's own).
fn step_back(steps: i32) {
    if let Err(error) = rustix::process::setpriority_process(None, steps) {
        tracing::warn!(%error, "work is done at the same priority as answers");
    }
}
