//! Lines of the log about what took long, with the plan that it ran.

use std::fmt::Display;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;

use crate::Scope;

/// So many characters are logged of a plan, and of a statement.
const SHOWN: usize = 16 << 10;

/// What a report or a statement took if that is too long; `None` else, and where nothing is too long.
fn too_long(begun: Instant, limit: Option<Duration>) -> Option<u64> {
    let taken = begun.elapsed();
    limit.filter(|limit| taken >= *limit).map(|_| u64::try_from(taken.as_millis()).unwrap_or(u64::MAX))
}

/// Logs a report that took longer than `limit`.
pub(crate) fn log_report(begun: Instant, limit: Option<Duration>, account: &str, plan: &impl Display) {
    if let Some(milliseconds) = too_long(begun, limit) {
        let plan = shown(&plan.to_string());
        tracing::warn!(account, milliseconds, plan, "a slow report");
    }
}

/// Logs a statement that took longer than `limit`, from its arrival to its last row. It has no plan if it ended before
/// it had been planned.
pub(crate) fn log_statement(
    begun: Instant,
    limit: Option<Duration>,
    (scope, door): (&Scope, &str),
    statement: &str,
    plan: Option<&Arc<dyn ExecutionPlan>>,
) {
    if let Some(milliseconds) = too_long(begun, limit) {
        let account = scope.account().map_or("*", |account| account.as_str());
        let plan = plan.map(|plan| DisplayableExecutionPlan::with_metrics(plan.as_ref()).indent(false).to_string());
        let (statement, plan) = (shown(statement), shown(&plan.unwrap_or_default()));
        tracing::warn!(account, door, milliseconds, statement, plan, "a slow statement");
    }
}

/// The beginning of a text, which may be of any length.
fn shown(text: &str) -> String {
    let end = text.char_indices().nth(SHOWN).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_as_long_as_the_limit_is_too_long() {
        let begun = Instant::now();
        assert!(too_long(begun, Some(Duration::ZERO)).is_some());
        assert_eq!(too_long(begun, Some(Duration::from_secs(3600))), None);
        assert_eq!(too_long(begun, None), None);
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(shown("a plan\n"), "a plan");
        assert_eq!(shown(&"é".repeat(SHOWN + 1)), "é".repeat(SHOWN));
    }
}
