//! Conversations that an export tells, before, amid and after their events.

use super::story::{Desk, Story, WAIT_MS, at};
use crate::segmenter::{Conversation, Impossible, PastConversation, ToldConversation};
use crate::{AccountId, AgentKind, ClosedBy, Sender};

/// Ten events, of which the sixth transfers the conversation.
fn story() -> Story {
    Story::started(12, 0)
        .consumer_says(1)
        .bot("bot", 2)
        .agent_says("bot", 3)
        .consumer_says(4)
        .transferred(13, 5)
        .human("ann", 6)
        .agent_says("ann", 8)
        .consumer_says(9)
        .closed_by(ClosedBy::Consumer, 10)
}

/// What an export tells that is made at a second of the story.
fn told(story: &Story, second: i64) -> ToldConversation {
    let (mut state, mut until) = (Conversation::default(), 0);
    for event in story.events.iter().filter(|event| event.time <= at(second)) {
        state.take(event.time, &event.kind.map(String::as_str)).unwrap();
        until = event.time;
    }
    ToldConversation { account: AccountId::parse("acme").unwrap(), conversation: "c-1".into(), state, until }
}

fn take(desk: &mut Desk, story: &Story, sequences: impl IntoIterator<Item = usize>) {
    desk.take_all(sequences.into_iter().map(|sequence| &story.events[sequence]));
}

/// The segment that comes of the events after the transfer.
fn assert_has_the_second(desk: &Desk) {
    assert_eq!(desk.segments, story().segments()[1..]);
    assert_eq!(desk.dead_letters, []);
}

#[test]
fn what_is_told_is_a_repeat_and_shows_where_the_events_go_on() {
    let mut desk = Desk::new();
    desk.adopt(&told(&story(), 6));
    assert_eq!(desk.segmenter.open_conversations(), 1);
    take(&mut desk, &story(), [5, 6, 7, 8, 9]);
    assert_has_the_second(&desk);
    assert_eq!((desk.accepted, desk.duplicates), (3, 2));
    assert_eq!(desk.segmenter.open_conversations(), 0);
}

#[test]
fn the_first_event_after_the_export_waits_for_one_that_was_told_no_longer_than_the_bound() {
    let mut desk = Desk::new();
    desk.adopt(&told(&story(), 6));
    take(&mut desk, &story(), [8, 9]);
    desk.time_passes_to(8 + 59);
    assert_eq!(desk.segments, []);
    take(&mut desk, &story(), [7]);
    assert_eq!(desk.segments, [], "whether another comes before it is not known");
    desk.time_passes_to(8 + 60);
    assert_has_the_second(&desk);
    assert_eq!(desk.gaps, 0, "nothing is missing");
}

#[test]
fn events_that_an_export_told_come_out_of_order_too() {
    let mut desk = Desk::new();
    desk.adopt(&told(&story(), 6));
    take(&mut desk, &story(), [9, 8, 2, 6, 0, 7, 1, 6]);
    assert_has_the_second(&desk);
    assert_eq!((desk.accepted, desk.duplicates), (3, 5));
}

#[test]
fn the_stream_of_a_conversation_that_began_before_it_waits_for_the_export() {
    let mut desk = Desk::new();
    take(&mut desk, &story(), 6..10);
    desk.time_passes_to(10_000);
    desk.idle(10 * WAIT_MS);
    assert_eq!((&desk.segments, &desk.dead_letters), (&Vec::new(), &Vec::new()));
    assert_eq!(desk.segmenter.waiting_events(), 4);
    desk.adopt(&told(&story(), 7));
    assert_has_the_second(&desk);
    assert_eq!(desk.segmenter.waiting_events(), 0);
}

#[test]
fn an_export_that_is_older_than_the_first_event_of_the_stream_is_gone_on_from() {
    let mut desk = Desk::new();
    take(&mut desk, &story(), 7..10);
    desk.time_passes_to(100);
    desk.adopt(&told(&story(), 6));
    assert_has_the_second(&desk);
}

