//! What a skill segment is, one rule a test.

use super::story::{Desk, Story, at};
use crate::segmenter::Impossible;
use crate::{ClosedBy, EndReason, EventKind, Outcome, StartReason, TransferReason, UserType};

#[test]
fn a_segment_starts_in_the_queue_of_the_skill_and_ends_with_the_close() {
    let segment = Story::started(12, 0).closed_by(ClosedBy::System, 30).segment();
    assert_eq!((segment.skill_id, segment.segment_index), (12, 0));
    assert_eq!((segment.start_time, segment.end_time), (at(0), at(30)));
    assert_eq!((segment.start_reason, segment.end_reason), (StartReason::NewConversation, EndReason::ClosedBySystem));
    assert_eq!((segment.account_id.as_ref(), segment.conversation_id.as_ref()), ("acme", "c-1"));
    assert_eq!(segment.source.as_deref(), Some("WEB"));
}

#[test]
fn nothing_counts_before_its_segment_is_closed() {
    let story = Story::started(12, 0).human("ann", 5).agent_says("ann", 6).consumer_says(7);
    assert_eq!(story.segments(), []);
    assert_eq!(story.transferred(13, 8).segments().len(), 1);
}

#[test]
fn a_transfer_to_another_skill_ends_a_segment_and_starts_the_next_at_the_same_instant() {
    let segments = Story::started(12, 0).transferred(13, 20).closed_by(ClosedBy::Agent, 50).segments();
    let [first, second] = segments.as_slice() else { panic!("{segments:?}") };
    assert_eq!((first.end_reason, second.start_reason), (EndReason::SkillTransfer, StartReason::SkillTransfer));
    assert_eq!((first.end_time, second.start_time), (at(20), at(20)));
    assert_eq!((first.skill_id, second.skill_id), (12, 13));
    assert_eq!((first.segment_index, second.segment_index), (0, 1));
    assert_eq!(second.source.as_deref(), Some("WEB"), "it comes from where the conversation came from");
}

#[test]
fn a_transfer_to_an_agent_of_another_skill_is_told_apart() {
    let segments = Story::started(12, 0).transferred_to_agent(13, 20).closed_by(ClosedBy::Agent, 50).segments();
    assert_eq!(segments[0].end_reason, EndReason::AgentTransfer);
    assert_eq!(segments[1].start_reason, StartReason::AgentTransfer);
}

#[test]
fn a_transfer_whose_reason_is_not_known_starts_a_segment_with_other() {
    let story = Story::started(12, 0);
    let story = story.then(20, EventKind::Transferred { skill_id: 13, reason: TransferReason::Other });
    let segments = story.closed_by(ClosedBy::Agent, 50).segments();
    assert_eq!(segments[1].start_reason, StartReason::Other);
}

#[test]
fn the_same_skill_may_come_back() {
    let segments =
        Story::started(12, 0).transferred(13, 20).transferred(12, 30).closed_by(ClosedBy::Agent, 50).segments();
    let skills: Vec<_> = segments.iter().map(|segment| (segment.segment_index, segment.skill_id)).collect();
    assert_eq!(skills, [(0, 12), (1, 13), (2, 12)]);
}

#[test]
fn going_back_to_the_queue_ends_nothing() {
    let segment = Story::started(12, 0).human("ann", 5).returned(20).human("bob", 30).agent_says("bob", 33);
    let segment = segment.closed_by(ClosedBy::Agent, 50).segment();
    assert_eq!(segment.first_assigned_time, Some(at(5)));
    assert_eq!(segment.time_to_first_agent_message_ms, Some(3_000), "from the assignment of the one who spoke");
}

#[test]
fn a_transfer_to_the_skill_that_it_is_in_counts_as_back_to_queue() {
    for story in [
        Story::started(12, 0).human("ann", 5).transferred(12, 9),
        Story::started(12, 0).human("ann", 5).transferred_to_agent(12, 9),
    ] {
        let segment = story.closed_by(ClosedBy::Consumer, 50).segment();
        assert_eq!(segment.end_time, at(50));
        assert!(segment.abandoned_in_queue, "and nobody is assigned any more");
    }
}

