//! Properties of any conversation, whatever the order of its events.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::sample::select;

use super::story::{Desk, Story, restarted};
use crate::{
    AgentKind, ClosedBy, EndReason, Error, Event, EventKind, Outcome, Segment, Segmented, Segmenter, Sender,
    StartReason, TransferReason,
};

/// What happens next in a conversation: the seconds until then, what, and who or where.
fn any_step() -> impl Strategy<Value = (i64, u8, u8)> {
    (0..20_i64, 0..20_u8, 0..4_u8)
}

/// A conversation in which everything is possible and which ends with a close.
fn any_story() -> impl Strategy<Value = Story> {
    (prop::collection::vec(any_step(), 0..25), select(ClosedBy::ALL)).prop_map(|(steps, closed_by)| {
        let (mut story, mut second, mut is_open) = (Story::started(1, 0), 0, true);
        for (wait, what, who) in steps {
            second += wait;
            let agent_id = format!("agent-{who}");
            let skill_id = i64::from(who);
            let agent_kind = if who == 3 { AgentKind::Bot } else { AgentKind::Human };
            let event = match what {
                _ if !is_open => EventKind::Resumed { skill_id },
                0..5 => EventKind::Assigned { agent_id, agent_kind, takeover: what == 0 },
                5 => EventKind::Returned,
                6..9 => EventKind::Message { sender: Sender::Consumer, agent_id: None },
                9..13 => EventKind::Message { sender: Sender::Agent, agent_id: Some(agent_id) },
                13 => EventKind::Message { sender: Sender::Agent, agent_id: None },
                14 => EventKind::Message { sender: Sender::System, agent_id: None },
                15..18 => {
                    let reason = if what == 15 { TransferReason::Agent } else { TransferReason::Skill };
                    EventKind::Transferred { skill_id, reason }
                }
                _ => EventKind::Closed { by: ClosedBy::ALL[usize::from(who) % 3] },
            };
            is_open = !matches!(event, EventKind::Closed { .. });
            story = story.then(second, event);
        }
        if is_open { story.closed_by(closed_by, second + 1) } else { story }
    })
}

/// The table of outcomes, from the events of one segment alone.
fn outcome(events: &[&EventKind<String>], end: EndReason) -> Outcome {
    let (mut assigned, mut spoken, mut answered) = (None, false, false);
    for event in events {
        match event {
            EventKind::Assigned { agent_id, .. } => assigned = Some(agent_id),
            EventKind::Returned | EventKind::Transferred { .. } => assigned = None,
            EventKind::Message { sender: Sender::Consumer, .. } => answered |= spoken,
            EventKind::Message { sender: Sender::Agent, agent_id } => {
                spoken |= assigned.is_some() && (agent_id.is_none() || agent_id.as_ref() == assigned);
            }
            _ => {}
        }
    }
    match (spoken, answered, end) {
        (true, true, _) => Outcome::Interactive,
        (true, false, _) => Outcome::NonResponsiveConsumer,
        (false, _, EndReason::ClosedByConsumer) => Outcome::Abandoned,
        _ => Outcome::NonResponsiveAgent,
    }
}

/// The events of each segment of a story.
fn events_by_segment(story: &Story) -> Vec<Vec<&EventKind<String>>> {
    let (mut segments, mut current, mut skill) = (Vec::new(), Vec::new(), 1);
    for event in &story.events {
        current.push(&event.kind);
        match &event.kind {
            EventKind::Resumed { skill_id } => skill = *skill_id,
            EventKind::Closed { .. } => segments.push(std::mem::take(&mut current)),
            EventKind::Transferred { skill_id, .. } if *skill_id != skill => {
                skill = *skill_id;
                segments.push(std::mem::take(&mut current));
            }
            _ => {}
        }
    }
    segments
}

