//! What the clients of a protocol expect beside the tables.

use std::fmt;
use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::session_state::SessionState;

use super::Schemas;

/// A catalog of another system, which the clients of its protocol ask about tables. It is asked for each statement, so
/// that it tells of what the statement sees.
pub trait SessionCatalog: fmt::Debug + Send + Sync {
    /// Adds functions to the state of a statement, and gives the schemas of the catalog.
    ///
    /// # Errors
    /// Where a function cannot be added.
    fn extend(&self, state: &mut SessionState, visible: Visible) -> Result<Schemas>;
}

/// What a statement sees.
pub struct Visible {
    /// The schemas, with `information_schema`, by their names.
    pub schemas: Schemas,
    /// Finds the accounts in scope that have segments.
    pub accounts: Arc<dyn Fn() -> Vec<String> + Send + Sync>,
}

impl fmt::Debug for Visible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visible").field("schemas", &self.schemas).finish_non_exhaustive()
    }
}
