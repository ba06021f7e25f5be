//! Conversations told event by event.

use std::convert::Infallible;

use crate::segmenter::{
    Arrival, DeadLetter, FollowedConversation, Impossible, PastConversation, Segmented, Segmenter, ToldConversation,
};
use crate::testing::segments_of;
use crate::{AgentKind, ClosedBy, Error, Event, EventKind, Segment, Sender, TransferReason};

pub(super) const ACCOUNT: &str = "acme";
pub(super) const CONVERSATION: &str = "c-1";

/// Noon, so that times in a story can be seconds after it.
const NOON: i64 = 1_516_276_800_000;

/// A second of a story in milliseconds since the epoch.
pub(super) fn at(second: i64) -> i64 {
    NOON + second * 1000
}

/// The events of one conversation, numbered as they are told.
#[derive(Debug, Clone, Default)]
pub(super) struct Story {
    pub(super) events: Vec<Event<String>>,
}

impl Story {
    /// A consumer starts a conversation in a skill.
    pub(super) fn started(skill_id: i64, second: i64) -> Self {
        Self::default().then(second, EventKind::Started { skill_id, source: Some("WEB".to_owned()) })
    }

    pub(super) fn then(mut self, second: i64, kind: EventKind<String>) -> Self {
        self.events.push(Event {
            account_id: ACCOUNT.to_owned(),
            conversation_id: CONVERSATION.to_owned(),
            sequence: self.events.len() as u64,
            time: at(second),
            kind,
        });
        self
    }

    pub(super) fn human(self, agent: &str, second: i64) -> Self {
        self.assigned(agent, second, AgentKind::Human, false)
    }

    pub(super) fn bot(self, agent: &str, second: i64) -> Self {
        self.assigned(agent, second, AgentKind::Bot, false)
    }

    pub(super) fn takeover(self, agent: &str, second: i64) -> Self {
        self.assigned(agent, second, AgentKind::Human, true)
    }

    fn assigned(self, agent: &str, second: i64, agent_kind: AgentKind, takeover: bool) -> Self {
        self.then(second, EventKind::Assigned { agent_id: agent.to_owned(), agent_kind, takeover })
    }

    pub(super) fn returned(self, second: i64) -> Self {
        self.then(second, EventKind::Returned)
    }

    pub(super) fn consumer_says(self, second: i64) -> Self {
        self.then(second, EventKind::Message { sender: Sender::Consumer, agent_id: None })
    }

    pub(super) fn system_says(self, second: i64) -> Self {
        self.then(second, EventKind::Message { sender: Sender::System, agent_id: None })
    }

    pub(super) fn agent_says(self, agent: &str, second: i64) -> Self {
        self.then(second, EventKind::Message { sender: Sender::Agent, agent_id: Some(agent.to_owned()) })
    }

    pub(super) fn unnamed_agent_says(self, second: i64) -> Self {
        self.then(second, EventKind::Message { sender: Sender::Agent, agent_id: None })
    }

    pub(super) fn transferred(self, skill_id: i64, second: i64) -> Self {
        self.then(second, EventKind::Transferred { skill_id, reason: TransferReason::Skill })
    }

    pub(super) fn transferred_to_agent(self, skill_id: i64, second: i64) -> Self {
        self.then(second, EventKind::Transferred { skill_id, reason: TransferReason::Agent })
    }

    pub(super) fn closed_by(self, by: ClosedBy, second: i64) -> Self {
        self.then(second, EventKind::Closed { by })
    }

    pub(super) fn resumed(self, skill_id: i64, second: i64) -> Self {
        self.then(second, EventKind::Resumed { skill_id })
    }

    /// The closed segments of the story, in which nothing is impossible.
    #[track_caller]
    pub(super) fn segments(&self) -> Vec<Segment<'static>> {
        let mut desk = Desk::new();
        desk.take_all(&self.events);
        assert_eq!(desk.dead_letters, []);
        desk.segments
    }

    /// The only closed segment of the story.
    #[track_caller]
    pub(super) fn segment(&self) -> Segment<'static> {
        let mut segments = self.segments();
        assert_eq!(segments.len(), 1);
        segments.remove(0)
    }
}