proptest! {
    #[test]
    fn segments_tile_the_time_from_start_to_close(story in any_story()) {
        let segments = story.segments();
        for (index, segment) in segments.iter().enumerate() {
            prop_assert!(segment.validate().is_ok(), "{:?}", segment.validate());
            prop_assert_eq!(segment.segment_index as usize, index);
        }
        for pair in segments.windows(2) {
            let is_transfer = matches!(pair[0].end_reason, EndReason::AgentTransfer | EndReason::SkillTransfer);
            prop_assert_eq!(is_transfer, pair[1].start_reason != StartReason::Resume);
            if is_transfer {
                prop_assert_eq!(pair[0].end_time, pair[1].start_time);
                prop_assert_ne!(pair[0].skill_id, pair[1].skill_id);
            } else {
                prop_assert!(pair[0].end_time <= pair[1].start_time);
            }
        }
        prop_assert_eq!(segments[0].start_time, story.events[0].time);
        prop_assert_eq!(segments.last().unwrap().end_time, story.events.last().unwrap().time);
    }

    #[test]
    fn outcomes_satisfy_the_table(story in any_story()) {
        let segments = story.segments();
        let parts = events_by_segment(&story);
        prop_assert_eq!(segments.len(), parts.len());
        for (segment, events) in segments.iter().zip(parts) {
            prop_assert_eq!(segment.outcome, outcome(&events, segment.end_reason));
            prop_assert!(!segment.abandoned_in_queue || segment.outcome == Outcome::Abandoned);
        }
    }

    /// Several conversations at once, each event delivered up to 30 seconds late and up to three times.
    #[test]
    fn any_delay_and_repetition_within_the_bound_gives_the_same_segments(
        stories in prop::collection::vec(any_story(), 1..4),
        delays in prop::collection::vec(prop::collection::vec(0..30_000_i64, 1..4), 120),
        restart in any::<prop::sample::Index>(),
    ) {
        let mut deliveries: Vec<(i64, Event<String>)> = Vec::new();
        let mut expected = HashMap::new();
        for (number, mut story) in stories.into_iter().enumerate() {
            let id = format!("c-{number}");
            story.events.iter_mut().for_each(|event| event.conversation_id.clone_from(&id));
            expected.insert(id, story.segments());
            for (event, delays) in story.events.iter().zip(delays.iter().cycle().skip(number * 31)) {
                deliveries.extend(delays.iter().map(|delay| (event.time + delay, event.clone())));
            }
        }
        deliveries.sort_by_key(|(arrival, _)| *arrival);
        let mut desk = Desk::new();
        let restart = restart.index(deliveries.len());
        for (place, (_, event)) in deliveries.iter().enumerate() {
            if place == restart {
                desk.segmenter = restarted(&desk.segmenter);
            }
            desk.take(event);
        }
        prop_assert_eq!(&desk.dead_letters, &[]);
        let events: usize = expected.values().map(Vec::len).sum();
        prop_assert_eq!(desk.segments.len(), events);
        let mut found: HashMap<String, Vec<Segment<'static>>> = HashMap::new();
        for segment in desk.segments {
            found.entry(segment.conversation_id.to_string()).or_default().push(segment);
        }
        prop_assert_eq!(found, expected);
        prop_assert_eq!(desk.accepted + desk.duplicates, deliveries.len());
    }

    /// Anything at all in any order: no panic, whatever closes is a valid segment, and what is counted is there.
    #[test]
    fn no_events_are_too_wild(
        events in prop::collection::vec((0..3_u8, prop_oneof![0..12_u64, (u64::MAX - 3)..u64::MAX], any_step(), any::<bool>()), 0..200),
    ) {
        let mut segmenter = Segmenter::new(60_000);
        let mut out = Segmented::new();
        for (conversation, sequence, (time, what, who), keep) in events {
            let agent = format!("agent-{who}");
            let kind = match what {
                0..3 => EventKind::Started { skill_id: i64::from(who), source: None },
                3..6 => EventKind::Assigned { agent_id: agent.as_str(), agent_kind: AgentKind::Human, takeover: false },
                6..9 => EventKind::Message { sender: Sender::Agent, agent_id: None },
                9..12 => EventKind::Message { sender: Sender::Consumer, agent_id: None },
                12..15 => EventKind::Transferred { skill_id: i64::from(who), reason: TransferReason::Skill },
                15..18 => EventKind::Closed { by: ClosedBy::Consumer },
                _ => EventKind::Resumed { skill_id: 3 },
            };
            let id = format!("c-{conversation}");
            let event = Event { account_id: "acme", conversation_id: id.as_str(), sequence, time: time * 10_000, kind };
            let arrival = crate::Arrival { now: 0, steady: 0, latest_credible: 150_000 };
            segmenter.take(&event, arrival, &mut |_, _, _| Ok::<_, Error>(None), &mut out).unwrap();
            if keep { segmenter.keep() } else { segmenter.roll_back() }
            let followed = || segmenter.conversations().map(|(.., followed)| followed);
            prop_assert_eq!(segmenter.open_conversations(), followed().filter(|followed| followed.is_open()).count());
            prop_assert_eq!(segmenter.waiting_events(), followed().map(|followed| followed.waiting()).sum::<usize>());
        }
        for segment in crate::testing::segments_of(&out.segments.finish().unwrap()) {
            prop_assert!(segment.validate().is_ok(), "{segment:?}");
        }
    }
}
