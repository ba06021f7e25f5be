//! What the functions of the catalog tell of a session: who it is, and its settings.

use chrono::{DateTime, Utc};

use crate::postgresql::settings::Values;

/// A session, as its functions tell of it.
#[derive(Debug)]
pub(in crate::postgresql) struct SessionValues {
    pub(in crate::postgresql) database: String,
    pub(in crate::postgresql) user: String,
    pub(in crate::postgresql) pid: i32,
    /// When the server began to serve the protocol.
    pub(in crate::postgresql) started: DateTime<Utc>,
    pub(in crate::postgresql) settings: Values,
}
