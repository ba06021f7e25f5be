//! What comes in.

use skillscope_store::{Holdings, IngestionCounts, StoreCounts};

use super::{Definition, Exposition, word};
use crate::App;
use crate::statistics::RecordKind;

const RECORDS: Definition = Definition::counter(
    "skillscope_ingestion_records",
    &["kind", "outcome"],
    "Segments or events that were sent, by what became of them: accepted, duplicate or rejected.",
);

const RECEIVED: Definition = Definition::counter(
    "skillscope_ingestion_received",
    &["kind"],
    "Bodies of segments or events, as they were sent: compressed ones count as such.",
)
.in_bytes();

const STORED: Definition = Definition::counter(
    "skillscope_segments_stored",
    &[],
    "Segments that were stored, whether they came closed or events closed them.",
);

const LAG: Definition = Definition::gauge(
    "skillscope_ingestion_lag",
    &["kind"],
    "From the latest end of a segment, or the latest event, until now; what is ahead of the clock does not count. Absent before there is one.",
)
.in_seconds();

const QUIET: Definition = Definition::gauge(
    "skillscope_quiet_accounts",
    &[],
    "Accounts of which nothing has come for longer than --quiet-after. Absent where that is off.",
);

pub(super) fn add(all: &mut Exposition, app: &App, counts: &StoreCounts, held: &Holdings) {
    let statistics = app.statistics();
    let of_kind = |kind: RecordKind| match kind {
        RecordKind::Segments => (counts.segments, held.newest_segment),
        RecordKind::Events => (counts.events, counts.newest_event),
    };
    let records = RecordKind::ALL.into_iter().flat_map(|kind| {
        let IngestionCounts { accepted, duplicates, rejected } = of_kind(kind).0;
        [("accepted", accepted), ("duplicate", duplicates), ("rejected", rejected)]
            .map(|(outcome, number)| ([word(kind.word()), word(outcome)], number.into()))
    });
    all.family(&RECORDS, records);
    let received = RecordKind::ALL.map(|kind| ([word(kind.word())], statistics.received_bytes(kind).into()));
    all.family(&RECEIVED, received);
    all.single(&STORED, counts.stored_segments);
    let lag = |time: i64| held.now.saturating_sub(time).max(0) as f64 / 1000.0;
    let lags = RecordKind::ALL.into_iter().filter_map(|kind| Some(([word(kind.word())], lag(of_kind(kind).1?).into())));
    all.family(&LAG, lags);
    all.family(&QUIET, app.quiet_accounts().map(|number| ([], number.into())));
}
