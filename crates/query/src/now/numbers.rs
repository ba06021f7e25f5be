//! The numbers of what is open now.

use skillscope_store::{OpenCounts, OpenSkill};

use super::body::{Member, SkillNow, milliseconds};

/// The numbers of some skills together, at `now` in milliseconds since the epoch. A wait is 0 where nobody waits.
pub(super) fn of(skills: &[SkillNow<'_>], now: i64) -> Vec<Member> {
    let mut counts = OpenCounts::default();
    skills.iter().for_each(|(_, skill)| counts.add(skill.counts()));
    let waits = OpenSkill::wait_times(skills.iter().map(|(_, skill)| *skill), now);
    let wait = |wait: Option<i64>| milliseconds(wait, 0);
    vec![
        ("openConversations", counts.open.into()),
        ("waitingConversations", waits.number().into()),
        ("assignedToHuman", counts.assigned_to_human.into()),
        ("assignedToBot", counts.assigned_to_bot.into()),
        ("waitingForFirstAgentMessage", counts.without_agent_message.into()),
        ("waitingForAgentReply", counts.without_reply.into()),
        ("avgWaitTime", wait(waits.mean())),
        ("maxWaitTime", wait(waits.longest())),
        ("waitTime50thPercentile", wait(waits.percentile(50))),
        ("waitTime90thPercentile", wait(waits.percentile(90))),
    ]
}
