//! The open conversations of all accounts.

use std::collections::BTreeMap;
use std::sync::Arc;

use skillscope_segment::AccountId;

use super::skill::OpenSkill;

/// All open conversations at one moment.
#[derive(Debug, Clone, Default)]
pub struct OpenConversations {
    pub(super) accounts: BTreeMap<AccountId, Arc<OpenAccount>>,
}

/// The open conversations of one account.
#[derive(Debug, Clone, Default)]
pub struct OpenAccount {
    /// By place, which conversations of the skill are known by. A skill without conversations gives its place to another.
    pub(super) skills: Vec<(i64, Arc<OpenSkill>)>,
}

impl OpenConversations {
    /// The accounts of which conversations are followed, in alphabetical order.
    pub fn accounts(&self) -> impl Iterator<Item = (&AccountId, &OpenAccount)> {
        self.accounts.iter().map(|(id, account)| (id, account.as_ref()))
    }

    /// The account with this identifier, if conversations of it are followed.
    pub fn account(&self, id: &str) -> Option<&OpenAccount> {
        self.accounts.get(id).map(Arc::as_ref)
    }
}

impl OpenAccount {
    /// The skills that have open conversations, in no order.
    pub fn skills(&self) -> impl Iterator<Item = (i64, &OpenSkill)> {
        self.skills.iter().map(|(id, skill)| (*id, skill.as_ref())).filter(|(_, skill)| !skill.is_empty())
    }

    /// The skill with this identifier, if it has open conversations. It is looked for among all skills.
    pub fn skill(&self, id: i64) -> Option<&OpenSkill> {
        self.skills().find(|(skill, _)| *skill == id).map(|(_, skill)| skill)
    }
}
