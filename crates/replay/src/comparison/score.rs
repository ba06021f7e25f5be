//! How much a segment explains of what differs.

/// The cells that may contradict a segment before it is given up, beyond those that it explains.
const PATIENCE: u64 = 8;

/// How much a segment explains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Score {
    /// The differences that are as they would be.
    pub(super) explains: u64,
    /// Those that would be and are not.
    pub(super) contradicts: u64,
}

impl Score {
    /// A contradiction weighs more: what is missing there is missing everywhere.
    pub(super) fn net(self) -> i64 {
        let of = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        of(self.explains).saturating_sub(of(self.contradicts).saturating_mul(3))
    }

    /// Whether a segment may be why.
    pub(super) fn is_likely(self) -> bool {
        self.explains > 0 && self.contradicts.saturating_mul(2) <= self.explains
    }

    /// Whether it may be, once others are explained.
    pub(super) fn is_possible(self) -> bool {
        self.explains > 0 && self.contradicts <= self.explains
    }

    /// Whether nobody need look any further.
    pub(super) fn is_hopeless(self) -> bool {
        self.contradicts > self.explains.saturating_add(PATIENCE)
    }
}