/// How long events wait for earlier ones.
pub(super) const WAIT_MS: i64 = 60_000;

/// A segmenter and all that came of it.
pub(super) struct Desk {
    pub(super) segmenter: Segmenter,
    pub(super) segments: Vec<Segment<'static>>,
    pub(super) dead_letters: Vec<(u64, Impossible)>,
    pub(super) accepted: usize,
    pub(super) duplicates: usize,
    pub(super) gaps: usize,
    /// What is stored of conversations that are not followed any more.
    pub(super) past: Option<PastConversation>,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            segmenter: Segmenter::new(WAIT_MS),
            segments: Vec::new(),
            dead_letters: Vec::new(),
            accepted: 0,
            duplicates: 0,
            gaps: 0,
            past: None,
        }
    }

    pub(super) fn take_all<'e>(&mut self, events: impl IntoIterator<Item = &'e Event<String>>) {
        for event in events {
            self.take(event);
        }
    }

    pub(super) fn take(&mut self, event: &Event<String>) {
        self.take_at(event, Arrival { now: 0, steady: 0, latest_credible: i64::MAX });
    }

    pub(super) fn take_at(&mut self, event: &Event<String>, arrival: Arrival) {
        let mut out = Segmented::new();
        let past = self.past.clone();
        let mut ask = |_: &str, _: &str, _: i64| Ok::<_, Error>(past.clone());
        self.segmenter.take(&event.map(String::as_str), arrival, &mut ask, &mut out).unwrap();
        self.segmenter.keep();
        self.note(out);
    }

    /// An export is read.
    pub(super) fn adopt(&mut self, told: &ToldConversation) {
        let mut out = Segmented::new();
        let past = self.past.clone();
        let mut ask = |_: &str, _: &str, _: i64| Ok::<_, Infallible>(past.clone());
        self.segmenter.adopt(told, &mut ask, &mut out).unwrap();
        self.segmenter.keep();
        self.note(out);
    }

    pub(super) fn state(&self, conversation: &str) -> &FollowedConversation {
        self.segmenter.followed("acme", conversation).unwrap()
    }

    /// Another desk with a segmenter that takes up where this one is.
    pub(super) fn restarted(&self) -> Self {
        Self { segmenter: restarted(&self.segmenter), ..Self::new() }
    }

    /// An account has had no event for the bound of wall time.
    pub(super) fn idle(&mut self, now: i64) {
        let mut out = Segmented::new();
        self.segmenter.give_up_idle(now, &mut |_, _, _| Ok::<_, Infallible>(None), &mut out).unwrap();
        self.segmenter.keep();
        self.note(out);
    }

    /// An event of another conversation, which moves the watermark.
    pub(super) fn time_passes_to(&mut self, second: i64) {
        let mut other = Story::started(1, second).events.remove(0);
        other.conversation_id = format!("other-{second}");
        self.take(&other);
        self.accepted -= 1;
    }

    fn note(&mut self, mut out: Segmented) {
        self.accepted += out.accepted;
        self.duplicates += out.duplicates;
        self.gaps += out.gaps_given_up.values().sum::<usize>();
        self.segments.extend(segments_of(&out.segments.finish().unwrap()));
        self.dead_letters.extend(out.dead_letters.iter().map(|DeadLetter { event, reason }| (event.sequence, *reason)));
    }
}

/// A segmenter that takes up where another was.
pub(super) fn restarted(old: &Segmenter) -> Segmenter {
    let mut new = Segmenter::new(WAIT_MS);
    for (account, watermark) in old.watermarks() {
        new.restore_watermark(account, watermark, 0).unwrap();
    }
    for (account, begun) in old.beginnings() {
        new.restore_beginning(account, begun).unwrap();
    }
    for (account, old) in old.conversations() {
        // What is not part of the state that is kept is lost.
        let state = postcard::from_bytes(&postcard::to_allocvec(old.as_ref()).unwrap()).unwrap();
        new.restore(account.as_str(), old.id(), state, 0).unwrap();
    }
    new.finish_restoring();
    new
}
