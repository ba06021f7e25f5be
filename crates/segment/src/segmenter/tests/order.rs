//! Events that are repeated, late, out of order or missing.

use super::story::{Desk, Story, WAIT_MS, at};
use crate::ClosedBy;
use crate::segmenter::{Arrival, Impossible, PastConversation};

fn story() -> Story {
    Story::started(12, 0).human("ann", 5).agent_says("ann", 6).consumer_says(7).closed_by(ClosedBy::Agent, 20)
}

/// Gives the events of a story with these sequences, in this order.
fn take(desk: &mut Desk, story: &Story, sequences: &[usize]) {
    desk.take_all(sequences.iter().map(|sequence| &story.events[*sequence]));
}

#[test]
fn events_in_order_take_effect_at_once() {
    let mut desk = Desk::new();
    take(&mut desk, &story(), &[0, 1, 2, 3]);
    assert_eq!(desk.segments, []);
    take(&mut desk, &story(), &[4]);
    assert_eq!(desk.segments, story().segments());
}

#[test]
fn an_event_that_is_ahead_waits_for_those_before_it() {
    let mut desk = Desk::new();
    take(&mut desk, &story(), &[4, 2, 0, 3]);
    assert_eq!(desk.segments, []);
    take(&mut desk, &story(), &[1]);
    assert_eq!((desk.segments, desk.dead_letters), (story().segments(), Vec::new()));
}

#[test]
fn a_repeat_is_counted_and_changes_nothing() {
    let mut desk = Desk::new();
    take(&mut desk, &story(), &[0, 0, 3, 3, 1, 2, 1, 4, 4, 0, 3]);
    assert_eq!((desk.accepted, desk.duplicates), (5, 6));
    assert_eq!((desk.segments, desk.dead_letters), (story().segments(), Vec::new()));
}

#[test]
fn an_event_that_never_comes_holds_up_the_others_no_longer_than_the_bound() {
    let mut desk = Desk::new();
    take(&mut desk, &story(), &[0, 1, 3, 4]);
    desk.time_passes_to(7 + 59);
    assert_eq!(desk.segments, []);
    desk.time_passes_to(7 + 60);
    assert_eq!(desk.segments.len(), 1, "what waited since second 7 went ahead, and took the rest along");
    assert_eq!((desk.segments[0].agent_messages, desk.segments[0].consumer_messages), (0, 1));
}

#[test]
fn each_gap_is_waited_for_by_itself() {
    let story =
        Story::started(12, 0).consumer_says(1).consumer_says(2).consumer_says(40).closed_by(ClosedBy::Agent, 41);
    let mut desk = Desk::new();
    take(&mut desk, &story, &[0, 2, 4]);
    desk.time_passes_to(62);
    assert_eq!(desk.segments, [], "the close waits for the message before it");
    take(&mut desk, &story, &[3]);
    assert_eq!(desk.segments[0].consumer_messages, 2);
}

#[test]
fn what_comes_after_its_gap_was_given_up_is_too_late_once() {
    let mut desk = Desk::new();
    take(&mut desk, &story(), &[0, 1, 3]);
    desk.time_passes_to(67);
    take(&mut desk, &story(), &[2, 2, 4]);
    assert_eq!(desk.dead_letters, [(2, Impossible::TooLate)]);
    assert_eq!((desk.accepted, desk.duplicates), (5, 1));
    assert_eq!(desk.segments.len(), 1);
}

#[test]
fn the_first_event_of_a_conversation_that_never_started_is_told_at_once() {
    let mut message = Story::started(12, 0).consumer_says(1).events.remove(1);
    message.sequence = 0;
    let mut desk = Desk::new();
    desk.take(&message);
    assert_eq!(desk.dead_letters, [(0, Impossible::NotStarted)]);
    assert_eq!(desk.segmenter.conversations().count(), 0, "nothing is kept of it");
}

#[test]
fn a_start_may_come_long_after_the_rest() {
    let mut desk = Desk::new();
    take(&mut desk, &story(), &[1, 2]);
    desk.time_passes_to(70);
    take(&mut desk, &story(), &[0, 1, 2, 4, 3]);
    assert_eq!((desk.segments, desk.dead_letters), (story().segments(), Vec::new()));
}

