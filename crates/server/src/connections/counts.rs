//! What a door counts of its connections.

use std::sync::Arc;

use super::slots::Slots;
use crate::once_per_minute::OncePerMinute;

/// The connections of a door at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DoorNumbers {
    /// Connections that are open.
    pub(crate) open: u64,
    /// The most that may be.
    pub(crate) limit: u64,
    /// Connections that were let in so far.
    pub(crate) accepted: u64,
    /// Connections that were turned away.
    pub(crate) turned_away: u64,
    /// Connections that were closed because nobody read the answer.
    pub(crate) unread: u64,
    /// Connections that were closed because a request did not come in time.
    pub(crate) late: u64,
}

/// Reads what a door counts, also once the door is closed.
#[derive(Clone)]
pub(crate) struct DoorCounts {
    pub(super) slots: Arc<Slots>,
    pub(super) turned_away: Arc<OncePerMinute>,
}

impl DoorCounts {
    pub(crate) fn read(&self) -> DoorNumbers {
        DoorNumbers { turned_away: self.turned_away.total(), ..self.slots.read() }
    }
}
