//! The errors of this crate.

use crate::{EndReason, Outcome, UserType};

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a record, or a whole input, was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Text that is no account identifier.
    #[error("account_id {value:?} is not valid: it has 1 to 64 of A-Z a-z 0-9 . _ - and is neither . nor ..")]
    AccountSyntax {
        /// What was given.
        value: String,
    },
    /// A record of the account whose name stands for all accounts.
    #[error(
        "account_id is {:?}, which is the name of all accounts together: no account can have it",
        crate::AccountId::OF_ALL
    )]
    AccountOfAll,
    /// A record of an account other than the one that the request or command names.
    #[error("account_id is {found:?}, but this input is for account {expected:?}")]
    AccountMismatch {
        /// The record's account.
        found: String,
        /// The account of the request or command.
        expected: String,
    },
    /// Text longer than any identifier.
    #[error("{column} is longer than {limit} bytes")]
    TextTooLong {
        /// The column.
        column: &'static str,
        /// The limit, in bytes.
        limit: usize,
    },
    /// An identifier of which nothing can be seen.
    #[error("{column} is empty or blank: it has one character or more that can be seen")]
    Blank {
        /// The column.
        column: &'static str,
    },
    /// An identifier with a character that cannot be seen.
    #[error("{column} has the character U+{:04X}, which cannot be seen: no identifier has one", u32::from(*character))]
    Unseen {
        /// The column.
        column: &'static str,
        /// The character.
        character: char,
    },
    /// Text that is no instant.
    #[error("{value:?} is not an instant: give RFC 3339 (2026-01-31T12:00:00Z) or milliseconds since the epoch")]
    InstantSyntax {
        /// What was given.
        value: String,
    },
    /// Text that names no time zone.
    #[error("{value:?} is no time zone: give a name of the IANA database (Europe/Berlin), or an offset (+02:00)")]
    TimeZoneSyntax {
        /// What was given.
        value: String,
    },
    /// A time that names no time zone, where none was given for such times.
    #[error("{field} {value} names no time zone: write Z or an offset after it, or say which it is (--time-zone)")]
    TimeWithoutZone {
        /// The column.
        field: &'static str,
        /// The time.
        value: String,
    },
    /// A time that clocks pass over when they are put forward.
    #[error("{field} {value} was never shown by a clock in {zone}: clocks were put forward over it")]
    TimeLeftOut {
        /// The column.
        field: &'static str,
        /// The time.
        value: String,
        /// The time zone.
        zone: String,
    },
    /// An input whose times count seconds.
    #[error(
        "all its times are in January 1970: they seem to count seconds, and milliseconds since the epoch are read. \
         Multiply them by 1000, or write RFC 3339"
    )]
    TimesInSeconds,
    /// A time outside the years 1970 to 2199.
    #[error("{field} is {value}, outside the years 1970 to 2199 (0 to {last} ms)")]
    TimeOutOfRange {
        /// The column.
        field: &'static str,
        /// Its value, in milliseconds since the epoch.
        value: i64,
        /// The last time that is allowed.
        last: i64,
    },
    /// A segment that ends before it starts.
    #[error("end_time {end} is before start_time {start}")]
    EndBeforeStart {
        /// `start_time`.
        start: i64,
        /// `end_time`.
        end: i64,
    },
    /// An assignment or a message outside the segment.
    #[error("{field} {value} is outside the segment, which lasts from {start} to {end}")]
    TimeOutsideSegment {
        /// The column.
        field: &'static str,
        /// Its value.
        value: i64,
        /// `start_time`.
        start: i64,
        /// `end_time`.
        end: i64,
    },
    /// An outcome that contradicts the end reason.
    #[error("outcome {} cannot be where end_reason is {}: {rule}", outcome.as_str(), end_reason.as_str())]
    OutcomeAgainstEndReason {
        /// `outcome`.
        outcome: Outcome,
        /// `end_reason`.
        end_reason: EndReason,
        /// What the outcome needs.
        rule: &'static str,
    },
    /// An outcome that contradicts the numbers of messages.
    #[error(
        "outcome {} cannot be with {agent_messages} agent_messages and {consumer_messages} consumer_messages: {rule}",
        outcome.as_str()
    )]
    OutcomeAgainstMessages {
        /// `outcome`.
        outcome: Outcome,
        /// `agent_messages`.
        agent_messages: u32,
        /// `consumer_messages`.
        consumer_messages: u32,
        /// What the outcome needs.
        rule: &'static str,
    },
    /// `abandoned_in_queue` on a segment that was not abandoned.
    #[error("abandoned_in_queue is true, but outcome is {}: only an abandoned segment can be", outcome.as_str())]
    InQueueNotAbandoned {
        /// `outcome`.
        outcome: Outcome,
    },
    /// The time of a first agent message, although there was no agent message.
    #[error("first_agent_message_time is given, but agent_messages is 0")]
    MessageTimeWithoutMessage,
    /// A time to the first agent message below zero.
    #[error("time_to_first_agent_message_ms is {value}, below 0")]
    SampleNegative {
        /// `time_to_first_agent_message_ms`.
        value: i64,
    },
    /// A time to the first agent message without the time of that message.
    #[error("time_to_first_agent_message_ms is {value}, but the segment has no first_agent_message_time")]
    SampleWithoutMessage {
        /// `time_to_first_agent_message_ms`.
        value: i64,
    },
    /// A time to the first agent message that is longer than the segment lasted until then.
    #[error(
        "time_to_first_agent_message_ms is {value}, longer than the {longest} ms from start to first agent message"
    )]
    SampleTooLong {
        /// `time_to_first_agent_message_ms`.
        value: i64,
        /// Milliseconds from `start_time` to `first_agent_message_time`.
        longest: i64,
    },
    /// User type `none`, although an agent was assigned.
    #[error("user_type is none, but {field} says that an agent was there")]
    NoneWithAgent {
        /// The column that shows an agent.
        field: &'static str,
    },
    /// A user type other than `none`, although nobody was assigned.
    #[error("user_type is {}, but first_assigned_time is missing: without an assignment it is none", user_type.as_str())]
    UserTypeWithoutAssignment {
        /// `user_type`.
        user_type: UserType,
    },
    /// A record that is not a JSON object with the expected fields.
    #[error("{reason}")]
    Record {
        /// What is wrong with it, and where in the record.
        reason: String,
    },
    /// A conversation of a message history whose record cannot be read.
    #[error("conversation {id:?}: {reason}")]
    Conversation {
        /// The conversation.
        id: String,
        /// What is wrong with its record.
        reason: String,
    },
    /// A record that is longer than a reader accepts.
    #[error("the record is longer than {limit} bytes")]
    RecordTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A value that is missing although it is required, or that does not fit its column.
    #[error("{column} is {problem}")]
    Value {
        /// The column.
        column: &'static str,
        /// `missing`, or why the value does not fit.
        problem: &'static str,
    },
    /// An event that lacks a field of its type.
    #[error("{field} is missing: an event of type {kind} needs it")]
    EventField {
        /// The field.
        field: &'static str,
        /// The event's type.
        kind: &'static str,
    },
    /// A word that is not in the vocabulary of its column.
    #[error("{column} is {value:?}: it is one of {allowed}")]
    UnknownWord {
        /// The column.
        column: &'static str,
        /// What was given.
        value: String,
        /// The words of the vocabulary.
        allowed: String,
    },
    /// A table that lacks a required column.
    #[error("column {column} is missing: it is a required {expected}")]
    ColumnMissing {
        /// The column.
        column: &'static str,
        /// Its type.
        expected: String,
    },
    /// Columns of the same name but for the case of letters.
    #[error("column {column} is there more than once, in other letters: leave one of them out")]
    ColumnTwice {
        /// The column.
        column: &'static str,
    },
    /// A column of a type that cannot be converted.
    #[error("column {column} has type {found}: it is a {expected}")]
    ColumnType {
        /// The column.
        column: &'static str,
        /// The type found.
        found: String,
        /// The type that it must be convertible to.
        expected: String,
    },
    /// An input that is not of its declared format.
    #[error("this is not readable as {format}: {reason}")]
    Unreadable {
        /// The format.
        format: &'static str,
        /// The reader's message.
        reason: String,
    },
    /// A small table that breaks a rule for tables.
    #[error("{reason}")]
    Table {
        /// What is wrong with it, and what is allowed.
        reason: String,
    },
    /// An input that became unreadable after its first records.
    #[error("the {format} breaks off here, and nothing after it was read: {reason}")]
    BreaksOff {
        /// The format.
        format: &'static str,
        /// The reader's message.
        reason: String,
    },
    /// An input of a few bytes that stands for very many.
    #[error("its records take more than {most} bytes once they are decoded, and so many are the most here")]
    UnfoldsTooFar {
        /// The limit, in bytes.
        most: u64,
    },
    /// Nobody waits for the outcome any more.
    #[error("reading ended, since nobody waits for the outcome any more")]
    Abandoned,
    /// An output that could not be written.
    #[error("{format} could not be written: {reason}")]
    Unwritable {
        /// The format.
        format: &'static str,
        /// The writer's message.
        reason: String,
    },
    /// An input or output that ended in an I/O error.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// An Arrow operation that failed on a batch that this crate built.
    #[error("a batch of segments could not be built: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
}

/// The beginning of a text from outside, to be quoted in a message. The text itself may be megabytes long.
pub(crate) fn shortened(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
