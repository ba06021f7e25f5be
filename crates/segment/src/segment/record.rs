//! A segment as a JSON object.

use std::borrow::Cow;

use serde::Deserialize;

use super::{EndReason, Outcome, Segment, StartReason, UserType};
use crate::instant::{self, Told};
use crate::json_value::{count, flag, identifier, identifier_or_empty, optional_identifier, optional_whole, whole};
use crate::{Result, TimeZone, column};

/// The fields of a [`Segment`], as other programs write them.
#[derive(Debug, Deserialize)]
pub(crate) struct SegmentRecord<'a> {
    /// A record may omit it if the request or command names the account.
    #[serde(borrow, default, deserialize_with = "identifier_or_empty")]
    account_id: Cow<'a, str>,
    #[serde(borrow, deserialize_with = "identifier")]
    conversation_id: Cow<'a, str>,
    #[serde(deserialize_with = "count")]
    segment_index: u32,
    #[serde(deserialize_with = "whole")]
    skill_id: i64,
    #[serde(deserialize_with = "instant::required")]
    start_time: Told,
    #[serde(deserialize_with = "instant::required")]
    end_time: Told,
    start_reason: StartReason,
    end_reason: EndReason,
    user_type: UserType,
    outcome: Outcome,
    #[serde(deserialize_with = "flag")]
    abandoned_in_queue: bool,
    #[serde(default, deserialize_with = "instant::optional")]
    first_assigned_time: Option<Told>,
    #[serde(default, deserialize_with = "instant::optional")]
    first_agent_message_time: Option<Told>,
    #[serde(default, deserialize_with = "optional_whole")]
    time_to_first_agent_message_ms: Option<i64>,
    #[serde(deserialize_with = "count")]
    agent_messages: u32,
    #[serde(deserialize_with = "count")]
    consumer_messages: u32,
    #[serde(borrow, default, deserialize_with = "optional_identifier")]
    last_agent_id: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "optional_identifier")]
    source: Option<Cow<'a, str>>,
}

impl<'a> SegmentRecord<'a> {
    /// The segment, by the `zone` of times that name none. Its rules are not checked.
    ///
    /// # Errors
    /// Where a time names no time zone, and there is none for it.
    pub(crate) fn segment(self, zone: Option<&TimeZone>) -> Result<Segment<'a>> {
        let optional = |time: Option<Told>, field| time.map(|time| time.instant(field, zone)).transpose();
        Ok(Segment {
            account_id: self.account_id,
            conversation_id: self.conversation_id,
            segment_index: self.segment_index,
            skill_id: self.skill_id,
            start_time: self.start_time.instant(column::START_TIME, zone)?,
            end_time: self.end_time.instant(column::END_TIME, zone)?,
            start_reason: self.start_reason,
            end_reason: self.end_reason,
            user_type: self.user_type,
            outcome: self.outcome,
            abandoned_in_queue: self.abandoned_in_queue,
            first_assigned_time: optional(self.first_assigned_time, column::FIRST_ASSIGNED_TIME)?,
            first_agent_message_time: optional(self.first_agent_message_time, column::FIRST_AGENT_MESSAGE_TIME)?,
            time_to_first_agent_message_ms: self.time_to_first_agent_message_ms,
            agent_messages: self.agent_messages,
            consumer_messages: self.consumer_messages,
            last_agent_id: self.last_agent_id,
            source: self.source,
        })
    }
}