#[test]
fn what_was_kept_for_a_day_is_told() {
    let mut desk = Desk::new();
    take(&mut desk, &story(), 8..10);
    desk.time_passes_to(9 + 86_399);
    assert_eq!(desk.dead_letters, []);
    desk.time_passes_to(9 + 86_400);
    assert_eq!(desk.dead_letters, [(8, Impossible::NotStarted), (9, Impossible::NotStarted)]);
    assert_eq!(desk.segmenter.waiting_events(), 0);
}

#[test]
fn no_account_keeps_more_than_so_many_events() {
    let mut desk = Desk::new();
    for number in 0..super::super::MOST_KEPT as i64 + 3 {
        let mut event = story().events.remove(4);
        event.conversation_id = format!("c-{number}");
        event.time = at(number);
        desk.take(&event);
    }
    assert_eq!(desk.segmenter.waiting_events(), super::super::MOST_KEPT);
    assert_eq!(desk.dead_letters, [(4, Impossible::NotStarted); 3], "those that were kept longest");
}

#[test]
fn a_start_that_comes_after_all_leaves_nothing_to_an_export() {
    let mut desk = Desk::new();
    take(&mut desk, &story(), [1, 2, 3, 5, 6, 7, 8, 9]);
    desk.time_passes_to(1000);
    take(&mut desk, &story(), [0]);
    desk.time_passes_to(1001);
    assert_eq!(desk.segments.len(), 2, "the gap before the sixth is given up as any other");
    desk.adopt(&told(&story(), 10));
    assert_eq!((desk.segments.len(), desk.duplicates), (2, 0));
}

#[test]
fn an_export_that_is_older_than_the_stream_changes_nothing() {
    for closed in [false, true] {
        let mut desk = Desk::new();
        take(&mut desk, &story(), 0..if closed { 10 } else { 8 });
        let before: Vec<_> = desk.segmenter.conversations().map(|(.., state)| state.clone()).collect();
        for second in [3, 8] {
            desk.adopt(&told(&story(), second));
        }
        let after: Vec<_> = desk.segmenter.conversations().map(|(.., state)| state.clone()).collect();
        assert_eq!(after, before);
        take(&mut desk, &story(), 0..10);
        assert_eq!((desk.segments, desk.dead_letters), (story().segments(), Vec::new()));
    }
}

#[test]
fn an_export_that_is_ahead_of_the_stream_is_gone_on_from() {
    let mut desk = Desk::new();
    take(&mut desk, &story(), [0, 1, 4]);
    desk.adopt(&told(&story(), 6));
    take(&mut desk, &story(), [2, 3, 5, 6, 7, 8, 9]);
    assert_has_the_second(&desk);
    assert_eq!((desk.accepted, desk.duplicates), (6, 4));
}

#[test]
fn an_event_of_the_very_millisecond_was_told() {
    let story = Story::started(12, 0).consumer_says(5).consumer_says(5).closed_by(ClosedBy::Agent, 6);
    let mut desk = Desk::new();
    desk.adopt(&told(&story, 5));
    take(&mut desk, &story, [2, 3]);
    assert_eq!(desk.segments, story.segments());
}

#[test]
fn the_later_of_two_exports_counts() {
    for order in [[2, 6], [6, 2], [6, 6]] {
        let mut desk = Desk::new();
        order.into_iter().for_each(|second| desk.adopt(&told(&story(), second)));
        take(&mut desk, &story(), 6..10);
        assert_has_the_second(&desk);
    }
}

#[test]
fn a_conversation_that_was_told_closed_makes_repeats_of_its_events() {
    for is_first in [false, true] {
        let mut desk = Desk::new();
        if is_first {
            desk.adopt(&told(&story(), 10));
        }
        take(&mut desk, &story(), 8..10);
        desk.time_passes_to(1000);
        if !is_first {
            desk.adopt(&told(&story(), 10));
        }
        desk.time_passes_to(100_000);
        assert_eq!((&desk.segments, &desk.dead_letters), (&Vec::new(), &Vec::new()));
        // A resume goes on from there.
        let story = story().resumed(12, 100_001).closed_by(ClosedBy::Agent, 100_002);
        desk.take_all(&story.events[10..]);
        assert_eq!((&desk.segments[..], desk.dead_letters.len()), (&story.segments()[2..], 0), "{is_first}");
    }
}

