//! The names of a segment's fields. They are the column names of every batch, table and file of segments.

/// The brand's account.
pub const ACCOUNT_ID: &str = "account_id";
/// The conversation.
pub const CONVERSATION_ID: &str = "conversation_id";
/// 0-based position in the conversation.
pub const SEGMENT_INDEX: &str = "segment_index";
/// The skill.
pub const SKILL_ID: &str = "skill_id";
/// When the conversation entered the skill's queue.
pub const START_TIME: &str = "start_time";
/// When the conversation was transferred away or closed.
pub const END_TIME: &str = "end_time";
/// Why the segment began.
pub const START_REASON: &str = "start_reason";
/// Why the segment ended.
pub const END_REASON: &str = "end_reason";
/// The kinds of agents that were assigned.
pub const USER_TYPE: &str = "user_type";
/// How the segment ended.
pub const OUTCOME: &str = "outcome";
/// Whether the consumer left while no agent was assigned.
pub const ABANDONED_IN_QUEUE: &str = "abandoned_in_queue";
/// When the first agent was assigned.
pub const FIRST_ASSIGNED_TIME: &str = "first_assigned_time";
/// When an agent first wrote a message.
pub const FIRST_AGENT_MESSAGE_TIME: &str = "first_agent_message_time";
/// The time from the assignment of the agent who spoke first to that message, in milliseconds.
pub const TIME_TO_FIRST_AGENT_MESSAGE_MS: &str = "time_to_first_agent_message_ms";
/// The number of messages by assigned agents.
pub const AGENT_MESSAGES: &str = "agent_messages";
/// The number of messages by the consumer.
pub const CONSUMER_MESSAGES: &str = "consumer_messages";
/// The agent who was assigned last.
pub const LAST_AGENT_ID: &str = "last_agent_id";
/// Where the conversation came from.
pub const SOURCE: &str = "source";
/// When a store took the segment. The store alone knows it, so that it is in no record, and never read from input.
pub const ARRIVAL_TIME: &str = "arrival_time";
