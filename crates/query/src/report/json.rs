//! A report as the contract's JSON, written straight into buffers.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, Stream};
use futures::{StreamExt, TryFutureExt};
use tokio::runtime::Handle;

use super::answer::{Breakdown, Interval, Report};
use super::metrics::Metrics;

/// About the bytes of one skill's metrics, so that the buffer need not grow.
const BYTES_PER_SKILL: usize = 340;

/// About as many bytes are written at a time where a report is streamed.
const PIECE_BYTES: usize = 1 << 20;

/// Pieces that the writing may be ahead of the reading, for each processor.
const PIECES_AHEAD: usize = 2;

impl Report {
    /// About how many bytes the report takes as JSON: rather more than fewer.
    pub fn json_bytes(&self) -> usize {
        let intervals = self.intervals.iter().flatten().map(|interval| &interval.metrics);
        intervals.chain([&self.summary]).map(json_bytes).sum()
    }

    /// Appends the report to `out` as JSON: keys as in the contract's examples, metrics in the order of its table,
    /// skills in ascending order, the newest interval first.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.reserve(self.json_bytes());
        let Some(intervals) = &self.intervals else {
            return write_breakdown(out, &self.summary);
        };
        self.write_piece(0..intervals.len(), out);
    }

    /// The same JSON in pieces. Several of the blocking `threads` write ahead while the stream is read. Dropping the
    /// stream ends the writing, and no thread waits for a reader.
    ///
    /// # Errors
    /// Where a piece could not be written.
    pub fn json_stream(self: Arc<Self>, threads: &Handle) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let writers = std::thread::available_parallelism().map_or(1, usize::from);
        let (pieces, threads) = (self.pieces(), threads.clone());
        let write = move |piece: Range<usize>| {
            let report = Arc::clone(&self);
            let written = threads.spawn_blocking(move || {
                let mut out = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 4);
                report.write_piece(piece, &mut out);
                Bytes::from(out)
            });
            written.map_err(io::Error::other)
        };
        stream::iter(pieces).map(write).buffered(writers * PIECES_AHEAD)
    }

    /// The intervals in pieces of about [`PIECE_BYTES`]; one piece where there are none.
    fn pieces(&self) -> Vec<Range<usize>> {
        let mut pieces = Vec::new();
        let (mut piece, mut bytes) = (0..0, 0);
        for interval in self.intervals.iter().flatten() {
            if bytes >= PIECE_BYTES {
                pieces.push(piece.clone());
                (piece.start, bytes) = (piece.end, 0);
            }
            piece.end += 1;
            bytes += json_bytes(&interval.metrics);
        }
        pieces.push(piece);
        pieces
    }

    /// Writes some of the intervals. The text before all intervals goes with the first piece, and the text after them
    /// with the last.
    fn write_piece(&self, piece: Range<usize>, out: &mut Vec<u8>) {
        let Some(intervals) = &self.intervals else { return write_breakdown(out, &self.summary) };
        if piece.start == 0 {
            out.extend_from_slice(br#"{"metricsByIntervals":["#);
        }
        let is_last = piece.end == intervals.len();
        for (place, interval) in piece.clone().zip(intervals.get(piece).unwrap_or_default()) {
            write_interval(out, interval, place == 0);
        }
        if is_last {
            out.extend_from_slice(br#"],"timeframeSummary":"#);
            write_breakdown(out, &self.summary);
            out.push(b'}');
        }
    }
}

/// About the bytes of a breakdown.
fn json_bytes(breakdown: &Breakdown) -> usize {
    // The names of the members, and a timestamp.
    const AROUND: usize = 128;
    (breakdown.skills.len() + 1).saturating_mul(BYTES_PER_SKILL).saturating_add(AROUND)
}

fn write_interval(out: &mut Vec<u8>, interval: &Interval, is_first: bool) {
    out.extend_from_slice(if is_first { br#"{"timestamp":"# } else { br#",{"timestamp":"# });
    write_number(out, interval.timestamp);
    out.push(b',');
    write_members(out, &interval.metrics);
    out.push(b'}');
}

fn write_breakdown(out: &mut Vec<u8>, breakdown: &Breakdown) {
    out.push(b'{');
    write_members(out, breakdown);
    out.push(b'}');
}

fn write_members(out: &mut Vec<u8>, breakdown: &Breakdown) {
    out.extend_from_slice(br#""skillsMetrics":{"#);
    for (position, (skill, metrics)) in breakdown.skills.iter().enumerate() {
        out.extend_from_slice(if position == 0 { b"\"" } else { b",\"" });
        write_number(out, *skill);
        out.extend_from_slice(b"\":");
        write_metrics(out, metrics);
    }
    out.extend_from_slice(br#"},"metricsTotal":"#);
    write_metrics(out, &breakdown.total);
}

fn write_metrics(out: &mut Vec<u8>, metrics: &Metrics) {
    let start = out.len();
    for (key, value) in metrics.json_members() {
        out.extend_from_slice(key.as_bytes());
        write_number(out, value);
    }
    // In the place of the comma before the first member.
    if let Some(first) = out.get_mut(start) {
        *first = b'{';
    }
    out.push(b'}');
}

fn write_number(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    fn report(intervals: i64, skills: i64) -> Report {
        let metrics = |seed: i64| Metrics { total: seed, interactive: seed, ..Metrics::default() };
        let mut summary = Breakdown::default();
        (0..skills).for_each(|skill| summary.push(skill, metrics(skill * intervals)));
        let interval = |place: i64| {
            let mut breakdown = Breakdown::default();
            (0..skills).for_each(|skill| breakdown.push(skill, metrics(skill + place)));
            Interval { timestamp: place, metrics: breakdown }
        };
        Report { intervals: Some((0..intervals).map(interval).collect()), summary }
    }

    #[tokio::test]
    async fn pieces_are_the_whole_in_order() {
        let none = Report { intervals: None, summary: report(1, 5).summary };
        for report in [none, report(1, 0), report(1, 1), report(288, 200), report(7, 3_000), report(1440, 3)] {
            let mut whole = Vec::new();
            report.write_json(&mut whole);
            assert!(report.json_bytes() >= whole.len(), "the buffer need not grow");
            let pieces: Vec<Bytes> = Arc::new(report).json_stream(&Handle::current()).try_collect().await.unwrap();
            assert_eq!(pieces.concat(), whole);
            let _: serde_json::Value = serde_json::from_slice(&whole).unwrap();
        }
    }

    #[tokio::test]
    async fn writing_ends_when_nobody_reads_on() {
        let report = Arc::new(report(288, 500));
        let mut stream = Box::pin(Arc::clone(&report).json_stream(&Handle::current()));
        assert!(stream.next().await.is_some());
        drop(stream);
        // The writers let go of the report.
        for _ in 0..1_000 {
            if Arc::strong_count(&report) == 1 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("a report that nobody reads is still written");
    }
}