#[test]
fn a_takeover_by_a_manager_ends_nothing() {
    let story = Story::started(12, 0).human("ann", 5).takeover("mia", 20).agent_says("mia", 25);
    let segment = story.closed_by(ClosedBy::Agent, 50).segment();
    assert_eq!((segment.agent_messages, segment.last_agent_id.as_deref()), (1, Some("mia")));
}

#[test]
fn a_transfer_ends_the_agents_assignment() {
    let story = Story::started(12, 0).human("ann", 5).transferred(13, 20).agent_says("ann", 25);
    let segment = story.closed_by(ClosedBy::Consumer, 50).segments().remove(1);
    assert_eq!((segment.agent_messages, segment.user_type), (0, UserType::None));
    assert!(segment.abandoned_in_queue);
}

#[test]
fn messages_by_the_assigned_agent_count_human_or_bot() {
    for story in [Story::started(12, 0).human("ann", 5), Story::started(12, 0).bot("ann", 5)] {
        let segment = story.agent_says("ann", 6).agent_says("ann", 7).closed_by(ClosedBy::Agent, 50).segment();
        assert_eq!((segment.agent_messages, segment.first_agent_message_time), (2, Some(at(6))));
    }
}

#[test]
fn messages_by_anyone_else_of_the_brand_do_not_count() {
    let story = Story::started(12, 0).human("ann", 5).agent_says("manager", 6).human("bob", 7).agent_says("ann", 8);
    let segment = story.consumer_says(9).closed_by(ClosedBy::Agent, 50).segment();
    assert_eq!((segment.agent_messages, segment.outcome), (0, Outcome::NonResponsiveAgent));
}

#[test]
fn system_messages_do_not_count() {
    let segment = Story::started(12, 0).human("ann", 5).system_says(6).closed_by(ClosedBy::System, 50).segment();
    assert_eq!((segment.agent_messages, segment.consumer_messages), (0, 0));
}

#[test]
fn an_agent_message_that_names_no_agent_is_the_assigned_agents() {
    let segment = Story::started(12, 0).human("ann", 5).unnamed_agent_says(6).closed_by(ClosedBy::Agent, 50).segment();
    assert_eq!((segment.agent_messages, segment.time_to_first_agent_message_ms), (1, Some(1_000)));
}

#[test]
fn an_agent_message_while_nobody_is_assigned_does_not_count() {
    let story = Story::started(12, 0).unnamed_agent_says(2).human("ann", 5).returned(6).agent_says("ann", 7);
    assert_eq!(story.closed_by(ClosedBy::Agent, 50).segment().agent_messages, 0);
}

#[test]
fn consumer_messages_count_in_the_segment_that_is_open_when_they_arrive() {
    let story = Story::started(12, 0).consumer_says(1).consumer_says(2).transferred(13, 20).consumer_says(21);
    let segments = story.closed_by(ClosedBy::Agent, 50).segments();
    assert_eq!((segments[0].consumer_messages, segments[1].consumer_messages), (2, 1));
}

/// Whether an agent spoke and the consumer answered, and who ended the segment.
#[test]
fn each_way_to_end_has_its_outcome() {
    let silent = || Story::started(12, 0).human("ann", 5);
    let spoken = || silent().consumer_says(6).agent_says("ann", 7);
    let answered = || spoken().consumer_says(8);
    type End = fn(Story) -> Story;
    let cases: [(End, Outcome); 5] = [
        (|story| story.transferred(13, 50), Outcome::NonResponsiveAgent),
        (|story| story.transferred_to_agent(13, 50), Outcome::NonResponsiveAgent),
        (|story| story.closed_by(ClosedBy::Agent, 50), Outcome::NonResponsiveAgent),
        (|story| story.closed_by(ClosedBy::System, 50), Outcome::NonResponsiveAgent),
        (|story| story.closed_by(ClosedBy::Consumer, 50), Outcome::Abandoned),
    ];
    for (end, unanswered) in cases {
        assert_eq!(end(silent()).segment().outcome, unanswered);
        assert_eq!(end(spoken()).segment().outcome, Outcome::NonResponsiveConsumer);
        assert_eq!(end(answered()).segment().outcome, Outcome::Interactive);
    }
}

