//! Merging small runs in memory.

use std::sync::Arc;

use super::policy::runs::{RunSize, runs_to_merge};
use crate::rows::partition::Partition;
use crate::rows::run::Run;
use crate::shared::Shared;

/// Merges the small runs of each partition that has many; tells whether there was one. Writers are not held up.
pub(super) fn merge_runs(shared: &Shared) -> bool {
    let snapshot = shared.snapshot();
    snapshot.all_partitions().filter(|partition| merge_runs_of(shared, partition)).count() > 0
}

fn merge_runs_of(shared: &Shared, partition: &Partition) -> bool {
    let open = due(partition.open());
    let pieces = if open.is_empty() { due(partition.sealed()) } else { open };
    // Runs that cannot be merged are as good as one: they stay apart.
    let Some(Ok(merged)) = (!pieces.is_empty()).then(|| Run::merged(pieces)) else { return false };
    let mut writer = shared.writer();
    let snapshot = writer.snapshot();
    let (account, hour) = (partition.account(), partition.hour());
    let now = snapshot.partition(account, hour).map(|partition| partition.as_ref().clone());
    let Some(with_merged) = now.and_then(|partition| partition.with_merged(pieces, merged)) else { return false };
    writer.publish(snapshot.with_partition(account, hour, |_| with_merged));
    true
}

fn due(runs: &[Arc<Run>]) -> &[Arc<Run>] {
    let sizes: Vec<_> = runs.iter().map(|run| RunSize { rows: run.rows(), bytes: run.bytes }).collect();
    runs.get(runs_to_merge(&sizes)).unwrap_or_default()
}
