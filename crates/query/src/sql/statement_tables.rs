//! What one statement can name.

use datafusion::error::Result;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;

/// The tables that one statement sees, and the place where it runs.
pub trait StatementTables: Send + Sync + 'static {
    /// The state in which the statement is planned: `base`, which has functions, optimizer rules and disk space to
    /// spill to, and in addition the tables.
    ///
    /// # Errors
    /// Where the tables cannot be planned over.
    fn state(&self, base: &SessionState) -> Result<SessionState>;

    /// The number of steps by which one mention of a table makes a plan larger, where a table is a plan itself.
    fn steps_of_table(&self) -> usize {
        1
    }

    /// Whether statements have PostgreSQL's meaning where DataFusion has another: where they run in this process, with
    /// the functions and rules of ours.
    fn has_our_meaning(&self) -> bool {
        true
    }

    /// Whether statements do nothing but read: they call no function that changes something either.
    fn only_reads(&self) -> bool {
        false
    }

    /// The state that plans how the checked statement is run, if it runs outside this process, such as on a cluster.
    ///
    /// # Errors
    /// Where it cannot be told.
    fn outside(&self, _statement: &LogicalPlan) -> Result<Option<SessionState>> {
        Ok(None)
    }
}
