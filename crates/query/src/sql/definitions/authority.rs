//! Who may define.

use std::sync::Arc;

use super::temporary::TemporaryViews;
use crate::{Error, Result};

/// What a session may define. At first, nothing.
#[derive(Debug, Clone, Default)]
pub(in crate::sql) struct Authority {
    /// Whether it may add and drop what others see.
    pub(in crate::sql) administers: bool,
    /// Whether it only reads, whoever it is.
    pub(in crate::sql) only_reads: bool,
    /// Its own views, where it lasts for longer than a statement.
    pub(in crate::sql) temporary: Option<Arc<TemporaryViews>>,
}

impl Authority {
    pub(super) fn check_administers(&self) -> Result<()> {
        self.check_writes()?;
        if self.administers { Ok(()) } else { Err(Error::NotAdministrator) }
    }

    pub(super) fn check_writes(&self) -> Result<()> {
        if self.only_reads { Err(Error::ReadOnly) } else { Ok(()) }
    }
}