#[test]
fn a_consumer_who_wrote_before_the_agent_alone_is_non_responsive() {
    let story = Story::started(12, 0).consumer_says(1).human("ann", 5).agent_says("ann", 6);
    assert_eq!(story.closed_by(ClosedBy::Consumer, 50).segment().outcome, Outcome::NonResponsiveConsumer);
}

#[test]
fn an_answer_to_an_agent_of_the_segment_before_is_none_in_this_one() {
    let story = Story::started(12, 0).human("ann", 5).agent_says("ann", 6).transferred(13, 20).consumer_says(21);
    let segments = story.closed_by(ClosedBy::Consumer, 50).segments();
    assert_eq!((segments[0].outcome, segments[1].outcome), (Outcome::NonResponsiveConsumer, Outcome::Abandoned));
}

#[test]
fn abandoned_in_queue_means_that_nobody_was_assigned_at_the_close() {
    let in_queue = |story: Story| {
        let segment = story.closed_by(ClosedBy::Consumer, 50).segment();
        (segment.outcome, segment.abandoned_in_queue)
    };
    assert_eq!(in_queue(Story::started(12, 0)), (Outcome::Abandoned, true));
    assert_eq!(in_queue(Story::started(12, 0).human("ann", 5)), (Outcome::Abandoned, false));
    assert_eq!(in_queue(Story::started(12, 0).human("ann", 5).returned(9)), (Outcome::Abandoned, true));
    let answered = Story::started(12, 0).human("ann", 5).agent_says("ann", 6).returned(9);
    assert_eq!(in_queue(answered), (Outcome::NonResponsiveConsumer, false), "who was answered has abandoned nothing");
}

#[test]
fn the_sample_is_the_time_from_the_latest_assignment_of_the_agent_who_spoke_first() {
    let story = Story::started(12, 0).human("ann", 5).human("bob", 10).human("ann", 20).agent_says("ann", 24);
    let segment = story.human("bob", 30).agent_says("bob", 31).closed_by(ClosedBy::Agent, 50).segment();
    assert_eq!(segment.time_to_first_agent_message_ms, Some(4_000));
    assert_eq!((segment.first_assigned_time, segment.first_agent_message_time), (Some(at(5)), Some(at(24))));
}

#[test]
fn a_segment_without_agent_message_has_no_sample() {
    let segment = Story::started(12, 0).human("ann", 5).closed_by(ClosedBy::Agent, 50).segment();
    assert_eq!((segment.time_to_first_agent_message_ms, segment.first_agent_message_time), (None, None));
}

#[test]
fn a_first_message_after_a_takeover_is_no_sample() {
    let story = Story::started(12, 0).human("ann", 5).takeover("mia", 10).agent_says("mia", 12).human("ann", 20);
    let segment = story.agent_says("ann", 22).consumer_says(23).closed_by(ClosedBy::Agent, 50).segment();
    assert_eq!(segment.time_to_first_agent_message_ms, None, "and the next one is not the first");
    assert_eq!((segment.agent_messages, segment.outcome), (2, Outcome::Interactive), "it counts in everything else");
}

#[test]
fn an_assignment_after_a_takeover_is_measured_again() {
    let story = Story::started(12, 0).takeover("mia", 10).human("mia", 20).agent_says("mia", 23);
    assert_eq!(story.closed_by(ClosedBy::Agent, 50).segment().time_to_first_agent_message_ms, Some(3_000));
}

#[test]
fn a_resume_starts_another_segment_and_the_earlier_close_stays() {
    let story = Story::started(12, 0).closed_by(ClosedBy::Consumer, 20).resumed(14, 90).human("ann", 95);
    let segments = story.closed_by(ClosedBy::Consumer, 99).segments();
    let [first, second] = segments.as_slice() else { panic!("{segments:?}") };
    assert_eq!((first.outcome, first.abandoned_in_queue), (Outcome::Abandoned, true));
    assert_eq!((second.start_reason, second.segment_index, second.skill_id), (StartReason::Resume, 1, 14));
    assert_eq!((second.start_time, second.end_time), (at(90), at(99)));
    assert_eq!((second.outcome, second.abandoned_in_queue), (Outcome::Abandoned, false));
}

