//! The fields of a segment: their names, which are the column names of every batch, table and file of segments, and what
//! each of them is.

/// Declares the columns. What is said of one is the documentation of its constant, the comment that databases tell of
/// the column, and the description in the HTTP document.
macro_rules! columns {
    ($($(#[doc = $comment:literal])+ $constant:ident = $column:literal;)+) => {
        $($(#[doc = $comment])+ pub const $constant: &str = $column;)+

        /// What a column is, in a sentence with its unit, and with its words where it has a few; `None` where no column
        /// has this name.
        pub fn comment(name: &str) -> Option<&'static str> {
            match name {
                $($column => Some(concat!($($comment),+).trim_ascii()),)+
                _ => None,
            }
        }
    };
}

columns! {
    /// The brand's account.
    ACCOUNT_ID = "account_id";
    /// The conversation; with account and index it is the segment's key.
    CONVERSATION_ID = "conversation_id";
    /// The segment's position in its conversation, from 0.
    SEGMENT_INDEX = "segment_index";
    /// The skill; -1 for conversations without a skill.
    SKILL_ID = "skill_id";
    /// When the conversation entered the skill's queue.
    START_TIME = "start_time";
    /// When it was transferred away or closed; every metric counts the segment at this time.
    END_TIME = "end_time";
    /// Why the segment began: new_conversation, agent_transfer, skill_transfer, resume or other.
    START_REASON = "start_reason";
    /// Why the segment ended: agent_transfer, skill_transfer, closed_by_agent, closed_by_consumer or closed_by_system.
    END_REASON = "end_reason";
    /// The kinds of agents that were assigned: bot, human, mixed or none.
    USER_TYPE = "user_type";
    /// How the segment ended: interactive, non_responsive_consumer, abandoned or non_responsive_agent.
    OUTCOME = "outcome";
    /// Whether the consumer closed an unanswered conversation while no agent was assigned.
    ABANDONED_IN_QUEUE = "abandoned_in_queue";
    /// The first assignment of an agent in the segment; null without one.
    FIRST_ASSIGNED_TIME = "first_assigned_time";
    /// The first message by an assigned agent in the segment; null without one.
    FIRST_AGENT_MESSAGE_TIME = "first_agent_message_time";
    /// Milliseconds from the assignment of the agent who spoke first to that message; null where it was not measured.
    TIME_TO_FIRST_AGENT_MESSAGE_MS = "time_to_first_agent_message_ms";
    /// Messages by assigned agents.
    AGENT_MESSAGES = "agent_messages";
    /// Messages by the consumer.
    CONSUMER_MESSAGES = "consumer_messages";
    /// The agent who was assigned last; null where none was, or where nobody told.
    LAST_AGENT_ID = "last_agent_id";
    /// Where the conversation came from, such as APP, WEB or SMS; null where nobody told.
    SOURCE = "source";
    /// When the store took the segment, by its clock; null where a file does not tell, which is as if it had always been there.
    ARRIVAL_TIME = "arrival_time";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EndReason, Outcome, StartReason, UserType, schema};

    #[test]
    fn every_column_of_the_schema_has_a_comment() {
        for field in schema().fields() {
            assert!(comment(field.name()).is_some(), "{} stands in no line of the table above", field.name());
        }
        assert_eq!(comment("agent_messages"), Some("Messages by assigned agents."));
        assert_eq!(comment("no_column"), None);
    }

    #[test]
    fn comments_on_words_name_all_of_them() {
        let names_all = |column, words: Vec<&str>| {
            let comment = comment(column).unwrap();
            let told: Vec<&str> = comment.split([' ', ',', '.']).filter(|word| words.contains(word)).collect();
            assert_eq!(told.len(), words.len(), "{comment}");
        };
        names_all(START_REASON, StartReason::ALL.iter().map(|word| word.as_str()).collect());
        names_all(END_REASON, EndReason::ALL.iter().map(|word| word.as_str()).collect());
        names_all(USER_TYPE, UserType::ALL.iter().map(|word| word.as_str()).collect());
        names_all(OUTCOME, Outcome::ALL.iter().map(|word| word.as_str()).collect());
    }

    /// A row of the dictionary is a column's name, its type, its comment without the point, and what else there is to say.
    #[test]
    fn every_column_has_a_row_in_the_field_dictionary() {
        let dictionary = include_str!("../../../../docs/segments.md");
        let rows: Vec<&str> = dictionary.lines().filter(|line| line.starts_with("| `")).collect();
        for field in schema().fields() {
            let start = format!("| `{}` | ", field.name());
            let row = rows.iter().find(|row| row.starts_with(&start));
            let comment = comment(field.name()).unwrap().trim_end_matches('.');
            assert!(row.is_some_and(|row| row.replace('`', "").contains(comment)), "{}: {comment}", field.name());
        }
    }
}
