//! The Arrow form of closed segments, shared by every table, file and stream.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::{EndReason, Outcome, StartReason, UserType};

/// Names of the columns of a batch of segments.
pub mod column {
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
}

/// The schema of a batch of closed segments. Text from a closed vocabulary has 8-bit dictionary keys whose values are
/// the whole vocabulary, in every batch the same; accounts and sources, which recur, have 32-bit ones.
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let required = |name, data_type| Field::new(name, data_type, false);
        let nullable = |name, data_type| Field::new(name, data_type, true);
        Arc::new(Schema::new(vec![
            required(column::ACCOUNT_ID, dictionary(DataType::Int32)),
            required(column::CONVERSATION_ID, DataType::Utf8),
            required(column::SEGMENT_INDEX, DataType::UInt32),
            required(column::SKILL_ID, DataType::Int64),
            required(column::START_TIME, timestamp()),
            required(column::END_TIME, timestamp()),
            required(column::START_REASON, dictionary(DataType::Int8)),
            required(column::END_REASON, dictionary(DataType::Int8)),
            required(column::USER_TYPE, dictionary(DataType::Int8)),
            required(column::OUTCOME, dictionary(DataType::Int8)),
            required(column::ABANDONED_IN_QUEUE, DataType::Boolean),
            nullable(column::FIRST_ASSIGNED_TIME, timestamp()),
            nullable(column::FIRST_AGENT_MESSAGE_TIME, timestamp()),
            nullable(column::TIME_TO_FIRST_AGENT_MESSAGE_MS, DataType::Int64),
            required(column::AGENT_MESSAGES, DataType::UInt32),
            required(column::CONSUMER_MESSAGES, DataType::UInt32),
            nullable(column::LAST_AGENT_ID, DataType::Utf8),
            nullable(column::SOURCE, dictionary(DataType::Int32)),
        ]))
    });
    Arc::clone(&SCHEMA)
}

pub(crate) const TIME_ZONE: &str = "UTC";

pub(crate) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some(TIME_ZONE.into()))
}

fn dictionary(key: DataType) -> DataType {
    DataType::Dictionary(Box::new(key), Box::new(DataType::Utf8))
}

/// A vocabulary as the values of a dictionary column. Every batch shares the one array, so that concatenating batches
/// copies keys and never merges dictionaries.
macro_rules! dictionary_values {
    ($($function:ident: $words:ident,)+) => {
        $(pub(crate) fn $function() -> ArrayRef {
            static VALUES: LazyLock<ArrayRef> =
                LazyLock::new(|| Arc::new(StringArray::from_iter_values($words::ALL.iter().map(|word| word.as_str()))));
            Arc::clone(&VALUES)
        })+
    };
}

dictionary_values! {
    start_reasons: StartReason,
    end_reasons: EndReason,
    user_types: UserType,
    outcomes: Outcome,
}
