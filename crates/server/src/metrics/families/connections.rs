//! Connections of all doors.

use super::{Definition, Exposition, word};
use crate::connections::DoorNumbers;
use crate::statistics::Statistics;

const OPEN: Definition = Definition::gauge("skillscope_connections", &["door"], "Connections that are open.");

const LIMIT: Definition =
    Definition::gauge("skillscope_connections_limit", &["door"], "Connections that may be open at a time.");

const ACCEPTED: Definition =
    Definition::counter("skillscope_connections_accepted", &["door"], "Connections that were let in.");

const TURNED_AWAY: Definition = Definition::counter(
    "skillscope_connections_turned_away",
    &["door"],
    "Connections that were one too many, of all or of their address.",
);

const BROKEN_OFF: Definition = Definition::counter(
    "skillscope_connections_broken_off",
    &["door", "reason"],
    "Connections that were closed on their client: nobody read the answer (unread), or a request of HTTP did not come in time (late).",
);

pub(super) fn add(all: &mut Exposition, statistics: &Statistics) {
    let doors: Vec<(&'static str, DoorNumbers)> =
        statistics.doors().map(|(door, counts)| (door, counts.read())).collect();
    let mut of_each = |definition, number: fn(&DoorNumbers) -> u64| {
        all.family(definition, doors.iter().map(|(door, of_door)| ([word(door)], number(of_door).into())));
    };
    of_each(&OPEN, |door| door.open);
    of_each(&LIMIT, |door| door.limit);
    of_each(&ACCEPTED, |door| door.accepted);
    of_each(&TURNED_AWAY, |door| door.turned_away);
    let broken_off = doors.iter().flat_map(|(door, of_door)| {
        [("unread", of_door.unread), ("late", of_door.late)]
            .map(|(reason, number)| ([word(door), word(reason)], number.into()))
    });
    all.family(&BROKEN_OFF, broken_off);
}