#[test]
fn a_start_that_is_ahead_waits_like_any_other_event() {
    let mut numbered_from_one = story();
    numbered_from_one.events.iter_mut().for_each(|event| event.sequence += 1);
    let mut desk = Desk::new();
    desk.take_all(&numbered_from_one.events);
    assert_eq!(desk.segments, []);
    desk.time_passes_to(60);
    assert_eq!((desk.segments, desk.dead_letters), (story().segments(), Vec::new()));
}

#[test]
fn the_gaps_of_a_hostile_source_are_not_all_remembered() {
    let mut desk = Desk::new();
    let event = |sequence| {
        let mut event = Story::started(12, 0).consumer_says(1).events.remove(1);
        event.sequence = sequence;
        event
    };
    desk.take(&story().events[0]);
    desk.take(&event(1_000_000));
    desk.time_passes_to(61);
    for sequence in 0..1000 {
        desk.take(&event(2 + 2 * sequence));
    }
    let (.., state) = desk.segmenter.conversations().find(|(_, state)| state.id() == "c-1").unwrap();
    assert!(format!("{state:?}").len() < 2_000, "{state:?}");
}

#[test]
fn a_start_that_is_delivered_again_does_not_hide_the_resume() {
    let mut desk = Desk::new();
    // Of a conversation whose segments 0 to 2 are stored, and which is not remembered.
    desk.take(&story().events[0]);
    desk.past = Some(PastConversation { next_index: 3, source: None });
    let resume = story().resumed(13, 9000).closed_by(ClosedBy::Consumer, 9010);
    take(&mut desk, &resume, &[5, 6]);
    desk.time_passes_to(9060);
    assert_eq!((desk.segments.len(), desk.segments[0].segment_index), (1, 3));
}

#[test]
fn older_events_are_put_in_order_where_event_time_begins_anew() {
    let mut desk = Desk::new();
    desk.segmenter.restore_watermark("acme", at(100_000), 0).unwrap();
    desk.segmenter.restart_event_time();
    take(&mut desk, &story(), &[0, 2, 1, 4, 3]);
    assert_eq!(desk.segments, story().segments());
    assert_eq!(desk.segmenter.watermarks().collect::<Vec<_>>(), [("acme", at(100_000))]);
}

#[test]
fn an_account_without_any_event_for_the_bound_gives_up_its_gaps() {
    let mut desk = Desk::new();
    let arrival = Arrival { now: 1_000_000, steady: 1_000_000, latest_credible: i64::MAX };
    for sequence in [0, 1, 2, 4] {
        desk.take_at(&story().events[sequence], arrival);
    }
    desk.idle(1_000_000 + WAIT_MS - 1);
    assert_eq!(desk.segments, []);
    assert!(desk.segmenter.has_idle(1_000_000 + WAIT_MS));
    desk.idle(1_000_000 + WAIT_MS);
    assert_eq!(desk.segments.len(), 1);
    assert!(!desk.segmenter.has_idle(i64::MAX));
}

#[test]
fn an_event_dated_too_far_ahead_does_not_move_the_watermark() {
    let arrival = |second| Arrival { now: at(second), steady: at(second), latest_credible: at(second + 300) };
    let mut desk = Desk::new();
    for sequence in [0, 1, 3] {
        desk.take_at(&story().events[sequence], arrival(7));
    }
    let mut ahead = Story::started(12, 308).events.remove(0);
    ahead.conversation_id = "ahead".to_owned();
    desk.take_at(&ahead, arrival(7));
    // The gap is still waited for.
    desk.take_at(&story().events[2], arrival(8));
    desk.take_at(&story().events[4], arrival(20));
    assert_eq!((desk.segments, desk.dead_letters), (story().segments(), Vec::new()));
    assert_eq!(desk.segmenter.watermarks().collect::<Vec<_>>(), [("acme", at(20))]);
}

/// The events of one device, of which the clock is wrong, among those of another.
fn with_a_wrong_clock(off: i64) -> Desk {
    let arrival = |second| Arrival { now: at(second), steady: at(second), latest_credible: at(second + 300) };
    let mut wrong = story();
    wrong.events.iter_mut().for_each(|event| {
        event.time += off * 1000;
        event.conversation_id = "wrong".to_owned();
    });
    let mut desk = Desk::new();
    for (place, sequence) in [0, 1, 3, 2, 4].into_iter().enumerate() {
        let second = 1000 + 10 * place as i64;
        desk.take_at(&wrong.events[sequence], arrival(second));
        let mut right = story().events[sequence].clone();
        right.time = at(second);
        desk.take_at(&right, arrival(second));
    }
    desk
}

