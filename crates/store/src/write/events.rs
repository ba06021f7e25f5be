use arrow::array::RecordBatch;
use skillscope_segment::{Arrival, EventBatch, Segmented};

use crate::store::{Write, Writer};
use crate::write::dead_letters::DeadLetters;
use crate::{Appended, Clock, Error, Result, Snapshot, Store};

/// An event dated further ahead than this, in milliseconds, says nothing about the time.
const CREDIBLE_MS: i64 = 300_000;

/// Events that are to be segmented.
#[derive(Debug)]
pub(crate) struct Events {
    batch: EventBatch,
    arrival: Arrival,
    /// Whether events that wait may go ahead where their account has had none for the bound.
    gives_up_idle: bool,
}

/// What became of events, of which the segments that they closed are still to be stored.
#[derive(Debug)]
pub(crate) struct SegmentedEvents {
    accepted: usize,
    duplicates: usize,
}

impl Store {
    /// Takes conversation events in, and stores the segments that they close. Returns once both the conversations' states
    /// and the segments are on disk. `is_live` says whether events are expected to be of now: one that is dated ahead of
    /// the clock by more than five minutes does not count as the time then.
    ///
    /// # Errors
    /// Where they cannot be written; no event has had an effect then.
    pub fn append_events(&self, batch: EventBatch, is_live: bool) -> Result<Appended> {
        self.search_archive_for(&batch)?;
        let rows = batch.len();
        let now = self.options.clock.now();
        let latest_credible = match self.options.hot_clock {
            Clock::System | Clock::Simulated(_) if is_live => now.saturating_add(CREDIBLE_MS),
            _ => i64::MAX,
        };
        let arrival = Arrival { now, latest_credible };
        self.submit(Write::Events(Events { batch, arrival, gives_up_idle: false }), rows)
    }

    /// Lets event time begin anew, so that a file of older events is put in order as if it were the first.
    pub fn restart_event_time(&self) {
        let mut writer = self.writer();
        writer.segmenter.roll_back();
        writer.segmenter.restart_event_time();
    }

    /// Lets events go ahead that have waited as long as their account has had none; tells whether there were any.
    pub(crate) fn give_up_idle(&self) -> Result<bool> {
        let now = self.options.clock.now();
        if !self.writer().segmenter.has_idle(now) {
            return Ok(false);
        }
        let arrival = Arrival { now, latest_credible: i64::MAX };
        self.submit(Write::Events(Events { batch: EventBatch::new(), arrival, gives_up_idle: true }), 0)?;
        Ok(!self.writer().segmenter.has_idle(now))
    }

    /// The number of conversations that are open.
    pub fn open_conversations(&self) -> usize {
        self.writer().segmenter.open_conversations()
    }

    /// Gives events to the segmenter, on trial: the segments that they close, and what became of them.
    pub(crate) fn segment(
        &self,
        writer: &mut Writer,
        snapshot: &Snapshot,
        events: &Events,
        dead_letters: &mut DeadLetters,
    ) -> Result<(RecordBatch, SegmentedEvents)> {
        let Writer { segmenter, keys, .. } = writer;
        let past = &mut |account: &str, conversation: &str, until: i64| {
            self.past_conversation(keys, snapshot, account, conversation, until)
        };
        let mut out = Segmented::new();
        for event in events.batch.iter() {
            segmenter.take::<Error>(&event, events.arrival, past, &mut out)?;
        }
        if events.gives_up_idle {
            segmenter.give_up_idle::<Error>(events.arrival.now, past, &mut out)?;
        }
        segmenter.forget(events.arrival.now);
        dead_letters.append(&mut out.dead_letters);
        let segmented = SegmentedEvents { accepted: out.accepted, duplicates: out.duplicates };
        Ok((out.segments.finish()?, segmented))
    }
}

impl SegmentedEvents {
    /// What became of the events, when it is known what became of the segments that they closed.
    pub(crate) fn closing(self, segments: Appended) -> Appended {
        for refused in &segments.refused {
            // It is not the events' fault: the segment was delivered closed before, and that counts.
            tracing::warn!(reason = %refused.reason, "a segment that events closed was refused");
        }
        Appended { accepted: self.accepted, duplicates: self.duplicates, ..Appended::default() }
    }
}
