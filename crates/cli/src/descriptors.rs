//! How many files and connections this process may have open.

use rustix::process::{Resource, getrlimit, setrlimit};

/// As many are kept free for files of the data directory, statements that spill, and the process itself.
const OF_FILES: u64 = 512;

/// Lets this process open as many files and connections as its user may allow it to, and returns how many connections
/// there is room for.
pub(crate) fn raise() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let mut allowed = limit.current;
    if limit.current != limit.maximum {
        let most = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
        match setrlimit(Resource::Nofile, most) {
            Ok(()) => allowed = limit.maximum,
            Err(error) => tracing::warn!(%error, "the limit of open files stays where it was"),
        }
    }
    // Without a limit, there is room for all.
    let Some(allowed) = allowed else { return usize::MAX };
    usize::try_from(allowed.saturating_sub(OF_FILES).max(allowed / 2)).unwrap_or(usize::MAX)
}
