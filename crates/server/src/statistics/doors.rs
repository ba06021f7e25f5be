//! The connections of a door.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::connections::{Door, DoorCounts, DoorNumbers};
use crate::once_per_minute::OncePerMinute;

/// Counts the connections of a door, once that is open.
#[derive(Default)]
pub(crate) struct DoorStatistics(Mutex<Watched>);

#[derive(Default)]
struct Watched {
    door: Option<DoorCounts>,
    late: Option<Arc<OncePerMinute>>,
}

impl DoorStatistics {
    /// Reads what `door` counts from now on.
    pub(crate) fn watch(&self, door: &Door) {
        self.watch_counts(door.counts());
    }

    /// The same by the counts alone.
    pub(crate) fn watch_counts(&self, counts: DoorCounts) {
        self.0.lock().door = Some(counts);
    }

    /// Reads how many of its connections did not send their request in time.
    pub(crate) fn watch_late(&self, late: Arc<OncePerMinute>) {
        self.0.lock().late = Some(late);
    }

    pub(crate) fn read(&self) -> DoorNumbers {
        let watched = self.0.lock();
        let late = watched.late.as_ref().map_or(0, |late| late.total());
        watched.door.as_ref().map_or_else(DoorNumbers::default, |door| DoorNumbers { late, ..door.read() })
    }
}
