//! A segment that comes again and says something else is refused, as long as the first one is in memory.

use proptest::collection::vec;
use proptest::prelude::*;
use skillscope_segment::{EndReason, Outcome, Segment, StartReason, UserType};

use super::conversations::{closed, send, started};
use super::samples::{DAY, HOUR, NOON, World, batch, contents, entries, maintain, plain, segment};
use crate::{Appended, Store};

/// Accepted rows, duplicates, and the reasons why others were refused.
fn append(store: &Store, segments: &[Segment<'_>]) -> (usize, usize, Vec<String>) {
    let Appended { accepted, duplicates, refused_count, refused, .. } = store.append(&batch(segments)).unwrap();
    assert_eq!(refused.len(), refused_count.min(Appended::MOST_LISTED));
    (accepted, duplicates, refused.into_iter().map(|row| row.reason).collect())
}

/// The number of fields that are compared.
const FIELDS: usize = 14;

fn told(value: Option<i64>) -> String {
    value.map_or("null".to_owned(), |value| value.to_string())
}

/// The segment with one field changed, and how an error tells the change.
fn changed(first: &Segment<'static>, field: usize) -> (Segment<'static>, String) {
    let (mut other, later) = (first.clone(), |time: Option<i64>| Some(time.map_or(7, |time| time + 1)));
    let change = match field {
        0 => {
            other.skill_id += 1;
            format!("skill_id {}, not {}", first.skill_id, other.skill_id)
        }
        1 => {
            other.start_time -= 1;
            format!("start_time {}, not {}", first.start_time, first.start_time - 1)
        }
        2 => {
            other.start_reason = StartReason::Resume;
            "start_reason new_conversation, not resume".to_owned()
        }
        3 => {
            other.end_reason = EndReason::ClosedBySystem;
            "end_reason closed_by_consumer, not closed_by_system".to_owned()
        }
        4 => {
            let is_human = first.user_type == UserType::Human;
            other.user_type = if is_human { UserType::Mixed } else { UserType::Human };
            format!("user_type {}, not {}", first.user_type.as_str(), if is_human { "mixed" } else { "human" })
        }
        5 => {
            other.outcome = Outcome::Interactive;
            "outcome abandoned, not interactive".to_owned()
        }
        6 => {
            other.abandoned_in_queue = true;
            "abandoned_in_queue false, not true".to_owned()
        }
        7 => {
            other.first_assigned_time = later(first.first_assigned_time);
            format!("first_assigned_time {}, not {}", told(first.first_assigned_time), told(other.first_assigned_time))
        }
        8 => {
            other.first_agent_message_time = Some(9);
            "first_agent_message_time null, not 9".to_owned()
        }
        9 => {
            other.time_to_first_agent_message_ms = Some(0);
            "time_to_first_agent_message_ms null, not 0".to_owned()
        }
        10 => {
            other.agent_messages = 3;
            "agent_messages 0, not 3".to_owned()
        }
        11 => {
            other.consumer_messages = 0;
            "consumer_messages 1, not 0".to_owned()
        }
        12 => {
            other.last_agent_id = Some("ann \"the\" agent".into());
            "last_agent_id null, not \"ann \\\"the\\\" agent\"".to_owned()
        }
        _ => {
            other.source = None;
            format!("source {:?}, not null", first.source.as_deref().unwrap())
        }
    };
    (other, change)
}

#[test]
fn the_field_and_both_values_are_told_and_the_first_counts() {
    let world = World::new();
    let store = world.open();
    let first = plain("acme", 5, NOON - HOUR);
    append(&store, std::slice::from_ref(&first));
    let other = Segment {
        skill_id: 8,
        outcome: Outcome::NonResponsiveAgent,
        end_reason: EndReason::ClosedByAgent,
        ..first.clone()
    };
    let reason = "segment 0 of conversation \"c-5\" is stored with skill_id 2, not 8, end_reason closed_by_consumer, not \
                  closed_by_agent, outcome abandoned, not non_responsive_agent: the first write of a segment counts";
    assert_eq!(append(&store, &[first.clone(), other]), (0, 1, vec![reason.to_owned()]));
    assert_eq!(contents(&store.snapshot()), entries(&[first]));
}

#[test]
fn the_first_one_is_found_in_the_batch_in_the_journal_in_a_sealed_hour_and_after_a_restart() {
    let first = plain("acme", 1, NOON - HOUR);
    for field in 0..FIELDS {
        let (other, change) = changed(&first, field);
        let world = World::new();
        let mut store = world.open();
        let assert_refused = |outcome: (usize, usize, Vec<String>), accepted| {
            let (is, duplicates, reasons) = outcome;
            assert_eq!((is, duplicates, reasons.len()), (accepted, 1, 1), "{change}");
            assert!(reasons[0].contains(&format!("is stored with {change}: the first")), "{change}: {}", reasons[0]);
        };
        assert_refused(append(&store, &[first.clone(), other.clone(), first.clone()]), 1);
        assert_refused(append(&store, &[first.clone(), other.clone()]), 0);
        store.seal_finished_hours().unwrap();
        assert_refused(append(&store, &[first.clone(), other.clone()]), 0);
        drop(store);
        store = world.open();
        assert_refused(append(&store, &[first.clone(), other.clone()]), 0);
        world.wait(2 * DAY);
        maintain(&store);
        assert_eq!(append(&store, &[first.clone(), other]), (0, 2, vec![]), "{change}: the first is in a file alone");
        assert_eq!(contents(&store.snapshot()), entries(std::slice::from_ref(&first)));
    }
}

#[test]
fn the_first_hundred_are_listed_in_their_order_and_all_are_counted() {
    let world = World::new();
    let store = world.open();
    let firsts: Vec<_> = (0..150).map(|number| plain("acme", number, NOON - HOUR)).collect();
    append(&store, &firsts);
    let others: Vec<_> = firsts
        .iter()
        .enumerate()
        .map(|(number, first)| match number % 2 {
            0 => Segment { skill_id: 50, ..first.clone() },
            _ => Segment { end_time: first.end_time + 1, ..first.clone() },
        })
        .collect();
    let Appended { refused_count, refused, duplicates, .. } = store.append(&batch(&others)).unwrap();
    assert_eq!((refused_count, duplicates), (150, 0));
    assert_eq!(refused.iter().map(|row| row.row).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    assert!(refused[98].reason.contains("not 50") && refused[99].reason.contains("end_time"));
}

#[test]
fn rows_that_end_at_the_same_time_in_the_same_skill_are_told_apart() {
    let world = World::new();
    let store = world.open();
    let firsts: Vec<_> = (0..40).map(|number| segment("acme", number, 0, 7, UserType::None, NOON)).collect();
    append(&store, &firsts);
    let (other, change) = changed(&firsts[33], 13);
    let again: Vec<_> = firsts.iter().filter(|first| first.conversation_id != "c-33").cloned().chain([other]).collect();
    let (accepted, duplicates, reasons) = append(&store, &again);
    assert_eq!((accepted, duplicates, reasons.len()), (0, 39, 1));
    assert!(reasons[0].contains("\"c-33\"") && reasons[0].contains(&change), "{}", reasons[0]);
}

#[test]
fn a_segment_that_events_close_does_not_change_the_one_that_came_closed() {
    let world = World::new();
    let store = world.open();
    let first = Segment { start_time: NOON - HOUR, ..plain("acme", 1, NOON) };
    append(&store, std::slice::from_ref(&first));
    // They are of skill 7, and the segment is of skill 1.
    let appended = send(&store, &[started("c-1", NOON - HOUR), closed("c-1", 1, NOON)]).unwrap();
    assert_eq!((appended.accepted, appended.refused_count), (2, 0), "the events are not to blame");
    assert_eq!(contents(&store.snapshot()), entries(&[first]));
}

fn any_segments() -> impl Strategy<Value = Vec<Segment<'static>>> {
    let user_type = prop::sample::select(UserType::ALL);
    // Few end times, so that many rows share their place in the order.
    let one =
        (0..2_u8, 0..3_u32, -1..3_i64, user_type, 1..5_i64).prop_map(|(account, index, skill, user_type, end)| {
            (["acme", "bolt"][usize::from(account)], index, skill, user_type, NOON - end * HOUR / 2)
        });
    vec(one, 1..30).prop_map(|rows| {
        let numbered = (0..).zip(rows);
        numbered
            .map(|(number, (account, index, skill, user, end))| segment(account, number, index, skill, user, end))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is stored in whatever runs: what comes again as it was is a duplicate, and what comes again with one
    /// field changed is refused with this field and both values.
    #[test]
    fn repeats_are_duplicates_and_changes_are_refused(
        segments in any_segments(),
        cut in any::<prop::sample::Index>(),
        changes in vec(prop::option::of(0..FIELDS), 30),
        seals in any::<bool>(),
    ) {
        let world = World::new();
        let store = world.open();
        let (early, late) = segments.split_at(cut.index(segments.len()));
        append(&store, early);
        if seals {
            store.seal_finished_hours().unwrap();
        }
        // The late ones are new in this batch, and come again in it.
        let (mut again, mut expected) = (late.to_vec(), Vec::new());
        for (segment, change) in segments.iter().zip(&changes) {
            let Some(field) = change else { again.push(segment.clone()); continue };
            let (other, change) = changed(segment, *field);
            let (index, conversation) = (segment.segment_index, &segment.conversation_id);
            expected.push(format!(
                "segment {index} of conversation {conversation:?} is stored with {change}: the first write of a segment counts"
            ));
            again.push(other);
        }
        let (accepted, duplicates, reasons) = append(&store, &again);
        prop_assert_eq!((accepted, duplicates), (late.len(), segments.len() - expected.len()));
        prop_assert_eq!(reasons, expected);
        prop_assert_eq!(contents(&store.snapshot()), entries(&segments));
    }
}
