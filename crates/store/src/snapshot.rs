use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use skillscope_segment::AccountId;

use crate::partition::Run;
use crate::{Partition, Result};

/// All stored segments at one moment. Later writes do not change it.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    accounts: BTreeMap<AccountId, Arc<Hours>>,
}

type Hours = BTreeMap<i64, Arc<Partition>>;

impl Snapshot {
    /// The accounts that have segments, in alphabetical order.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.accounts.keys()
    }

    /// The account with this identifier, where it has segments.
    pub fn account(&self, id: &str) -> Option<&AccountId> {
        self.accounts.get_key_value(id).map(|(account, _)| account)
    }

    /// The partitions of `account`, oldest first; none for an account without segments.
    pub fn partitions<'a>(&'a self, account: &AccountId) -> impl Iterator<Item = &'a Arc<Partition>> + use<'a> {
        self.accounts.get(account).into_iter().flat_map(|hours| hours.values())
    }

    /// This snapshot with the rows of `runs` added. Partitions that they do not touch are shared.
    pub(crate) fn extended(&self, runs: &[Run]) -> Result<Self> {
        let mut accounts = self.accounts.clone();
        for run in runs {
            let hours = Arc::make_mut(accounts.entry(run.account.clone()).or_default());
            match hours.entry(run.hour) {
                Entry::Vacant(hour) => {
                    hour.insert(Arc::new(Partition::new(run)?));
                }
                Entry::Occupied(mut hour) => Arc::make_mut(hour.get_mut()).push(run)?,
            }
        }
        Ok(Self { accounts })
    }
}
