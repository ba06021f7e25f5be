//! The rules of a closed segment. A record that breaks one contradicts itself or cannot be counted.

use super::identifier::check_identifier;
use crate::instant::END_OF_TIME;
use crate::{AccountId, EndReason, Error, Outcome, Result, Segment, UserType, column};

/// The longest text in a record, in bytes. Every identifier is far shorter, and a chunk of records with texts of this
/// length still fits into Arrow's text columns, which hold 2 GiB.
pub(crate) const MAX_TEXT_BYTES: usize = 1024;

impl Segment<'_> {
    /// Checks the record against every rule.
    ///
    /// # Errors
    /// The variant of [`Error`] that belongs to the first rule that the record breaks.
    pub fn validate(&self) -> Result<()> {
        AccountId::check_new(&self.account_id)?;
        self.validate_texts()?;
        self.validate_times()?;
        self.validate_outcome()?;
        self.validate_sample()?;
        self.validate_user_type()
    }

    fn validate_texts(&self) -> Result<()> {
        for (column, text) in [
            (column::CONVERSATION_ID, Some(&self.conversation_id)),
            (column::LAST_AGENT_ID, self.last_agent_id.as_ref()),
            (column::SOURCE, self.source.as_ref()),
        ] {
            if text.is_some_and(|text| text.len() > MAX_TEXT_BYTES) {
                return Err(Error::TextTooLong { column, limit: MAX_TEXT_BYTES });
            }
        }
        check_identifier(column::CONVERSATION_ID, &self.conversation_id)
    }

    fn validate_times(&self) -> Result<()> {
        let (start, end) = (self.start_time, self.end_time);
        in_range(column::START_TIME, start)?;
        in_range(column::END_TIME, end)?;
        if end < start {
            return Err(Error::EndBeforeStart { start, end });
        }
        for (field, time) in [
            (column::FIRST_ASSIGNED_TIME, self.first_assigned_time),
            (column::FIRST_AGENT_MESSAGE_TIME, self.first_agent_message_time),
        ] {
            let Some(value) = time else { continue };
            in_range(field, value)?;
            if !(start..=end).contains(&value) {
                return Err(Error::TimeOutsideSegment { field, value, start, end });
            }
        }
        Ok(())
    }

    /// Checks the outcome against the messages and against who ended the segment.
    fn validate_outcome(&self) -> Result<()> {
        let (outcome, end_reason) = (self.outcome, self.end_reason);
        let (agent_messages, consumer_messages) = (self.agent_messages, self.consumer_messages);
        let messages = |rule| Err(Error::OutcomeAgainstMessages { outcome, agent_messages, consumer_messages, rule });
        match outcome {
            Outcome::Interactive if agent_messages == 0 || consumer_messages == 0 => {
                messages("it needs an agent message and a consumer's answer")
            }
            Outcome::NonResponsiveConsumer if agent_messages == 0 => messages("it needs an agent message"),
            Outcome::Abandoned | Outcome::NonResponsiveAgent if agent_messages > 0 => {
                messages("it has no agent message")
            }
            _ => Ok(()),
        }?;
        let by_consumer = end_reason == EndReason::ClosedByConsumer;
        let ending = |rule| Err(Error::OutcomeAgainstEndReason { outcome, end_reason, rule });
        match outcome {
            Outcome::Abandoned if !by_consumer => ending("it needs closed_by_consumer"),
            Outcome::NonResponsiveAgent if by_consumer => {
                ending("a segment without agent message that the consumer closes is abandoned")
            }
            _ => Ok(()),
        }?;
        if self.abandoned_in_queue && outcome != Outcome::Abandoned {
            return Err(Error::InQueueNotAbandoned { outcome });
        }
        Ok(())
    }

    fn validate_sample(&self) -> Result<()> {
        if self.agent_messages == 0 && self.first_agent_message_time.is_some() {
            return Err(Error::MessageTimeWithoutMessage);
        }
        let Some(value) = self.time_to_first_agent_message_ms else { return Ok(()) };
        if value < 0 {
            return Err(Error::SampleNegative { value });
        }
        let Some(message) = self.first_agent_message_time else {
            return Err(Error::SampleWithoutMessage { value });
        };
        // Both times are within 1970 to 2199 here, so their difference fits.
        let longest = message - self.start_time;
        if value > longest { Err(Error::SampleTooLong { value, longest }) } else { Ok(()) }
    }

    fn validate_user_type(&self) -> Result<()> {
        if self.user_type != UserType::None {
            return match self.first_assigned_time {
                Some(_) => Ok(()),
                None => Err(Error::UserTypeWithoutAssignment { user_type: self.user_type }),
            };
        }
        let agent_was_there = [
            (column::FIRST_ASSIGNED_TIME, self.first_assigned_time.is_some()),
            (column::LAST_AGENT_ID, self.last_agent_id.is_some()),
            (column::AGENT_MESSAGES, self.agent_messages > 0),
        ];
        match agent_was_there.into_iter().find(|(_, says_so)| *says_so) {
            Some((field, _)) => Err(Error::NoneWithAgent { field }),
            None => Ok(()),
        }
    }
}

