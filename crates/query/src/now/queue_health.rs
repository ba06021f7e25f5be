//! The numbers of LivePerson's method *Messaging Queue Health*, as far as events tell them.

use skillscope_store::OpenSkill;

use super::body::{Member, SkillNow, milliseconds};

/// What a number is that events cannot tell, and a wait where nobody waits.
const NO_DATA: i64 = -1;

/// The numbers of some skills together, at `now` in milliseconds since the epoch.
///
/// Whether a conversation can be taken by an agent (is *actionable*), whether a manager set its time limit, and whether
/// the consumer is here for the first time, no event tells.
pub(super) fn of(skills: &[SkillNow<'_>], now: i64) -> Vec<Member> {
    let waits = OpenSkill::wait_times(skills.iter().map(|(_, skill)| *skill), now);
    let wait = |wait: Option<i64>| milliseconds(wait, NO_DATA);
    vec![
        ("unassignedConversations", waits.number().into()),
        ("actionableConversations", NO_DATA.into()),
        ("notActionableConversations", NO_DATA.into()),
        ("actionableAndManualSla", NO_DATA.into()),
        ("actionableAndDuringTransfer", NO_DATA.into()),
        ("actionableAndConsumerLastMessage", NO_DATA.into()),
        ("notActionableDuringTransfer", NO_DATA.into()),
        ("notActionableAndManualSla", NO_DATA.into()),
        ("unassignedConversationsAndFirstTimeConsumer", NO_DATA.into()),
        ("avgWaitTimeForAgentAssignment_NewConversation", wait(waits.mean_of_new_conversations())),
        ("avgWaitTimeForAgentAssignment_AfterTransfer", wait(waits.mean_after_transfers())),
        ("maxWaitTimeForAgentAssignment", wait(waits.longest())),
        ("waitTimeForAgentAssignment_50thPercentile", wait(waits.percentile(50))),
        ("waitTimeForAgentAssignment_90thPercentile", wait(waits.percentile(90))),
    ]
}