#[test]
fn one_clock_that_is_ahead_costs_no_event_of_anyone() {
    // The events of the story are of the seconds 0 to 20, and arrive in the seconds 1000 to 1040.
    for off in [1299, 1100, 1001, 1000, 980] {
        let desk = with_a_wrong_clock(off);
        assert_eq!((desk.segments.len(), &desk.dead_letters), (2, &Vec::new()), "{off}");
    }
}

#[test]
fn what_is_dated_ahead_ends_no_wait_before_the_clock_does() {
    let arrival = |second| Arrival { now: at(second), steady: at(second), latest_credible: at(second + 300) };
    let mut right = story();
    right.events.iter_mut().for_each(|event| event.time = at(1000));
    let mut other = Story::started(12, 1299).events.remove(0);
    other.conversation_id = "other".to_owned();
    let mut desk = Desk::new();
    for sequence in [0, 1, 2, 4] {
        desk.take_at(&right.events[sequence], arrival(1000));
    }
    desk.take_at(&other, arrival(1059));
    assert_eq!(desk.segments, [], "the close has waited for 59 seconds, whatever other events are dated");
    desk.take_at(&other, arrival(1060));
    assert_eq!(desk.segments.len(), 1, "a repeat tells the time, too");
}

#[test]
fn older_events_are_put_in_order_by_their_own_times_where_events_of_now_are_expected() {
    let arrival = Arrival { now: at(1_000_000), steady: at(1_000_000), latest_credible: at(1_000_300) };
    let mut desk = Desk::new();
    for sequence in [0, 2, 1, 4] {
        desk.take_at(&story().events[sequence], arrival);
    }
    let mut other = Story::started(12, 80).events.remove(0);
    other.conversation_id = "other".to_owned();
    desk.take_at(&other, arrival);
    assert_eq!(desk.segments.len(), 1, "the close is of second 20");
}

#[test]
fn an_event_that_arrives_after_the_clock_went_back_waits_for_the_bound() {
    let arrival = |second| Arrival { now: at(second), steady: at(second), latest_credible: at(second + 300) };
    let mut other = Story::started(12, 1200).events.remove(0);
    other.conversation_id = "other".to_owned();
    let mut story = story();
    story.events.iter_mut().for_each(|event| event.time = at(1000));
    let mut desk = Desk::new();
    desk.take_at(&other, arrival(1200));
    for sequence in [0, 2, 1, 4, 3] {
        desk.take_at(&story.events[sequence], arrival(1000));
    }
    assert_eq!((desk.segments.len(), desk.dead_letters), (1, Vec::new()));
}

#[test]
fn an_event_dated_too_far_ahead_waits_no_longer_than_a_credible_one() {
    let story = Story::started(12, 0).consumer_says(1).consumer_says(1_000_000).closed_by(ClosedBy::Agent, 1_000_001);
    let mut desk = Desk::new();
    let arrival = Arrival { now: at(2), steady: at(2), latest_credible: at(302) };
    for sequence in [0, 2, 3] {
        desk.take_at(&story.events[sequence], arrival);
    }
    desk.time_passes_to(302 + 60);
    assert_eq!(desk.segments.len(), 1);
}

#[test]
fn a_conversation_that_closed_is_remembered_so_that_repeats_find_it() {
    let mut desk = Desk::new();
    desk.take_all(&story().events);
    desk.time_passes_to(79);
    desk.take_all(&story().events);
    assert_eq!((desk.accepted, desk.duplicates, desk.segments.len()), (5, 5, 1));
}

