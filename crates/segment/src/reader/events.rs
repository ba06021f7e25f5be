use super::{Input, ReadOptions, Rejection, buffered, ndjson, record};
use crate::event_record::EventRecord;
use crate::{AccountId, Error, EventBatch};

/// A part of an input: the events that can be read, and the lines that were rejected.
#[derive(Debug, Default)]
pub struct EventChunk {
    /// The events, in the input's order.
    pub events: EventBatch,
    /// For each of them the 1-based number of its line.
    pub lines: Vec<u64>,
    /// The lines that were not taken.
    pub rejected: Vec<Rejection>,
}

/// Reads conversation events from NDJSON, and hands them on in chunks.
///
/// # Errors
/// Where nothing can be read at all, and whatever `sink` returns. An input that breaks off after its first lines keeps
/// those: the break itself is a [`Rejection`] with [`Error::BreaksOff`].
pub fn read_events<E: From<Error>>(
    input: Input,
    options: &ReadOptions,
    mut sink: impl FnMut(EventChunk) -> Result<(), E>,
) -> Result<(), E> {
    let mut chunk = EventChunk::default();
    ndjson::read(buffered(input), |line, json| {
        let outcome = match json {
            Err(Error::Io(error)) if line <= 1 => {
                return Err(Error::Unreadable { format: "NDJSON", reason: error.to_string() }.into());
            }
            Err(Error::Io(error)) => Err(Error::BreaksOff { format: "NDJSON", reason: error.to_string() }),
            Err(error) => Err(error),
            Ok(json) => push(json, options, &mut chunk.events),
        };
        match outcome {
            Ok(()) => chunk.lines.push(line),
            Err(error) => chunk.rejected.push(Rejection { line, error }),
        }
        let is_full = chunk.lines.len().max(chunk.rejected.len()) >= options.chunk_rows;
        if is_full { sink(std::mem::take(&mut chunk)) } else { Ok(()) }
    })?;
    if chunk.lines.is_empty() && chunk.rejected.is_empty() { Ok(()) } else { sink(chunk) }
}

fn push(json: &[u8], options: &ReadOptions, events: &mut EventBatch) -> crate::Result<()> {
    let record: EventRecord<'_> = record::parse(json)?;
    let account = AccountId::of_record(&record.account_id, options.account.as_ref())?;
    events.push(&record.event(account)?);
    Ok(())
}
