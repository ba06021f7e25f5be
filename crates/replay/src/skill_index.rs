//! Numbers the skills of the accounts, so that sums are kept in an array.

use std::collections::{BTreeMap, HashMap};

/// The accounts that are reported on, and their skills. Each skill of an account has a number of its own.
#[derive(Debug)]
pub(crate) struct SkillIndex {
    accounts: Vec<AccountSkills>,
    by_account: HashMap<String, usize>,
    count: usize,
}

/// An account, and the numbers of its skills.
#[derive(Debug)]
pub(crate) struct AccountSkills {
    pub(crate) account: String,
    /// The number of each skill, in ascending order of skills.
    pub(crate) skills: BTreeMap<i64, usize>,
}

impl SkillIndex {
    pub(crate) fn of(accounts: impl IntoIterator<Item = String>) -> Self {
        let accounts: Vec<_> =
            accounts.into_iter().map(|account| AccountSkills { account, skills: BTreeMap::new() }).collect();
        let by_account = accounts.iter().enumerate().map(|(place, of)| (of.account.clone(), place)).collect();
        Self { accounts, by_account, count: 0 }
    }

    pub(crate) fn accounts(&self) -> &[AccountSkills] {
        &self.accounts
    }

    /// The number of skills of all accounts.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The number of a skill; `None` if the account is not reported on. Without an account, the only account is meant.
    pub(crate) fn number(&mut self, account: Option<&str>, skill: i64) -> Option<usize> {
        let place = match account {
            Some(account) => *self.by_account.get(account)?,
            None => 0,
        };
        let (skills, count) = (&mut self.accounts.get_mut(place)?.skills, &mut self.count);
        Some(*skills.entry(skill).or_insert_with(|| {
            *count += 1;
            *count - 1
        }))
    }
}