#[test]
fn a_resume_of_a_conversation_that_is_not_remembered_goes_on_from_the_stored_segments() {
    let resume = story().resumed(13, 9000).closed_by(ClosedBy::Consumer, 9010);
    let mut desk = Desk::new();
    desk.past = Some(PastConversation { next_index: 4, source: Some("SMS".to_owned()) });
    take(&mut desk, &resume, &[5, 6]);
    assert_eq!(desk.segments, [], "what comes before may still come");
    desk.time_passes_to(9060);
    let [segment] = desk.segments.as_slice() else { panic!("{:?}", desk.segments) };
    assert_eq!((segment.segment_index, segment.source.as_deref(), segment.skill_id), (4, Some("SMS"), 13));
    desk.take_all(&resume.events);
    assert_eq!((desk.duplicates, desk.dead_letters), (7, Vec::new()), "and what led to them is nothing new");
}

#[test]
fn a_resume_of_a_conversation_that_nobody_knows_begins_to_count() {
    let resume = story().resumed(13, 9000).closed_by(ClosedBy::Consumer, 9010);
    let mut desk = Desk::new();
    desk.time_passes_to(0);
    take(&mut desk, &resume, &[5, 6]);
    desk.time_passes_to(9060);
    assert_eq!((desk.segments.len(), desk.segments[0].segment_index), (1, 0));
}

#[test]
fn so_many_events_wait_for_one_and_no_more() {
    let mut long = Story::started(12, 0).consumer_says(0);
    for _ in 0..1100 {
        long = long.consumer_says(1);
    }
    let mut desk = Desk::new();
    desk.take(&long.events[0]);
    desk.take_all(&long.events[2..]);
    desk.take(&long.events[1]);
    assert_eq!(desk.dead_letters, [(1, Impossible::TooLate)]);
}

#[test]
fn what_is_rolled_back_has_not_been() {
    let story = story();
    let mut desk = Desk::new();
    take(&mut desk, &story, &[0, 2]);
    let before: Vec<_> = desk.segmenter.conversations().map(|(.., state)| state.clone()).collect();
    let mut out = crate::Segmented::new();
    for sequence in [1, 3, 4] {
        let arrival = Arrival { now: 0, steady: 0, latest_credible: i64::MAX };
        let event = story.events[sequence].map(String::as_str);
        desk.segmenter.take(&event, arrival, &mut |_, _, _| Ok::<_, crate::Error>(None), &mut out).unwrap();
    }
    assert_eq!(out.segments.len(), 1);
    let committed: Vec<_> = desk.segmenter.conversations().map(|(.., state)| state.clone()).collect();
    assert_eq!(committed, before, "what is on trial is not what is kept");
    desk.segmenter.roll_back();
    let rolled_back: Vec<_> = desk.segmenter.conversations().map(|(.., state)| state.clone()).collect();
    assert_eq!(rolled_back, before);
    assert_eq!(desk.segmenter.watermarks().collect::<Vec<_>>(), [("acme", at(6))]);
    take(&mut desk, &story, &[1, 3, 4]);
    assert_eq!(desk.segments, story.segments());
}

#[test]
fn of_many_conversations_that_closed_those_of_the_bound_are_remembered() {
    let mut desk = Desk::new();
    let conversation = |number: i64| {
        let mut story = Story::started(12, number).closed_by(ClosedBy::Agent, number);
        story.events.iter_mut().for_each(|event| event.conversation_id = format!("c-{number}"));
        story
    };
    for number in 0..100 {
        desk.take_all(&conversation(number).events);
        desk.segmenter.forget(0);
        desk.segmenter.keep();
    }
    // Those that closed at 39 to 99 are within 60 seconds of the last.
    assert_eq!(desk.segmenter.conversations().count(), 61);
    desk.take_all(&conversation(39).events);
    assert_eq!(desk.duplicates, 2);
    desk.take_all(&conversation(38).events);
    assert_eq!((desk.duplicates, desk.segments.len()), (2, 101), "what is forgotten is told once more");
    assert_eq!(desk.segments[100], desk.segments[38]);
    // So long as no event moves the watermark, the clock does.
    desk.segmenter.forget(WAIT_MS + 1);
    desk.segmenter.keep();
    assert_eq!(desk.segmenter.conversations().count(), 16);
}

