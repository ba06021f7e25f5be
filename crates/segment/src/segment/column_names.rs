//! The names of a segment's fields: the columns of a batch, a table and a file of segments.

/// The brand's account.
pub const ACCOUNT_ID: &str = "account_id";
/// The conversation.
pub const CONVERSATION_ID: &str = "conversation_id";
/// 0-based position in the conversation.
pub const SEGMENT_INDEX: &str = "segment_index";
/// The skill.
pub const SKILL_ID: &str = "skill_id";
/// Entered the skill's queue.
pub const START_TIME: &str = "start_time";
/// Transferred away, or closed.
pub const END_TIME: &str = "end_time";
/// Why the segment began.
pub const START_REASON: &str = "start_reason";
/// Why it ended.
pub const END_REASON: &str = "end_reason";
/// The kinds of agents assigned.
pub const USER_TYPE: &str = "user_type";
/// How it ended.
pub const OUTCOME: &str = "outcome";
/// Abandoned while no agent was assigned.
pub const ABANDONED_IN_QUEUE: &str = "abandoned_in_queue";
/// The first assignment.
pub const FIRST_ASSIGNED_TIME: &str = "first_assigned_time";
/// The first agent message.
pub const FIRST_AGENT_MESSAGE_TIME: &str = "first_agent_message_time";
/// From assignment to first message, in milliseconds.
pub const TIME_TO_FIRST_AGENT_MESSAGE_MS: &str = "time_to_first_agent_message_ms";
/// Messages by assigned agents.
pub const AGENT_MESSAGES: &str = "agent_messages";
/// Messages by the consumer.
pub const CONSUMER_MESSAGES: &str = "consumer_messages";
/// The agent assigned last.
pub const LAST_AGENT_ID: &str = "last_agent_id";
/// Where the conversation came from.
pub const SOURCE: &str = "source";
