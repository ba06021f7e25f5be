//! Reads conversation events.

use super::any_case::AnyCase;
use super::{Format, Input, ReadOptions, Rejections, beginning, json_object, ndjson};
use crate::event::EventRecord;
use crate::instant::InSeconds;
use crate::{Error, EventBatch};

/// A part of an input: its events, and the lines that were rejected.
#[derive(Debug, Default)]
pub struct EventChunk {
    /// The events, in the input's order.
    pub events: EventBatch,
    /// For each event, the 1-based number of its line.
    pub lines: Vec<u64>,
    /// The rejected lines.
    pub rejected: Rejections,
}

/// Reads conversation events from NDJSON and passes them to `sink` in chunks.
///
/// # Errors
/// Where nothing can be read at all, and the errors of `sink`. If an input breaks off after its first lines, those
/// count, and the break is a [`Rejection`](crate::Rejection) with [`Error::BreaksOff`].
pub fn read_events<E: From<Error>>(
    input: Input,
    options: &ReadOptions,
    mut sink: impl FnMut(EventChunk) -> Result<(), E>,
) -> Result<(), E> {
    /// After so many lines, it is asked whether somebody still waits for the outcome.
    const LINES_BETWEEN_QUESTIONS: u64 = 1024;
    let (mut chunk, mut in_seconds) = (EventChunk::default(), InSeconds::default());
    ndjson::read(beginning::text(input, Format::Ndjson.name())?, |line, json| {
        if line.is_multiple_of(LINES_BETWEEN_QUESTIONS) {
            options.check_awaited()?;
        }
        let outcome = match json {
            Err(Error::Io(error)) if line <= 1 => {
                return Err(Error::Unreadable { format: Format::Ndjson.name(), reason: error.to_string() }.into());
            }
            Err(Error::Io(error)) => Err(Error::BreaksOff { format: Format::Ndjson.name(), reason: error.to_string() }),
            Err(error) => Err(error),
            Ok(json) => push(json, options, chunk.rejected.keeps_more(), &mut chunk.events, &mut in_seconds),
        };
        match outcome {
            Ok(()) => chunk.lines.push(line),
            Err(error) => chunk.rejected.push(line, error),
        }
        let is_full = chunk.lines.len().max(chunk.rejected.count) >= options.chunk_rows;
        if !is_full {
            return Ok(());
        }
        in_seconds.check()?;
        sink(std::mem::take(&mut chunk))
    })?;
    in_seconds.check()?;
    if chunk.lines.is_empty() && chunk.rejected.is_empty() { Ok(()) } else { sink(chunk) }
}

fn push(
    json: &[u8],
    options: &ReadOptions,
    is_told: bool,
    events: &mut EventBatch,
    in_seconds: &mut InSeconds,
) -> crate::Result<()> {
    let AnyCase::<EventRecord<'_>>(record) = json_object::parse_told(json, is_told)?;
    let account = options.account_of(&record.account_id)?;
    let event = record.event(account, options.time_zone.as_ref())?;
    in_seconds.see(event.time);
    events.push(&event);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;
    use crate::{AccountId, AgentKind, ClosedBy, Event, EventKind, Sender, TransferReason};

    type Found = (Vec<String>, Vec<(u64, String)>);

    fn read(text: impl Into<Vec<u8>>) -> Found {
        read_anything(text).unwrap()
    }

    /// The same of bytes that may be no text, or compressed, which is an error of all of them.
    fn read_anything(text: impl Into<Vec<u8>>) -> Result<Found, Error> {
        let options =
            ReadOptions { account: Some(AccountId::parse("acme").unwrap()), chunk_rows: 3, ..Default::default() };
        let (mut events, mut rejected) = (Vec::new(), Vec::new());
        read_events::<Error>(Input::Bytes(text.into().into()), &options, |chunk| {
            assert_eq!(chunk.events.len(), chunk.lines.len());
            assert!(chunk.events.len() <= 3);
            events.extend(chunk.events.iter().map(|event| format!("{event:?}")));
            rejected.extend(
                chunk.rejected.first.into_iter().map(|rejection| (rejection.line, rejection.error.to_string())),
            );
            Ok(())
        })?;
        Ok((events, rejected))
    }

    fn any_kind() -> impl Strategy<Value = EventKind<String>> {
        let text = || "\\PC{0,12}";
        prop_oneof![
            (any::<i64>(), prop::option::of(text()))
                .prop_map(|(skill_id, source)| EventKind::Started { skill_id, source }),
            (text(), prop::sample::select(AgentKind::ALL), any::<bool>())
                .prop_map(|(agent_id, agent_kind, takeover)| EventKind::Assigned { agent_id, agent_kind, takeover }),
            Just(EventKind::Returned),
            (prop::sample::select(Sender::ALL), prop::option::of(text()))
                .prop_map(|(sender, agent_id)| EventKind::Message { sender, agent_id }),
            (any::<i64>(), prop::sample::select(vec![TransferReason::Skill, TransferReason::Agent]))
                .prop_map(|(skill_id, reason)| EventKind::Transferred { skill_id, reason }),
            prop::sample::select(ClosedBy::ALL).prop_map(|by| EventKind::Closed { by }),
            any::<i64>().prop_map(|skill_id| EventKind::Resumed { skill_id }),
        ]
    }

    fn any_event() -> impl Strategy<Value = Event<String>> {
        ("[ -~à-ÿα-ω一-三🦀]{0,19}[!-~]", 0..u64::MAX, 3_000_000_000..7_000_000_000_000_i64, any_kind()).prop_map(
            |(id, sequence, time, kind)| Event {
                account_id: "acme".to_owned(),
                conversation_id: id,
                sequence,
                time,
                kind,
            },
        )
    }

    fn lines(events: &[Event<String>]) -> Vec<u8> {
        let mut lines = Vec::new();
        events.iter().for_each(|event| event.map(String::as_str).write_line(&mut lines).unwrap());
        lines
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(events in vec(any_event(), 0..10)) {
            let expected: Vec<_> = events.iter().map(|event| format!("{:?}", event.map(String::as_str))).collect();
            prop_assert_eq!(read(lines(&events)), (expected, Vec::new()));
        }

        #[test]
        fn no_bytes_from_anywhere_make_it_panic(bytes in vec(any::<u8>(), 0..300)) {
            let Ok((events, rejected)) = read_anything(bytes.clone()) else { return Ok(()) };
            let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
            prop_assert!(events.len() + rejected.len() <= lines);
        }

        #[test]
        fn a_damaged_line_costs_itself_alone(
            events in vec(any_event(), 2..6), place in any::<Index>(), byte in any::<Index>(), by in any::<u8>(),
        ) {
            let mut parts: Vec<Vec<u8>> = events.iter().map(|event| lines(std::slice::from_ref(event))).collect();
            let damaged = place.index(parts.len());
            // Its end stays: one line may not become two.
            let byte = byte.index(parts[damaged].len() - 1);
            parts[damaged][byte] = if by == b'\n' { 0 } else { by };
            let (found, rejected) = read(parts.concat());
            prop_assert!(found.len() + 1 >= events.len());
            prop_assert_eq!(found.len() + rejected.len(), events.len());
            for (line, _) in rejected {
                prop_assert_eq!(line, damaged as u64 + 1);
            }
        }
    }
}
