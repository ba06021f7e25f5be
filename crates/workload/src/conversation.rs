//! One conversation of the workload, made by random decisions, and its closed segments.

use std::borrow::Cow;

use skillscope_segment::{EndReason, Segment, StartReason};

use crate::draw::Draw;
use crate::stay::{Frame, Stay};
use crate::workload::Workload;

/// The numbers of stays of a conversation, with their weights.
const STAYS: [(u64, u64); 5] = [(1, 62), (2, 25), (3, 9), (4, 3), (5, 1)];

const SOURCES: [(&str, u64); 5] = [("WEB", 40), ("APP", 35), ("SMS", 12), ("WHATSAPP", 10), ("FACEBOOK", 3)];

const LONGEST_PAUSE_MS: i64 = 60_000;

/// One conversation: its account, identifier and source, and its stays in skills one after the other.
#[derive(Debug)]
pub struct Conversation<'w> {
    account: &'w str,
    id: String,
    source: &'static str,
    stays: Vec<Stay<'w>>,
    /// The length of the survey after the close, in milliseconds; `None` if there was none.
    survey: Option<i64>,
}

impl<'w> Conversation<'w> {
    /// Makes a conversation of at most `most_stays` stays that closes at `close`.
    pub(crate) fn draw(workload: &'w Workload, draw: &mut Draw, close: i64, most_stays: u64) -> Self {
        let mut conversation = Self {
            account: workload.account(draw),
            id: conversation_id(draw),
            source: draw.weighted(&SOURCES).unwrap_or("WEB"),
            stays: Vec::new(),
            survey: None,
        };
        let count = draw.weighted(&STAYS).unwrap_or(1).min(most_stays);
        let mut frame = Frame {
            skill: workload.skill(draw),
            start: 0,
            start_reason: StartReason::NewConversation,
            end_reason: EndReason::ClosedByAgent,
            silent_since_resume: false,
        };
        for left in (0..count).rev() {
            let next_skill = if left > 0 { next_skill(workload, draw, frame.skill) } else { None };
            frame.end_reason = end_reason(draw, next_skill.is_some());
            let stay = Stay::draw(workload, draw, frame);
            frame = following(draw, frame, &stay, next_skill);
            conversation.stays.push(stay);
        }
        conversation.survey = draw.percent(25).then(|| draw.duration(LONGEST_PAUSE_MS));
        conversation.move_to(close, workload.period().start);
        conversation
    }

    /// Moves the conversation, which was made from time 0 on, so that it closes at `close`. It closes later if its
    /// first segment would otherwise end before `earliest`.
    fn move_to(&mut self, close: i64, earliest: i64) {
        let first_end = self.stays.first().map_or(0, |stay| stay.end);
        let last_end = self.stays.last().map_or(0, |stay| stay.end);
        let shift = (close - last_end).max(earliest - first_end);
        for stay in &mut self.stays {
            stay.shift(shift);
        }
    }

    pub(crate) fn account(&self) -> &'w str {
        self.account
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn source(&self) -> &'static str {
        self.source
    }

    pub(crate) fn stays(&self) -> &[Stay<'w>] {
        &self.stays
    }

    pub(crate) fn survey(&self) -> Option<i64> {
        self.survey
    }

    /// The number of closed segments, one for each stay.
    pub fn segment_count(&self) -> usize {
        self.stays.len()
    }

    /// The conversation's closed segments, in order.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        self.stays.iter().zip(0..).map(|(stay, segment_index)| Segment {
            account_id: Cow::Borrowed(self.account),
            conversation_id: Cow::Borrowed(&self.id),
            segment_index,
            skill_id: stay.skill,
            start_time: stay.start,
            end_time: stay.end,
            start_reason: stay.start_reason,
            end_reason: stay.end_reason,
            user_type: stay.user_type,
            outcome: stay.outcome,
            abandoned_in_queue: stay.abandoned_in_queue,
            first_assigned_time: stay.assignments.first().map(|assignment| assignment.time),
            first_agent_message_time: stay.first_message,
            time_to_first_agent_message_ms: stay.sample,
            agent_messages: stay.agent_messages,
            consumer_messages: stay.consumer_messages,
            last_agent_id: stay.assignments.last().map(|assignment| Cow::Borrowed(assignment.agent)),
            source: Some(Cow::Borrowed(self.source)),
        })
    }
}

/// How many stays a conversation has on average.
pub(crate) fn mean_stays() -> f64 {
    let (stays, conversations) =
        STAYS.iter().fold((0, 0), |(stays, all), (count, weight)| (stays + count * weight, all + weight));
    stays as f64 / conversations as f64
}

/// The skill to which a stay is transferred; `None` if the stay ends with a close, and the next one resumes.
fn next_skill(workload: &Workload, draw: &mut Draw, skill: i64) -> Option<i64> {
    if draw.percent(15) { None } else { workload.other_skill(draw, skill) }
}

fn end_reason(draw: &mut Draw, transferred: bool) -> EndReason {
    let transfers = [(EndReason::SkillTransfer, 70), (EndReason::AgentTransfer, 30)];
    let closes = [(EndReason::ClosedByAgent, 45), (EndReason::ClosedByConsumer, 35), (EndReason::ClosedBySystem, 20)];
    let reason = if transferred { draw.weighted(&transfers) } else { draw.weighted(&closes) };
    reason.unwrap_or(EndReason::ClosedByAgent)
}

/// The frame of the stay after `stay`.
fn following(draw: &mut Draw, frame: Frame, stay: &Stay<'_>, next_skill: Option<i64>) -> Frame {
    let resumed = next_skill.is_none();
    Frame {
        skill: next_skill.unwrap_or(frame.skill),
        start: if resumed { stay.end + draw.duration(LONGEST_PAUSE_MS) } else { stay.end },
        start_reason: match stay.end_reason {
            EndReason::AgentTransfer => StartReason::AgentTransfer,
            EndReason::SkillTransfer => StartReason::SkillTransfer,
            _ => StartReason::Resume,
        },
        silent_since_resume: resumed || (frame.silent_since_resume && stay.first_message.is_none()),
        ..frame
    }
}

/// A random UUID, the form of identifier that messaging systems use.
fn conversation_id(draw: &mut Draw) -> String {
    let bits = draw.bits() & !(0xF << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let mut id = String::with_capacity(36);
    for (position, shift) in (0..128).step_by(4).rev().enumerate() {
        if matches!(position, 8 | 12 | 16 | 20) {
            id.push('-');
        }
        id.push(char::from_digit((bits >> shift) as u32 & 0xF, 16).unwrap_or('0'));
    }
    id
}
