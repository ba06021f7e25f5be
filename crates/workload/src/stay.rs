//! One stay of a conversation in a skill: its outcome, its agents, its messages and their times.

use skillscope_segment::{AgentKind, EndReason, Outcome, StartReason, UserType};

use crate::draw::Draw;
use crate::workload::Workload;

const SECOND_MS: i64 = 1_000;

// Together they are about ten minutes at most, so that a conversation of five stays ends within an hour.
const LONGEST_WAIT: i64 = 240 * SECOND_MS;
const LONGEST_HANDOVER: i64 = 30 * SECOND_MS;
const LONGEST_HUMAN_RESPONSE: i64 = 90 * SECOND_MS;
const LONGEST_BOT_RESPONSE: i64 = 2 * SECOND_MS;
const LONGEST_TALK: i64 = 240 * SECOND_MS;

/// One stay in a skill, from entering its queue to leaving it. Times are milliseconds since the epoch.
#[derive(Debug)]
pub(crate) struct Stay<'w> {
    pub(crate) skill: i64,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) start_reason: StartReason,
    pub(crate) end_reason: EndReason,
    pub(crate) outcome: Outcome,
    pub(crate) abandoned_in_queue: bool,
    pub(crate) user_type: UserType,
    pub(crate) assignments: Vec<Assignment<'w>>,
    /// When the conversation went back to the queue.
    pub(crate) returned: Option<i64>,
    pub(crate) first_message: Option<i64>,
    pub(crate) sample: Option<i64>,
    pub(crate) agent_messages: u32,
    pub(crate) consumer_messages: u32,
}

/// The assignment of an agent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assignment<'w> {
    pub(crate) agent: &'w str,
    pub(crate) kind: AgentKind,
    pub(crate) time: i64,
    pub(crate) takeover: bool,
}

/// How a stay begins and ends, which is decided before the rest of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) skill: i64,
    pub(crate) start: i64,
    pub(crate) start_reason: StartReason,
    pub(crate) end_reason: EndReason,
    /// Whether no agent has written since the conversation was resumed. The first message is no sample then.
    pub(crate) silent_since_resume: bool,
}

impl<'w> Stay<'w> {
    /// Moves the stay in time.
    pub(crate) fn shift(&mut self, by: i64) {
        self.start += by;
        self.end += by;
        self.assignments.iter_mut().for_each(|assignment| assignment.time += by);
        self.returned = self.returned.map(|time| time + by);
        self.first_message = self.first_message.map(|time| time + by);
    }

    /// Makes a stay: its outcome first, and then the times and agents that lead to it.
    pub(crate) fn draw(workload: &'w Workload, draw: &mut Draw, frame: Frame) -> Self {
        // Exports order the events of a millisecond by rules of their own, so nothing else happens in the first or last
        // millisecond of a stay.
        let wait = draw.duration(LONGEST_WAIT).max(1);
        let mut stay = Self {
            skill: frame.skill,
            start: frame.start,
            end: frame.start + wait,
            start_reason: frame.start_reason,
            end_reason: frame.end_reason,
            outcome: outcome(draw, frame.end_reason),
            abandoned_in_queue: false,
            user_type: UserType::None,
            assignments: Vec::new(),
            returned: None,
            first_message: None,
            sample: None,
            agent_messages: 0,
            consumer_messages: 1 + draw.below(3) as u32,
        };
        match stay.outcome {
            Outcome::Interactive | Outcome::NonResponsiveConsumer => stay.answer(workload, draw, frame),
            Outcome::Abandoned | Outcome::NonResponsiveAgent => stay.leave_unanswered(workload, draw),
        }
        stay
    }

    /// Makes a stay without agent message. Mostly no agent is assigned; sometimes the assigned agent stays silent or
    /// returns the conversation to the queue.
    fn leave_unanswered(&mut self, workload: &'w Workload, draw: &mut Draw) {
        let in_queue = draw.percent(70);
        if !in_queue || draw.percent(15) {
            self.assign(workload, draw, self.end);
            self.returned = in_queue.then_some(self.end);
            self.end += draw.duration(LONGEST_TALK).max(1);
        }
        self.abandoned_in_queue = in_queue && self.outcome == Outcome::Abandoned;
    }

    /// Makes a stay with agent messages, by the first agent or by a second one who was assigned afterwards.
    fn answer(&mut self, workload: &'w Workload, draw: &mut Draw, frame: Frame) {
        let mut assigned = self.end;
        self.assign(workload, draw, assigned);
        if draw.percent(6) {
            assigned += draw.duration(LONGEST_HANDOVER);
            self.assign(workload, draw, assigned);
        }
        let longest = if self.user_type == UserType::Bot { LONGEST_BOT_RESPONSE } else { LONGEST_HUMAN_RESPONSE };
        let spoken = assigned + draw.duration(longest);
        let takeover = self.user_type == UserType::Human && draw.percent(2);
        if let Some(last) = self.assignments.last_mut() {
            last.takeover = takeover;
        }
        self.first_message = Some(spoken);
        self.sample = (!takeover && !frame.silent_since_resume).then_some(spoken - assigned);
        self.agent_messages = 1 + (draw.duration(12)) as u32;
        self.end = spoken + draw.duration(LONGEST_TALK).max(1);
        if self.outcome == Outcome::Interactive {
            self.consumer_messages += draw.duration(12) as u32;
        }
    }

    /// Assigns an agent. Every fifth skill has bots and the others humans, with a few exceptions.
    fn assign(&mut self, workload: &'w Workload, draw: &mut Draw, time: i64) {
        let is_bot = (self.skill % 5 == 1) != draw.percent(3);
        let (kind, names) =
            if is_bot { (UserType::Bot, workload.bots()) } else { (UserType::Human, workload.agents()) };
        let agent_kind = if is_bot { AgentKind::Bot } else { AgentKind::Human };
        self.assignments.push(Assignment { agent: names.draw(draw), kind: agent_kind, time, takeover: false });
        self.user_type = match self.user_type {
            UserType::None => kind,
            same if same == kind => kind,
            _ => UserType::Mixed,
        };
    }
}

fn outcome(draw: &mut Draw, end_reason: EndReason) -> Outcome {
    let unanswered = match end_reason {
        EndReason::ClosedByConsumer => Outcome::Abandoned,
        _ => Outcome::NonResponsiveAgent,
    };
    let weights = [(Outcome::Interactive, 66), (Outcome::NonResponsiveConsumer, 16), (unanswered, 18)];
    draw.weighted(&weights).unwrap_or(unanswered)
}
