use std::io::Write;

use crate::Event;

/// Why an event can have no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum Impossible {
    /// It is of a conversation that never started.
    #[error("its conversation has not started")]
    NotStarted,
    /// It came after the close, and is no resume.
    #[error("its conversation is closed, and only a resume can follow")]
    AfterClose,
    /// It starts a conversation that has started.
    #[error("its conversation has started before")]
    StartedTwice,
    /// It resumes a conversation that is open.
    #[error("its conversation is open, and only a closed one can be resumed")]
    ResumedWhileOpen,
    /// Others that follow it have been waiting for it too long.
    #[error("it came so late that the events after it went ahead")]
    TooLate,
}

/// An event that can have no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The event.
    pub event: Event<Box<str>>,
    /// Why.
    pub reason: Impossible,
}

impl DeadLetter {
    /// Writes the event as a line of NDJSON that can be read as an event again, with the reason in a field of its own.
    ///
    /// # Errors
    /// What `out` returns.
    pub fn write_line(&self, out: &mut impl Write) -> std::io::Result<()> {
        self.event.map(AsRef::as_ref).write_dead_letter(&self.reason.to_string(), out)
    }
}
