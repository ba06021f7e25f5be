//! Memory by what it is for.

use skillscope_query::SqlLoad;
use skillscope_store::MemoryInUse;

use super::{Definition, Exposition, word};
use crate::memory_budget::Budget;

const USED: Definition = Definition::gauge(
    "skillscope_memory",
    &["use"],
    "Memory by what it is for: hot_rows, hot_totals and hot_keys (segments in memory, their running totals and keys), archived_totals and archived_keys (of files), request_bodies, reports (large ones), sql.",
)
.in_bytes();

const LIMIT: Definition = Definition::gauge(
    "skillscope_memory_limit",
    &["use"],
    "The most memory for a use: hot is for rows, totals and keys together; archived_totals is for files older than the hot hours.",
)
.in_bytes();

/// The memory that requests share.
pub(crate) struct Budgets {
    pub(crate) bodies: Budget,
    pub(crate) reports: Budget,
}

pub(super) fn add(all: &mut Exposition, memory: &MemoryInUse, load: &SqlLoad, budgets: &Budgets) {
    let used = [
        ("hot_rows", memory.rows),
        ("hot_totals", memory.totals),
        ("hot_keys", memory.keys),
        ("archived_totals", memory.archived_totals),
        ("archived_keys", memory.archived_keys),
        ("request_bodies", budgets.bodies.used),
        ("reports", budgets.reports.used),
        ("sql", load.memory_bytes),
    ];
    let limits = [
        ("hot", memory.hot_limit),
        ("archived_totals", memory.archived_totals_limit),
        ("request_bodies", budgets.bodies.most),
        ("reports", budgets.reports.most),
        ("sql", load.memory_limit_bytes),
    ];
    all.family(&USED, used.map(|(of, bytes)| ([word(of)], bytes.into())));
    all.family(&LIMIT, limits.map(|(of, bytes)| ([word(of)], bytes.into())));
}