#[test]
fn the_first_agent_message_since_a_resume_is_no_sample() {
    let story = Story::started(12, 0).closed_by(ClosedBy::Consumer, 20).resumed(12, 90);
    let story = story.human("ann", 95).agent_says("ann", 97).transferred(13, 100).human("bob", 105);
    let segments = story.agent_says("bob", 106).closed_by(ClosedBy::Agent, 110).segments();
    assert_eq!(segments[1].time_to_first_agent_message_ms, None);
    assert_eq!(segments[2].time_to_first_agent_message_ms, Some(1_000), "the one after is");
}

#[test]
fn nor_is_it_where_the_conversation_went_on_to_another_skill_before_anyone_spoke() {
    let story = Story::started(12, 0).closed_by(ClosedBy::Consumer, 20).resumed(12, 90).human("ann", 91);
    let story = story.agent_says("manager", 92).transferred(13, 100).human("bob", 105).agent_says("bob", 106);
    let segments = story.transferred(14, 110).human("eve", 111).agent_says("eve", 113).closed_by(ClosedBy::Agent, 120);
    let samples: Vec<_> = segments.segments().iter().map(|segment| segment.time_to_first_agent_message_ms).collect();
    assert_eq!(samples, [None, None, None, Some(2_000)]);
}

#[test]
fn the_user_type_tells_which_kinds_of_agents_were_assigned() {
    let of = |story: Story| story.closed_by(ClosedBy::Agent, 50).segment().user_type;
    assert_eq!(of(Story::started(12, 0).human("ann", 5).human("bob", 6)), UserType::Human);
    assert_eq!(of(Story::started(12, 0).bot("b-1", 5)), UserType::Bot);
    assert_eq!(
        of(Story::started(12, 0).bot("b-1", 5).human("ann", 6)),
        UserType::Mixed,
        "also where none of them spoke"
    );
    assert_eq!(of(Story::started(12, 0)), UserType::None);
}

#[test]
fn the_unassigned_skill_is_a_skill() {
    let segments = Story::started(-1, 0).transferred(12, 5).closed_by(ClosedBy::Agent, 50).segments();
    assert_eq!((segments[0].skill_id, segments[1].skill_id), (-1, 12));
}

#[test]
fn a_clock_that_goes_back_makes_no_segment_end_before_it_starts() {
    let story = Story::started(12, 10).human("ann", 8).agent_says("ann", 9).transferred(13, 7);
    let segments = story.closed_by(ClosedBy::Agent, 6).segments();
    for segment in &segments {
        assert_eq!((segment.start_time, segment.end_time), (at(10), at(10)));
        assert!(segment.validate().is_ok());
    }
}

#[test]
fn what_is_impossible_changes_nothing_and_stops_nothing() {
    let story = Story::started(12, 0).resumed(13, 1).human("ann", 5);
    let story = story.then(6, EventKind::Started { skill_id: 15, source: None }).agent_says("ann", 7);
    let story = story.closed_by(ClosedBy::Agent, 20).consumer_says(21).closed_by(ClosedBy::Agent, 22).resumed(12, 30);
    let story = story.closed_by(ClosedBy::System, 40);
    let mut desk = Desk::new();
    desk.take_all(&story.events);
    let reasons = [
        (1, Impossible::ResumedWhileOpen),
        (3, Impossible::StartedTwice),
        (6, Impossible::AfterClose),
        (7, Impossible::AfterClose),
    ];
    assert_eq!(desk.dead_letters, reasons);
    let possible = Story::started(12, 0).human("ann", 5).agent_says("ann", 7).closed_by(ClosedBy::Agent, 20);
    assert_eq!(desk.segments, possible.resumed(12, 30).closed_by(ClosedBy::System, 40).segments());
}
