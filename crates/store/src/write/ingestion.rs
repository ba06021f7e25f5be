use arrow::array::RecordBatch;
use skillscope_segment::{
    Chunk, EventBatch, EventChunk, Format, Input, ReadOptions, Rejection, read_events, read_history, read_segments,
};

use crate::Appended;

/// What became of the records of an input.
#[derive(Debug, Default, Clone)]
pub struct Ingested {
    /// Segments that are stored now, or events that are taken in, and were not before.
    pub accepted: u64,
    /// Segments or events that had been delivered before.
    pub duplicates: u64,
    /// Records that were not taken.
    pub rejected_count: u64,
    /// The first of them, in the input's order.
    pub rejected: Vec<RejectedRecord>,
}

/// A record that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRecord {
    /// 1-based number of the record in the input; in NDJSON, of its line.
    pub line: u64,
    /// Why, in plain words.
    pub error: String,
}

impl Ingested {
    /// As many rejected records are listed; all are counted.
    pub const MOST_LISTED: usize = 100;

    fn add(&mut self, lines: &[u64], unreadable: Vec<Rejection>, appended: Appended) {
        self.accepted += appended.accepted as u64;
        self.duplicates += appended.duplicates as u64;
        self.rejected_count += (unreadable.len() + appended.refused_count) as u64;
        let room = Self::MOST_LISTED.saturating_sub(self.rejected.len());
        let unreadable =
            unreadable.into_iter().take(room).map(|rejection| (rejection.line, rejection.error.to_string()));
        let refused = appended.refused.into_iter().take(room).map(|row| {
            let line = lines.get(row.row).copied().unwrap_or_default();
            (line, row.reason)
        });
        let mut listed: Vec<_> =
            unreadable.chain(refused).map(|(line, error)| RejectedRecord { line, error }).collect();
        listed.sort_by_key(|record| record.line);
        self.rejected.extend(listed.into_iter().take(room));
    }
}

/// Reads segments of `format` from `input` and gives them to `append` chunk by chunk. `progress` is told after each
/// chunk what has become of the records so far.
///
/// # Errors
/// Where nothing can be read at all, and whatever `append` returns; chunks before it stay stored.
pub fn ingest<E: From<skillscope_segment::Error>>(
    format: Format,
    input: Input,
    options: &ReadOptions,
    append: impl FnMut(&RecordBatch) -> Result<Appended, E>,
    progress: impl FnMut(&Ingested),
) -> Result<Ingested, E> {
    let mut ingested = Ingested::default();
    read_segments(format, input, options, storing(&mut ingested, append, progress))?;
    Ok(ingested)
}

/// As [`ingest`], with the segments of the conversations in an export of message history.
///
/// # Errors
/// As with [`ingest`].
pub fn ingest_history<E: From<skillscope_segment::Error>>(
    input: Input,
    options: &ReadOptions,
    append: impl FnMut(&RecordBatch) -> Result<Appended, E>,
    progress: impl FnMut(&Ingested),
) -> Result<Ingested, E> {
    let mut ingested = Ingested::default();
    read_history(input, options, storing(&mut ingested, append, progress))?;
    Ok(ingested)
}

/// Gives chunks of segments to `append`.
fn storing<E>(
    ingested: &mut Ingested,
    mut append: impl FnMut(&RecordBatch) -> Result<Appended, E>,
    mut progress: impl FnMut(&Ingested),
) -> impl FnMut(Chunk) -> Result<(), E> {
    move |Chunk { batch, lines, rejected }| {
        let appended = append(&batch)?;
        ingested.add(&lines, rejected, appended);
        progress(ingested);
        Ok(())
    }
}

/// As [`ingest`], with conversation events in NDJSON; what is counted are the events.
///
/// # Errors
/// As with [`ingest`].
pub fn ingest_events<E: From<skillscope_segment::Error>>(
    input: Input,
    options: &ReadOptions,
    mut append: impl FnMut(EventBatch) -> Result<Appended, E>,
    mut progress: impl FnMut(&Ingested),
) -> Result<Ingested, E> {
    let mut ingested = Ingested::default();
    read_events(input, options, |EventChunk { events, lines, rejected }| {
        let appended = append(events)?;
        ingested.add(&lines, rejected, appended);
        progress(&ingested);
        Ok::<_, E>(())
    })?;
    Ok(ingested)
}
