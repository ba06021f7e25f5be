//! Builds a batch, segment by segment.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, DictionaryArray, Int8Array, Int8Builder, Int64Builder, RecordBatch, StringBuilder,
    StringDictionaryBuilder, TimestampMillisecondBuilder, UInt32Builder, new_null_array,
};
use arrow::datatypes::Int32Type;

use super::schema::{self, TIME_ZONE, timestamp};
use crate::{Result, Segment};

/// Collects segments into a batch of [`schema`](crate::schema()), in the order in which they are appended.
pub struct SegmentBatchBuilder {
    account_id: StringDictionaryBuilder<Int32Type>,
    conversation_id: StringBuilder,
    segment_index: UInt32Builder,
    skill_id: Int64Builder,
    start_time: TimestampMillisecondBuilder,
    end_time: TimestampMillisecondBuilder,
    start_reason: Int8Builder,
    end_reason: Int8Builder,
    user_type: Int8Builder,
    outcome: Int8Builder,
    abandoned_in_queue: BooleanBuilder,
    first_assigned_time: TimestampMillisecondBuilder,
    first_agent_message_time: TimestampMillisecondBuilder,
    time_to_first_agent_message_ms: Int64Builder,
    agent_messages: UInt32Builder,
    consumer_messages: UInt32Builder,
    last_agent_id: StringBuilder,
    source: StringDictionaryBuilder<Int32Type>,
}

impl SegmentBatchBuilder {
    /// An empty builder with room for `capacity` segments.
    pub fn with_capacity(capacity: usize) -> Self {
        let time = || TimestampMillisecondBuilder::with_capacity(capacity).with_timezone(TIME_ZONE);
        Self {
            account_id: StringDictionaryBuilder::new(),
            conversation_id: StringBuilder::with_capacity(capacity, capacity.saturating_mul(32)),
            segment_index: UInt32Builder::with_capacity(capacity),
            skill_id: Int64Builder::with_capacity(capacity),
            start_time: time(),
            end_time: time(),
            start_reason: Int8Builder::with_capacity(capacity),
            end_reason: Int8Builder::with_capacity(capacity),
            user_type: Int8Builder::with_capacity(capacity),
            outcome: Int8Builder::with_capacity(capacity),
            abandoned_in_queue: BooleanBuilder::with_capacity(capacity),
            first_assigned_time: time(),
            first_agent_message_time: time(),
            time_to_first_agent_message_ms: Int64Builder::with_capacity(capacity),
            agent_messages: UInt32Builder::with_capacity(capacity),
            consumer_messages: UInt32Builder::with_capacity(capacity),
            last_agent_id: StringBuilder::with_capacity(capacity, capacity.saturating_mul(16)),
            source: StringDictionaryBuilder::new(),
        }
    }

    /// The number of segments collected since the last [`finish`](Self::finish).
    pub fn len(&self) -> usize {
        arrow::array::ArrayBuilder::len(&self.segment_index)
    }

    /// Whether no segment has been collected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends one segment without checking it; see [`Segment::validate`].
    pub fn append(&mut self, segment: &Segment<'_>) {
        self.account_id.append_value(&segment.account_id);
        self.conversation_id.append_value(&segment.conversation_id);
        self.segment_index.append_value(segment.segment_index);
        self.skill_id.append_value(segment.skill_id);
        self.start_time.append_value(segment.start_time);
        self.end_time.append_value(segment.end_time);
        self.start_reason.append_value(key(segment.start_reason.index()));
        self.end_reason.append_value(key(segment.end_reason.index()));
        self.user_type.append_value(key(segment.user_type.index()));
        self.outcome.append_value(key(segment.outcome.index()));
        self.abandoned_in_queue.append_value(segment.abandoned_in_queue);
        self.first_assigned_time.append_option(segment.first_assigned_time);
        self.first_agent_message_time.append_option(segment.first_agent_message_time);
        self.time_to_first_agent_message_ms.append_option(segment.time_to_first_agent_message_ms);
        self.agent_messages.append_value(segment.agent_messages);
        self.consumer_messages.append_value(segment.consumer_messages);
        self.last_agent_id.append_option(segment.last_agent_id.as_deref());
        self.source.append_option(segment.source.as_deref());
    }

    /// Returns the collected segments as a batch, and leaves the builder empty.
    ///
    /// # Errors
    /// [`Error::Arrow`](crate::Error::Arrow) where Arrow refuses the columns.
    pub fn finish(&mut self) -> Result<RecordBatch> {
        let arrival_times = new_null_array(&timestamp(), self.len());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.account_id.finish()),
            Arc::new(self.conversation_id.finish()),
            Arc::new(self.segment_index.finish()),
            Arc::new(self.skill_id.finish()),
            Arc::new(self.start_time.finish()),
            Arc::new(self.end_time.finish()),
            words(self.start_reason.finish(), schema::start_reasons())?,
            words(self.end_reason.finish(), schema::end_reasons())?,
            words(self.user_type.finish(), schema::user_types())?,
            words(self.outcome.finish(), schema::outcomes())?,
            Arc::new(self.abandoned_in_queue.finish()),
            Arc::new(self.first_assigned_time.finish()),
            Arc::new(self.first_agent_message_time.finish()),
            Arc::new(self.time_to_first_agent_message_ms.finish()),
            Arc::new(self.agent_messages.finish()),
            Arc::new(self.consumer_messages.finish()),
            Arc::new(self.last_agent_id.finish()),
            Arc::new(self.source.finish()),
            arrival_times,
        ];
        Ok(RecordBatch::try_new(crate::schema(), columns)?)
    }
}

/// The dictionary key of a word. It fits, since a vocabulary has fewer than 128 words.
fn key(index: usize) -> i8 {
    index as i8
}

fn words(keys: Int8Array, values: ArrayRef) -> Result<ArrayRef> {
    Ok(Arc::new(DictionaryArray::try_new(keys, values)?))
}