#[test]
fn what_is_forgotten_on_trial_is_remembered_after_a_roll_back() {
    let mut desk = Desk::new();
    for number in 0..30 {
        let mut story = Story::started(12, number * 10).closed_by(ClosedBy::Agent, number * 10);
        story.events.iter_mut().for_each(|event| event.conversation_id = format!("c-{number}"));
        desk.take_all(&story.events);
    }
    let before = desk.segmenter.conversations().count();
    desk.segmenter.forget(0);
    assert_eq!(desk.segmenter.conversations().count(), before, "it is on trial");
    desk.segmenter.roll_back();
    assert_eq!(desk.segmenter.conversations().count(), before);
    for _ in 0..2 {
        desk.segmenter.forget(0);
        desk.segmenter.keep();
        assert_eq!(desk.segmenter.conversations().count(), 16);
    }
}

#[test]
fn a_question_that_fails_is_asked_again_and_counts_nothing_twice() {
    let story = Story::started(12, 0).consumer_says(1).consumer_says(2).resumed(13, 3).closed_by(ClosedBy::Agent, 4);
    let mut desk = Desk::new();
    take(&mut desk, &story, &[1, 2, 3, 4]);
    let past = |is_there: bool| {
        move |_: &str, _: &str, _: i64| match is_there {
            true => Ok(Some(PastConversation { next_index: 1, source: None })),
            false => Err(crate::Error::Record { reason: "the disk fails".to_owned() }),
        }
    };
    let mut out = crate::Segmented::new();
    for _ in 0..3 {
        assert!(desk.segmenter.give_up_idle(i64::MAX, &mut past(false), &mut out).is_err());
        desk.segmenter.roll_back();
        assert!(desk.segmenter.has_idle(i64::MAX));
    }
    let mut out = crate::Segmented::new();
    desk.segmenter.give_up_idle(i64::MAX, &mut past(true), &mut out).unwrap();
    desk.segmenter.keep();
    assert_eq!((out.segments.len(), out.dead_letters.len()), (1, 2));
    assert!(!desk.segmenter.has_idle(i64::MAX), "nothing waits any more");
}

#[test]
fn a_watermark_far_ahead_is_forgotten_where_events_are_of_now() {
    let mut desk = Desk::new();
    let mut ahead = Story::started(12, 1_000_000_000).events.remove(0);
    ahead.conversation_id = "ahead".to_owned();
    desk.take(&ahead);
    for sequence in [0, 2, 1, 4, 3] {
        desk.take_at(&story().events[sequence], Arrival { now: at(20), steady: at(20), latest_credible: at(320) });
    }
    assert_eq!((desk.segments, desk.dead_letters), (story().segments(), Vec::new()));
    assert_eq!(desk.segmenter.watermarks().collect::<Vec<_>>(), [("acme", at(20))]);
}

#[test]
fn a_first_part_that_is_delivered_again_does_not_mislead_the_resume() {
    let mut desk = Desk::new();
    // Segments 0 to 2 are stored; of these the first is told once more.
    desk.take_all(&story().events);
    desk.past = Some(PastConversation { next_index: 3, source: None });
    let resume = story().resumed(13, 100).closed_by(ClosedBy::Consumer, 110).resumed(13, 9000);
    let resume = resume.closed_by(ClosedBy::Consumer, 9010);
    take(&mut desk, &resume, &[7, 8]);
    desk.time_passes_to(9060);
    assert_eq!(desk.segments.last().unwrap().segment_index, 3);
}

#[test]
fn what_belongs_to_one_of_many_gaps_is_never_passed_over() {
    let event = |sequence| {
        let mut event = Story::started(12, 0).consumer_says(1).events.remove(1);
        event.sequence = sequence;
        event
    };
    let mut desk = Desk::new();
    desk.take(&story().events[0]);
    desk.take(&event(200));
    desk.time_passes_to(61);
    for sequence in (2..200).step_by(2).chain((1..200).step_by(2)) {
        desk.take(&event(sequence));
    }
    assert_eq!(desk.dead_letters.len(), 199);
}

#[test]
fn a_late_event_before_a_resume_is_told_also_where_all_before_is_stored() {
    let resume = story().consumer_says(21).resumed(13, 30).closed_by(ClosedBy::Consumer, 31);
    let mut desk = Desk::new();
    desk.past = Some(PastConversation { next_index: 1, source: None });
    take(&mut desk, &resume, &[0, 1, 2, 3, 4, 6, 7]);
    desk.time_passes_to(90);
    assert_eq!(desk.segments.len(), 2);
    take(&mut desk, &resume, &[5]);
    assert_eq!(desk.dead_letters, [(5, Impossible::TooLate)]);
}
