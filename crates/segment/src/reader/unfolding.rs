//! How far an input may unfold. In formats with dictionaries, run lengths or compression of their own, a few bytes can
//! stand for any number of records.

use crate::{Error, Result};

/// What a record counts for beside its texts, in bytes: about what its other fields take in memory.
pub(super) const ROW_BYTES: u64 = 128;

/// The bytes that an input has unfolded to, and may unfold to.
#[derive(Debug)]
pub(super) struct Unfolding {
    bytes: u64,
    most: Option<u64>,
}

impl Unfolding {
    /// An input that may unfold to `most` bytes; `None` is any number.
    pub(super) fn within(most: Option<u64>) -> Self {
        Self { bytes: 0, most }
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// [`Error::UnfoldsTooFar`] where there are too many now.
    pub(super) fn add(&mut self, bytes: u64) -> Result<()> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.allows(self.bytes)
    }

    /// Whether an input may unfold to so many bytes.
    ///
    /// # Errors
    /// [`Error::UnfoldsTooFar`] where it may not.
    pub(super) fn allows(&self, bytes: u64) -> Result<()> {
        match self.most {
            Some(most) if bytes > most => Err(Error::UnfoldsTooFar { most }),
            _ => Ok(()),
        }
    }
}
