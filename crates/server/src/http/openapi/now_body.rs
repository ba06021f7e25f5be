//! What is open at an instant, as the document describes it.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// What is open at an instant. It is written straight from what is followed; these types only describe it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct NowBody {
    /// The instant, in milliseconds since the epoch.
    time: i64,
    /// By skill, in ascending order; skills without open conversations are left out.
    skills_metrics: BTreeMap<String, NowMetricsBody>,
    metrics_total: NowMetricsBody,
}

/// How many conversations are open, and for how long those wait that have no agent. Waits are in milliseconds, and 0
/// where nobody waits.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct NowMetricsBody {
    /// Conversations that are open: those that wait, and those with an agent.
    open_conversations: i64,
    /// Those without an agent.
    waiting_conversations: i64,
    /// Those whose agent is human.
    assigned_to_human: i64,
    /// Those whose agent is a bot.
    assigned_to_bot: i64,
    /// Those with an agent, in whose stay in the skill no agent has written yet.
    waiting_for_first_agent_message: i64,
    /// Those with an agent, in whose stay in the skill the consumer wrote last.
    waiting_for_agent_reply: i64,
    /// How long those without an agent wait, on average.
    avg_wait_time: i64,
    /// How long the one waits that waits longest.
    max_wait_time: i64,
    /// The median of the waits, interpolated.
    #[serde(rename = "waitTime50thPercentile")]
    wait_time_50th_percentile: i64,
    /// The wait that nine of ten do not exceed, interpolated.
    #[serde(rename = "waitTime90thPercentile")]
    wait_time_90th_percentile: i64,
}
