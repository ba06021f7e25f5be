//! Reads the segments of a batch, row by row.

use std::borrow::Cow;

use arrow::array::{BooleanArray, Int64Array, RecordBatch, UInt32Array};
use arrow::datatypes::DataType;

use super::column::{Column, booleans, counts, integers, require};
use super::schema::timestamp;
use super::texts::{TextColumn, text};
use super::times::{TimeColumn, times};
use crate::error::shortened;
use crate::{EndReason, Error, Outcome, Result, Segment, StartReason, TimeZone, UserType, column};

/// The word in a row of a column with a closed vocabulary.
macro_rules! word {
    ($words:ident, $column:expr, $row:expr) => {{
        let text = $column.required_text($row)?;
        $words::from_word(text).ok_or_else(|| Error::UnknownWord {
            column: $column.name,
            value: shortened(text),
            allowed: $words::ALL.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(", "),
        })?
    }};
}

/// The rows of a batch as [`Segment`]s. Any program may have written the batch.
///
/// Columns are found by name, in any order and in letters of any case, and columns of other names are ignored. Text may
/// be plain or dictionary-encoded, in bytes, or a UUID. Whole numbers may have any type that holds them. Times may be
/// timestamps of any unit (digits beyond the millisecond are dropped), whole numbers, which count milliseconds, or RFC
/// 3339 text. A missing nullable column reads as null, and a missing `account_id` as empty text.
#[derive(Debug)]
pub struct SegmentRows {
    length: usize,
    account_id: Option<TextColumn>,
    conversation_id: TextColumn,
    segment_index: Column<UInt32Array>,
    skill_id: Column<Int64Array>,
    start_time: TimeColumn,
    end_time: TimeColumn,
    start_reason: TextColumn,
    end_reason: TextColumn,
    user_type: TextColumn,
    outcome: TextColumn,
    abandoned_in_queue: Column<BooleanArray>,
    first_assigned_time: Option<TimeColumn>,
    first_agent_message_time: Option<TimeColumn>,
    time_to_first_agent_message_ms: Option<Column<Int64Array>>,
    agent_messages: Column<UInt32Array>,
    consumer_messages: Column<UInt32Array>,
    last_agent_id: Option<TextColumn>,
    source: Option<TextColumn>,
}

impl SegmentRows {
    /// Finds the columns of a segment in `batch`.
    ///
    /// # Errors
    /// [`Error::ColumnMissing`], [`Error::ColumnTwice`] and [`Error::ColumnType`] where the batch lacks the columns of
    /// a segment.
    pub fn new(batch: &RecordBatch) -> Result<Self> {
        Self::in_zone(batch, None)
    }

    /// As [`SegmentRows::new`], by the `zone` of times that name none.
    pub(crate) fn in_zone(batch: &RecordBatch, zone: Option<&TimeZone>) -> Result<Self> {
        let times = |name| times(batch, name, zone);
        Ok(Self {
            length: batch.num_rows(),
            account_id: text(batch, column::ACCOUNT_ID)?,
            conversation_id: require(text(batch, column::CONVERSATION_ID)?, column::CONVERSATION_ID, DataType::Utf8)?,
            segment_index: counts(batch, column::SEGMENT_INDEX)?,
            skill_id: require(integers(batch, column::SKILL_ID)?, column::SKILL_ID, DataType::Int64)?,
            start_time: require(times(column::START_TIME)?, column::START_TIME, timestamp())?,
            end_time: require(times(column::END_TIME)?, column::END_TIME, timestamp())?,
            start_reason: require(text(batch, column::START_REASON)?, column::START_REASON, DataType::Utf8)?,
            end_reason: require(text(batch, column::END_REASON)?, column::END_REASON, DataType::Utf8)?,
            user_type: require(text(batch, column::USER_TYPE)?, column::USER_TYPE, DataType::Utf8)?,
            outcome: require(text(batch, column::OUTCOME)?, column::OUTCOME, DataType::Utf8)?,
            abandoned_in_queue: require(
                booleans(batch, column::ABANDONED_IN_QUEUE)?,
                column::ABANDONED_IN_QUEUE,
                DataType::Boolean,
            )?,
            first_assigned_time: times(column::FIRST_ASSIGNED_TIME)?,
            first_agent_message_time: times(column::FIRST_AGENT_MESSAGE_TIME)?,
            time_to_first_agent_message_ms: integers(batch, column::TIME_TO_FIRST_AGENT_MESSAGE_MS)?,
            agent_messages: counts(batch, column::AGENT_MESSAGES)?,
            consumer_messages: counts(batch, column::CONSUMER_MESSAGES)?,
            last_agent_id: text(batch, column::LAST_AGENT_ID)?,
            source: text(batch, column::SOURCE)?,
        })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether the batch has no rows.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The bytes of the texts in all rows, as often as rows have them: those of words are not counted.
    pub(crate) fn text_bytes(&self) -> u64 {
        let columns =
            [self.account_id.as_ref(), Some(&self.conversation_id), self.last_agent_id.as_ref(), self.source.as_ref()];
        let of = |column: &TextColumn| (0..self.length).map(|row| column.length(row) as u64).sum::<u64>();
        columns.into_iter().flatten().map(of).sum()
    }

    /// The segment in `row`, which must be below [`len`](Self::len). Its rules are not checked.
    ///
    /// # Errors
    /// [`Error::Value`] and [`Error::UnknownWord`] where the row has a value that no segment can have.
    pub fn segment(&self, row: usize) -> Result<Segment<'_>> {
        Ok(Segment {
            account_id: match &self.account_id {
                Some(column) => Cow::Borrowed(column.text(row)?.unwrap_or_default()),
                None => Cow::Borrowed(""),
            },
            conversation_id: Cow::Borrowed(self.conversation_id.required_text(row)?),
            segment_index: self.segment_index.required(row, UInt32Array::value)?,
            skill_id: self.skill_id.required(row, Int64Array::value)?,
            start_time: self.start_time.required(row)?,
            end_time: self.end_time.required(row)?,
            start_reason: word!(StartReason, self.start_reason, row),
            end_reason: word!(EndReason, self.end_reason, row),
            user_type: word!(UserType, self.user_type, row),
            outcome: word!(Outcome, self.outcome, row),
            abandoned_in_queue: self.abandoned_in_queue.required(row, BooleanArray::value)?,
            first_assigned_time: time(&self.first_assigned_time, row)?,
            first_agent_message_time: time(&self.first_agent_message_time, row)?,
            time_to_first_agent_message_ms: match &self.time_to_first_agent_message_ms {
                Some(column) => column.optional(row, Int64Array::value)?,
                None => None,
            },
            agent_messages: self.agent_messages.required(row, UInt32Array::value)?,
            consumer_messages: self.consumer_messages.required(row, UInt32Array::value)?,
            last_agent_id: optional_text(&self.last_agent_id, row)?,
            source: optional_text(&self.source, row)?,
        })
    }
}

fn time(column: &Option<TimeColumn>, row: usize) -> Result<Option<i64>> {
    match column {
        Some(column) => column.optional(row),
        None => Ok(None),
    }
}

fn optional_text(column: &Option<TextColumn>, row: usize) -> Result<Option<Cow<'_, str>>> {
    match column {
        Some(column) => Ok(column.text(row)?.map(Cow::Borrowed)),
        None => Ok(None),
    }
}
