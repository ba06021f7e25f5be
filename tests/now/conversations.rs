//! Conversations in which anything happens, as their events are delivered: late, twice, out of order, and some never.

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::events::{START, event};

/// How much later than it happens an event comes, at most, in milliseconds: less than events are waited for.
const LATENESS: u64 = 30_000;

const MINUTE: u64 = 60_000;

/// Conversations begin within this time.
const SPAN: u64 = 90 * MINUTE;

const SKILLS: [i64; 5] = [-1, 7, 8, 9, 4711];
const HUMANS: [&str; 3] = ["ada", "ben", "cyd"];
const BOTS: [&str; 2] = ["greeter", "router"];
const SOURCES: [Option<&str>; 3] = [None, Some("WEB"), Some("APP")];

/// The events of `count` conversations of account `acme` in the order in which they are delivered, a line each.
pub(super) fn delivered(count: u64, dice: &mut Dice) -> Vec<String> {
    let mut deliveries = Vec::new();
    for number in 0..count {
        for (time, line) in conversation(&format!("c-{number}"), dice) {
            for _ in 0..if dice.one_in(20) { 2 } else { 1 } {
                deliveries.push((time + signed(dice.below(LATENESS)), line.clone()));
            }
        }
    }
    deliveries.sort();
    deliveries.into_iter().map(|(_, line)| line).collect()
}

/// The events of a conversation with their times, but for those that are lost.
fn conversation(name: &str, dice: &mut Dice) -> Vec<(i64, String)> {
    let mut time = START + signed(dice.below(SPAN));
    let start = json!({ "skill_id": pick(&SKILLS, dice), "source": pick(&SOURCES, dice) });
    let mut events = vec![(time, event(name, 0, time, "conversation_started", start))];
    let mut agent = HUMANS[0];
    let mut is_closed = false;
    for sequence in 1..=dice.below(40) {
        time += signed(pause(dice));
        let (kind, fields) = match dice.below(100) {
            _ if is_closed && dice.one_in(2) => break,
            _ if is_closed => ("conversation_resumed", json!({ "skill_id": pick(&SKILLS, dice) })),
            0..25 => assignment(&mut agent, dice),
            25..45 => ("message", json!({ "sender": "consumer" })),
            45..65 => ("message", message_of_an_agent(agent, dice)),
            65..70 => ("message", json!({ "sender": "system" })),
            70..80 => ("returned_to_queue", json!({})),
            80..93 => {
                ("transferred", json!({ "skill_id": pick(&SKILLS, dice), "reason": pick(&["skill", "agent"], dice) }))
            }
            _ => ("conversation_closed", json!({ "by": pick(&["consumer", "agent", "system"], dice) })),
        };
        is_closed = kind == "conversation_closed";
        // One that decides whether the conversation is open always comes.
        let may_be_lost = !is_closed && kind != "conversation_resumed";
        if !(may_be_lost && dice.one_in(60)) {
            events.push((time, event(name, sequence, time, kind, fields)));
        }
    }
    events
}

fn assignment(agent: &mut &'static str, dice: &mut Dice) -> (&'static str, Value) {
    let (agents, user_type) = if dice.one_in(3) { (&BOTS[..], "bot") } else { (&HUMANS[..], "human") };
    *agent = pick(agents, dice);
    let mut fields = json!({ "agent_id": *agent, "user_type": user_type });
    if dice.one_in(4) {
        fields["takeover"] = json!(true);
    }
    ("agent_assigned", fields)
}

/// By the agent who was assigned last, named or not, or by somebody else.
fn message_of_an_agent(agent: &str, dice: &mut Dice) -> Value {
    match dice.below(4) {
        0 => json!({ "sender": "agent" }),
        1 => json!({ "sender": "agent", "agent_id": pick(&HUMANS, dice) }),
        _ => json!({ "sender": "agent", "agent_id": agent }),
    }
}

/// The time from one event to the next: none, moments, or minutes.
fn pause(dice: &mut Dice) -> u64 {
    let longest = *[1, 1000, MINUTE, MINUTE, 10 * MINUTE].get(dice.below(5) as usize).unwrap();
    dice.below(longest)
}

fn pick<T: Copy>(from: &[T], dice: &mut Dice) -> T {
    from[dice.below(from.len() as u64) as usize]
}

fn signed(duration: u64) -> i64 {
    i64::try_from(duration).unwrap()
}
