//! The rules that a closed segment keeps. A record that breaks one contradicts itself, or cannot be counted.

use crate::instant::END_OF_TIME;
use crate::{AccountId, EndReason, Error, Outcome, Result, Segment, UserType, column};

impl Segment<'_> {
    /// Checks the record against every rule, and tells the first that it breaks.
    ///
    /// # Errors
    /// The rule's own variant of [`Error`].
    pub fn validate(&self) -> Result<()> {
        AccountId::check(&self.account_id)?;
        self.validate_times()?;
        self.validate_outcome()?;
        self.validate_sample()?;
        self.validate_user_type()
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

    /// The outcome table: an agent spoke or not, the consumer answered or not, and who ended the segment.
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

fn in_range(field: &'static str, value: i64) -> Result<()> {
    if (0..END_OF_TIME).contains(&value) { Ok(()) } else { Err(Error::TimeOutOfRange { field, value }) }
}
