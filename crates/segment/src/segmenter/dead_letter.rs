//! Events without effect, and why.

use std::io::Write;

use crate::Event;

/// Why an event is a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum Impossible {
    /// Its conversation has not started.
    #[error("its conversation has not started")]
    NotStarted,
    /// Its conversation is closed, and the event is no resume.
    #[error("its conversation is closed, and only a resume can follow")]
    AfterClose,
    /// Its conversation has started before.
    #[error("its conversation has started before")]
    StartedTwice,
    /// It resumes an open conversation.
    #[error("its conversation is open, and only a closed one can be resumed")]
    ResumedWhileOpen,
    /// It arrived after later events had stopped waiting for it.
    #[error("it came so late that the events after it went ahead")]
    TooLate,
}

impl Impossible {
    /// Every reason.
    pub const ALL: [Self; 5] =
        [Self::NotStarted, Self::AfterClose, Self::StartedTwice, Self::ResumedWhileOpen, Self::TooLate];

    /// A word for the reason.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::AfterClose => "after_close",
            Self::StartedTwice => "started_twice",
            Self::ResumedWhileOpen => "resumed_while_open",
            Self::TooLate => "too_late",
        }
    }
}

/// An event without effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The event.
    pub event: Event<Box<str>>,
    /// Why it has no effect.
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
