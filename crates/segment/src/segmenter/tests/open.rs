//! Segments that are open, as they are seen meanwhile.

use super::story::{Desk, Story, at};
use crate::{
    AgentKind, AssignedAgent, ClosedBy, FollowedConversation, LastMessage, OpenSegment, Sender, StartReason, Wait,
    WaitKind,
};

/// The desk after all events of a story.
fn after(story: &Story) -> Desk {
    let mut desk = Desk::new();
    desk.take_all(&story.events);
    desk
}

/// The wait in which a story leaves its conversation: since which second, and how it began.
fn wait(story: &Story) -> Option<(i64, WaitKind)> {
    let desk = after(story);
    let wait = desk.state("c-1").open_segment().unwrap().wait;
    wait.map(|Wait { since, kind }| ((since - at(0)) / 1000, kind))
}

#[test]
fn a_wait_begins_with_the_skill_and_ends_with_an_agent() {
    use WaitKind::{NewConversation, Transfer};
    let story = Story::started(12, 0).consumer_says(3);
    assert_eq!(wait(&story), Some((0, NewConversation)));
    let story = story.human("ann", 5);
    assert_eq!(wait(&story), None);
    let story = story.returned(7);
    assert_eq!(wait(&story), Some((7, NewConversation)), "a return keeps the kind of the wait");
    let story = story.transferred(13, 9);
    assert_eq!(wait(&story), Some((9, Transfer)));
    let story = story.bot("bot", 10).returned(11);
    assert_eq!(wait(&story), Some((11, Transfer)));
    let story = story.closed_by(ClosedBy::Consumer, 12);
    assert_eq!(after(&story).state("c-1").open_segment(), None);
    assert_eq!(wait(&story.resumed(13, 20)), Some((20, NewConversation)));
}

#[test]
fn a_return_and_a_transfer_to_the_same_skill_begin_a_wait_only_where_an_agent_was_assigned() {
    use WaitKind::{NewConversation, Transfer};
    let waiting = Story::started(12, 0);
    assert_eq!(wait(&waiting.clone().returned(4)), Some((0, NewConversation)));
    assert_eq!(wait(&waiting.clone().transferred(12, 4)), Some((0, NewConversation)));
    let assigned = waiting.human("ann", 1);
    assert_eq!(wait(&assigned.clone().transferred(12, 4)), Some((4, Transfer)));
    assert_eq!(wait(&assigned.clone().transferred(12, 4).transferred(12, 6).returned(8)), Some((4, Transfer)));
    assert_eq!(wait(&assigned.transferred(12, 4).human("ben", 5).returned(8)), Some((8, Transfer)));
}

#[test]
fn an_open_segment_tells_who_is_assigned_now_and_what_was_written_in_it() {
    let story = Story::started(12, 0)
        .bot("bot", 1)
        .agent_says("bot", 2)
        .consumer_says(3)
        .transferred(13, 4)
        .bot("bot", 5)
        .human("ann", 6)
        .agent_says("bot", 7)
        .system_says(8)
        .agent_says("ann", 9);
    let expected = OpenSegment {
        segment_index: 1,
        skill_id: 13,
        start_time: at(4),
        start_reason: StartReason::SkillTransfer,
        wait: None,
        agent: Some(AssignedAgent { agent_id: "ann", kind: Some(AgentKind::Human), since: at(6) }),
        first_agent_message_time: Some(at(9)),
        agent_messages: 1,
        consumer_messages: 0,
        last_message: Some(LastMessage { time: at(9), by: Sender::Agent }),
        is_resumed: false,
        source: Some("WEB"),
    };
    let desk = after(&story);
    assert_eq!(desk.state("c-1").open_segment(), Some(expected.clone()));
    let desk = after(&story.consumer_says(10).returned(11));
    let waiting = OpenSegment {
        wait: Some(Wait { since: at(11), kind: WaitKind::Transfer }),
        agent: None,
        consumer_messages: 1,
        last_message: Some(LastMessage { time: at(10), by: Sender::Consumer }),
        ..expected
    };
    assert_eq!(desk.state("c-1").open_segment(), Some(waiting.clone()));
    let restarted = desk.restarted();
    assert_eq!(restarted.state("c-1").open_segment(), Some(waiting), "after a restart");
}

#[test]
fn that_a_conversation_was_resumed_is_known_in_later_segments() {
    let story = Story::started(12, 0).closed_by(ClosedBy::Agent, 1).resumed(12, 2);
    let is_resumed = |story: &Story| after(story).restarted().state("c-1").open_segment().unwrap().is_resumed;
    assert!(!is_resumed(&Story::started(12, 0)));
    assert!(is_resumed(&story));
    assert!(is_resumed(&story.transferred(13, 3)));
}

/// The state in which a story leaves its conversation, as it was stored before its last part was: the start of the last
/// wait in milliseconds since the segment's, whether a transfer began it, the kind of the agent, the last message, and
/// whether there was a resume.
fn read_of_before(story: &Story, wait_start: i64, is_after_transfer: bool, kind: AgentKind) -> FollowedConversation {
    let last = Some((wait_start, is_after_transfer, Some(kind), None::<(i64, Sender)>, false));
    let (whole, last) =
        (postcard::to_allocvec(after(story).state("c-1")).unwrap(), postcard::to_allocvec(&last).unwrap());
    postcard::from_bytes(whole.strip_suffix(last.as_slice()).unwrap()).unwrap()
}

#[test]
fn a_conversation_that_was_stored_before_waits_since_it_entered_the_skill() {
    let story = Story::started(12, 0).human("ann", 3).returned(7);
    let open = read_of_before(&story, 7000, false, AgentKind::Human).open_segment().unwrap().wait;
    assert_eq!(open, Some(Wait { since: at(0), kind: WaitKind::NewConversation }));
    let story = Story::started(12, 0).transferred(13, 4).human("ann", 5);
    let read = read_of_before(&story, 0, true, AgentKind::Human);
    let open = read.open_segment().unwrap();
    assert_eq!((open.wait, open.agent.unwrap().kind), (None, Some(AgentKind::Human)));
    let story = story.bot("bot", 6);
    let read = read_of_before(&story, 0, true, AgentKind::Bot);
    assert_eq!(read.open_segment().unwrap().agent.unwrap().kind, None, "either of two");
}
