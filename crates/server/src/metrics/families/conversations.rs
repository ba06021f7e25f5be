//! Conversations that are followed.

use skillscope_segment::Impossible;
use skillscope_store::{Holdings, StoreCounts};

use super::{Definition, Exposition, word};

const OPEN: Definition = Definition::gauge("skillscope_conversations_open", &[], "Conversations that are open.");

const WAITING: Definition = Definition::gauge(
    "skillscope_conversation_events_waiting",
    &[],
    "Events that wait for earlier ones of their conversations.",
);

const GAPS: Definition = Definition::counter(
    "skillscope_conversation_gaps_given_up",
    &[],
    "Gaps in the events of a conversation that were not waited for any longer.",
);

const DEAD_LETTERS: Definition = Definition::counter(
    "skillscope_dead_letters",
    &["reason"],
    "Events that could have no effect: not_started, after_close, started_twice, resumed_while_open or too_late.",
);

pub(super) fn add(all: &mut Exposition, counts: &StoreCounts, held: &Holdings) {
    all.single(&OPEN, held.conversations.open);
    all.single(&WAITING, held.conversations.waiting_events);
    all.single(&GAPS, counts.gaps_given_up);
    let number = |reason| counts.dead_letters.get(&reason).copied().unwrap_or(0);
    all.family(&DEAD_LETTERS, Impossible::ALL.map(|reason| ([word(reason.word())], number(reason).into())));
}
