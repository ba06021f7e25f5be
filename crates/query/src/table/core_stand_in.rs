//! STAND-IN for the promised types of the core; deleted at the rebase.

use std::collections::BTreeMap;
use std::sync::Arc;

use skillscope_segment::{AccountId, AgentKind, Sender, StartReason};
use skillscope_store::{Snapshot, Store};

pub(crate) struct OpenSegment<'c> {
    pub(crate) segment_index: u32,
    pub(crate) skill_id: i64,
    pub(crate) start_time: i64,
    pub(crate) start_reason: StartReason,
    pub(crate) wait: Option<Wait>,
    pub(crate) agent: Option<AssignedAgent<'c>>,
    pub(crate) first_agent_message_time: Option<i64>,
    pub(crate) agent_messages: u32,
    pub(crate) consumer_messages: u32,
    pub(crate) last_message: Option<LastMessage>,
    pub(crate) is_resumed: bool,
    pub(crate) source: Option<&'c str>,
}
pub(crate) struct Wait {
    pub(crate) since: i64,
}
pub(crate) struct AssignedAgent<'c> {
    pub(crate) agent_id: &'c str,
    pub(crate) kind: Option<AgentKind>,
    pub(crate) since: i64,
}
pub(crate) struct LastMessage {
    pub(crate) time: i64,
    pub(crate) by: Sender,
}
pub(crate) struct Moment {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) open: Arc<OpenConversations>,
}
#[derive(Default)]
pub(crate) struct OpenConversations(BTreeMap<AccountId, OpenAccount>);
impl OpenConversations {
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (&AccountId, &OpenAccount)> {
        self.0.iter()
    }
    pub(crate) fn account(&self, id: &str) -> Option<&OpenAccount> {
        self.0.get(id)
    }
}
pub(crate) struct OpenAccount(BTreeMap<i64, OpenSkill>);
impl OpenAccount {
    pub(crate) fn skills(&self) -> impl Iterator<Item = (i64, &OpenSkill)> {
        self.0.iter().map(|(id, skill)| (*id, skill))
    }
    pub(crate) fn skill(&self, id: i64) -> Option<&OpenSkill> {
        self.0.get(&id)
    }
}
pub(crate) struct OpenSkill(Vec<(String, i64)>);
impl OpenSkill {
    pub(crate) fn conversations(&self) -> impl Iterator<Item = (&str, OpenSegment<'_>)> {
        self.0.iter().map(|(id, skill_id)| {
            let segment = OpenSegment {
                segment_index: 0,
                skill_id: *skill_id,
                start_time: 0,
                start_reason: StartReason::NewConversation,
                wait: Some(Wait { since: 0 }),
                agent: None,
                first_agent_message_time: None,
                agent_messages: 0,
                consumer_messages: 0,
                last_message: None,
                is_resumed: false,
                source: None,
            };
            (id.as_str(), segment)
        })
    }
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
pub(crate) trait HasMoment {
    fn moment(&self) -> Moment;
}
impl HasMoment for Store {
    fn moment(&self) -> Moment {
        Moment { snapshot: self.snapshot(), open: Arc::default() }
    }
}
