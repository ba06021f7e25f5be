//! Too little memory: which account gives some back, and how. It is found out without holding up writers.

use skillscope_segment::AccountId;

use super::policy::pressure::{AccountInMemory, Gift, next_gift};
use super::sealing::waiting_hour;
use crate::shared::Shared;
use crate::snapshot::Snapshot;

/// What takes this part of the memory for rows is much.
const MUCH: u64 = 16;

/// But no less than this, and no more than this.
const MUCH_BYTES: std::ops::RangeInclusive<u64> = 1 << 20..=16 << 20;

/// What is given where memory is full. Nothing where it is not.
pub(super) fn gift<'s>(shared: &Shared, snapshot: &'s Snapshot) -> Option<Gift<'s>> {
    let room = shared.options().hot_bytes;
    let bytes: usize = snapshot.all_partitions().map(|partition| partition.bytes()).sum();
    let keys = shared.writer().keys().bytes();
    if (bytes + keys) as u64 <= room {
        return None;
    }
    let much = (room / MUCH).clamp(*MUCH_BYTES.start(), *MUCH_BYTES.end());
    let much = usize::try_from(much).unwrap_or(usize::MAX);
    let accounts = snapshot.accounts().map(|account| in_memory(snapshot, account));
    next_gift(accounts, much, shared.options().clock.now())
}

fn in_memory<'s>(snapshot: &'s Snapshot, account: &'s AccountId) -> AccountInMemory<'s> {
    let partitions = || snapshot.partitions(account);
    AccountInMemory {
        account,
        bytes: partitions().map(|partition| partition.bytes()).sum(),
        oldest_sealed: partitions().filter(|partition| !partition.sealed().is_empty()).map(|hour| hour.hour()).min(),
        waiting: partitions().filter_map(|partition| waiting_hour(partition)).collect(),
    }
}