pub(crate) fn in_range(field: &'static str, value: i64) -> Result<()> {
    if (0..END_OF_TIME).contains(&value) {
        Ok(())
    } else {
        Err(Error::TimeOutOfRange { field, value, last: END_OF_TIME - 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{abandoned_in_queue, interactive};

    /// Asserts that a segment changed in one way breaks one rule, and without the change none.
    macro_rules! assert_breaks {
        ($segment:expr, $change:expr, $error:pat) => {{
            let mut segment = $segment;
            assert!(segment.validate().is_ok(), "the segment keeps every rule before the change");
            #[allow(clippy::redundant_closure_call)]
            ($change)(&mut segment);
            let outcome = segment.validate();
            assert!(matches!(outcome, Err($error)), "{outcome:?}");
        }};
    }

    type S = Segment<'static>;

    #[test]
    fn times_lie_within_1970_to_2199() {
        assert_breaks!(interactive(), |s: &mut S| s.start_time = -1, Error::TimeOutOfRange { field: "start_time", .. });
        // 2200-01-01T00:00:00Z
        let after = 7_258_118_400_000;
        assert_breaks!(interactive(), |s: &mut S| s.end_time = after, Error::TimeOutOfRange { field: "end_time", .. });
        let mut longest = interactive();
        longest.start_time = 0;
        longest.end_time = after - 1;
        assert!(longest.validate().is_ok());
    }

    #[test]
    fn a_segment_does_not_end_before_it_starts() {
        assert_breaks!(interactive(), |s: &mut S| s.end_time = s.start_time - 1, Error::EndBeforeStart { .. });
    }

    #[test]
    fn a_segment_may_end_when_it_starts() {
        let mut segment = abandoned_in_queue();
        segment.end_time = segment.start_time;
        assert!(segment.validate().is_ok());
    }

    #[test]
    fn assignment_and_message_lie_within_the_segment() {
        assert_breaks!(
            interactive(),
            |s: &mut S| s.first_assigned_time = Some(s.start_time - 1),
            Error::TimeOutsideSegment { field: "first_assigned_time", .. }
        );
        assert_breaks!(
            interactive(),
            |s: &mut S| s.first_assigned_time = Some(s.end_time + 1),
            Error::TimeOutsideSegment { field: "first_assigned_time", .. }
        );
        assert_breaks!(
            interactive(),
            |s: &mut S| s.first_agent_message_time = Some(s.start_time - 1),
            Error::TimeOutsideSegment { field: "first_agent_message_time", .. }
        );
        assert_breaks!(
            interactive(),
            |s: &mut S| s.first_agent_message_time = Some(s.end_time + 1),
            Error::TimeOutsideSegment { field: "first_agent_message_time", .. }
        );
    }

    #[test]
    fn interactive_needs_an_agent_message_and_a_consumer_message() {
        assert_breaks!(interactive(), |s: &mut S| s.consumer_messages = 0, Error::OutcomeAgainstMessages { .. });
        assert_breaks!(interactive(), |s: &mut S| s.agent_messages = 0, Error::OutcomeAgainstMessages { .. });
    }

    #[test]
    fn non_responsive_consumer_needs_an_agent_message_but_no_silence_before_it() {
        let mut spoke_before = interactive();
        spoke_before.outcome = Outcome::NonResponsiveConsumer;
        assert_breaks!(spoke_before, |s: &mut S| s.agent_messages = 0, Error::OutcomeAgainstMessages { .. });
    }

    #[test]
    fn abandoned_needs_silence_and_a_close_by_the_consumer() {
        assert_breaks!(abandoned_in_queue(), |s: &mut S| s.agent_messages = 1, Error::OutcomeAgainstMessages { .. });
        for other in
            [EndReason::AgentTransfer, EndReason::SkillTransfer, EndReason::ClosedByAgent, EndReason::ClosedBySystem]
        {
            assert_breaks!(
                abandoned_in_queue(),
                |s: &mut S| s.end_reason = other,
                Error::OutcomeAgainstEndReason { .. }
            );
        }
    }

    #[test]
    fn non_responsive_agent_needs_silence_and_another_end_than_the_consumers_close() {
        let mut silent = abandoned_in_queue();
        silent.outcome = Outcome::NonResponsiveAgent;
        silent.end_reason = EndReason::ClosedBySystem;
        silent.abandoned_in_queue = false;
        assert_breaks!(silent.clone(), |s: &mut S| s.agent_messages = 1, Error::OutcomeAgainstMessages { .. });
        assert_breaks!(
            silent,
            |s: &mut S| s.end_reason = EndReason::ClosedByConsumer,
            Error::OutcomeAgainstEndReason { .. }
        );
    }

    #[test]
    fn only_an_abandoned_segment_is_abandoned_in_queue() {
        assert_breaks!(interactive(), |s: &mut S| s.abandoned_in_queue = true, Error::InQueueNotAbandoned { .. });
    }

    #[test]
    fn a_sample_is_not_negative() {
        assert_breaks!(
            interactive(),
            |s: &mut S| s.time_to_first_agent_message_ms = Some(-1),
            Error::SampleNegative { value: -1 }
        );
    }

    #[test]
    fn a_sample_needs_an_agent_message() {
        assert_breaks!(
            interactive(),
            |s: &mut S| s.first_agent_message_time = None,
            Error::SampleWithoutMessage { .. }
        );
        assert_breaks!(
            abandoned_in_queue(),
            |s: &mut S| s.time_to_first_agent_message_ms = Some(0),
            Error::SampleWithoutMessage { .. }
        );
    }

    #[test]
    fn a_sample_is_no_longer_than_from_start_to_first_agent_message() {
        let mut longest = interactive();
        longest.time_to_first_agent_message_ms = Some(11_000);
        assert_breaks!(
            longest,
            |s: &mut S| s.time_to_first_agent_message_ms = Some(11_001),
            Error::SampleTooLong { value: 11_001, longest: 11_000 }
        );
    }

    #[test]
    fn the_time_of_an_agent_message_needs_one() {
        assert_breaks!(
            abandoned_in_queue(),
            |s: &mut S| s.first_agent_message_time = Some(s.start_time),
            Error::MessageTimeWithoutMessage
        );
    }

    #[test]
    fn user_type_none_has_no_agent() {
        assert_breaks!(interactive(), |s: &mut S| s.user_type = UserType::None, Error::NoneWithAgent { .. });
        assert_breaks!(
            abandoned_in_queue(),
            |s: &mut S| s.first_assigned_time = Some(s.start_time),
            Error::NoneWithAgent { field: "first_assigned_time" }
        );
        assert_breaks!(
            abandoned_in_queue(),
            |s: &mut S| s.last_agent_id = Some("agent-1".into()),
            Error::NoneWithAgent { field: "last_agent_id" }
        );
    }

    #[test]
    fn another_user_type_has_an_assignment() {
        for user_type in [UserType::Human, UserType::Bot, UserType::Mixed] {
            assert_breaks!(
                abandoned_in_queue(),
                |s: &mut S| s.user_type = user_type,
                Error::UserTypeWithoutAssignment { .. }
            );
        }
    }

    #[test]
    fn text_has_at_most_1024_bytes() {
        let long = |length| Some("x".repeat(length).into());
        let mut longest = interactive();
        longest.source = long(1024);
        assert_breaks!(longest, |s: &mut S| s.source = long(1025), Error::TextTooLong { column: "source", .. });
        assert_breaks!(interactive(), |s: &mut S| s.last_agent_id = long(1025), Error::TextTooLong { .. });
        assert_breaks!(
            interactive(),
            |s: &mut S| s.conversation_id = "x".repeat(1025).into(),
            Error::TextTooLong { column: "conversation_id", .. }
        );
    }

    #[test]
    fn the_account_is_one() {
        assert_breaks!(interactive(), |s: &mut S| s.account_id = "a/b".into(), Error::AccountSyntax { .. });
    }

    #[test]
    fn the_account_is_not_the_name_of_all() {
        assert_breaks!(interactive(), |s: &mut S| s.account_id = "skillscope".into(), Error::AccountOfAll);
    }

    #[test]
    fn the_conversation_can_be_seen() {
        assert_breaks!(interactive(), |s: &mut S| s.conversation_id = " ".into(), Error::Blank { .. });
        assert_breaks!(interactive(), |s: &mut S| s.conversation_id = "c\u{202e}1".into(), Error::Unseen { .. });
    }
}