#[test]
fn of_conversations_that_were_told_closed_those_of_the_last_day_are_followed() {
    let mut desk = Desk::new();
    let mut told = told(&story(), 10);
    for day in 0..3 {
        told.conversation = format!("c-{day}").into();
        told.until = at(10 + 86_400 * (2 - day));
        desk.adopt(&told);
    }
    let followed: Vec<_> = desk.segmenter.conversations().map(|(_, state)| state.id().to_owned()).collect();
    assert_eq!(followed.len(), 2, "{followed:?}");
    assert!(!followed.contains(&"c-2".to_owned()), "{followed:?}");
}

#[test]
fn a_resume_of_a_conversation_that_nobody_knows_is_kept_for_the_first_hour_of_the_stream() {
    let story = story().resumed(12, 100).consumer_says(101).closed_by(ClosedBy::Agent, 102);
    let mut desk = Desk::new();
    desk.take_all(&story.events[10..]);
    desk.time_passes_to(3699);
    assert_eq!(desk.segments, []);
    let mut other = desk.restarted();
    desk.time_passes_to(3700);
    assert_eq!((desk.segments.len(), desk.segments[0].segment_index), (1, 0), "nobody has told what was before");
    other.time_passes_to(3698);
    other.adopt(&told(&story, 10));
    assert_eq!(other.segments, story.segments()[2..]);
}

#[test]
fn the_number_of_a_segment_that_is_open_is_learnt_from_an_export() {
    let story = story().resumed(12, 20_000).consumer_says(20_001).closed_by(ClosedBy::Agent, 30_000);
    for told_at in [10, 20_000] {
        let mut desk = Desk::new();
        desk.time_passes_to(1);
        desk.take_all(&story.events[10..12]);
        desk.time_passes_to(20_100);
        assert_eq!(desk.segmenter.open_conversations(), 3, "two tell the time");
        desk.adopt(&told(&story, told_at));
        desk.take_all(&story.events[12..]);
        assert_eq!(desk.segments, story.segments()[2..]);
    }
}

#[test]
fn what_is_stored_is_asked_before_a_resume_is_kept() {
    let story = story().resumed(12, 100).closed_by(ClosedBy::Agent, 102);
    let mut desk = Desk::new();
    desk.past = Some(PastConversation { next_index: 2, source: None });
    desk.take_all(&story.events[10..]);
    desk.time_passes_to(160);
    assert_eq!((desk.segments.len(), desk.segments[0].segment_index), (1, 2));
}

#[test]
fn what_was_adopted_on_trial_can_be_undone() {
    let mut desk = Desk::new();
    take(&mut desk, &story(), 6..9);
    desk.time_passes_to(100);
    let before = desk.state("c-1").clone();
    let mut out = crate::Segmented::new();
    let none = &mut |_: &str, _: &str, _: i64| Ok::<_, crate::Error>(None);
    desk.segmenter.adopt(&told(&story(), 7), none, &mut out).unwrap();
    assert_eq!(desk.segmenter.waiting_events(), 0);
    desk.segmenter.roll_back();
    assert_eq!((desk.state("c-1"), desk.segmenter.waiting_events()), (&before, 3));
    desk.adopt(&told(&story(), 7));
    take(&mut desk, &story(), [9]);
    assert_has_the_second(&desk);
}

#[test]
fn a_state_of_before_there_were_exports_is_read() {
    let mut desk = Desk::new();
    take(&mut desk, &story(), 0..3);
    let bytes = postcard::to_allocvec(desk.state("c-1")).unwrap();
    // Nothing was told; and what was noted of an open segment later, of which an earlier state tells the same but for
    // the last message.
    let last_message = Some((1000_i64, Sender::Consumer));
    let end = |last_message: Option<(i64, Sender)>| {
        postcard::to_allocvec(&(None::<i64>, Some((0_i64, false, Some(AgentKind::Bot), last_message, false)))).unwrap()
    };
    let earlier = bytes.strip_suffix(end(last_message).as_slice()).unwrap();
    let read: crate::FollowedConversation = postcard::from_bytes(earlier).unwrap();
    assert_eq!(postcard::to_allocvec(&read).unwrap(), [earlier, &end(None)].concat());
}
