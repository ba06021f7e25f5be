//! Many events in one buffer.

use std::ops::Range;

use crate::Event;

/// Events in the order in which they arrived. All their text is in one buffer, so that an event costs no allocation.
#[derive(Debug, Default, Clone)]
pub struct EventBatch {
    text: String,
    events: Vec<Event<Range<usize>>>,
}

impl EventBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an event.
    pub fn push(&mut self, event: &Event<&str>) {
        let Self { text, events } = self;
        // Successive events are mostly of the same account, whose identifier is stored once.
        let account = events.last().map(|last| last.account_id.clone());
        let account = account.filter(|range| text.get(range.clone()) == Some(event.account_id));
        let mut is_account = true;
        events.push(event.map(|part| {
            if let Some(known) = account.as_ref().filter(|_| std::mem::take(&mut is_account)) {
                return known.clone();
            }
            let start = text.len();
            text.push_str(part);
            start..text.len()
        }));
    }

    /// The events.
    pub fn iter(&self) -> impl Iterator<Item = Event<&str>> {
        self.events.iter().map(|event| event.map(|range| self.text.get(range.clone()).unwrap_or_default()))
    }

    /// The number of events.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}
