//! What is closed and what is open at one instant.

use std::sync::Arc;

use crate::open::OpenConversations;
use crate::snapshot::Snapshot;

/// All segments and all open conversations after the same commit: each segment is either closed or open, or not known
/// yet. Later writes do not change it.
#[derive(Debug, Clone)]
pub struct Moment {
    /// The closed segments.
    pub snapshot: Arc<Snapshot>,
    /// The conversations that are open, with their open segments.
    pub open: Arc<OpenConversations>,
}
