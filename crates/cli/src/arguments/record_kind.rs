//! The kinds of records that `import` reads and `generate` writes.

/// The kinds of records that can be imported and generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordKind {
    /// Closed segments.
    Segments,
    /// Conversation events.
    Events,
    /// Exports of message history.
    History,
}
