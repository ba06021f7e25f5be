//! The starts of the waits of a skill, in order.

use std::sync::Arc;

use skillscope_segment::{Wait, WaitKind};

/// The maximum number of starts in a chunk. One with more is cut in two.
const CHUNK: usize = if cfg!(test) { 4 } else { 256 };

/// The starts of the waits that go on. An answer that needs the place of one in the order finds it by the numbers of
/// whole chunks.
#[derive(Debug, Clone, Default)]
pub(super) struct Waits {
    chunks: Vec<Chunk>,
    /// Of all chunks.
    pub(super) sums: Sums,
}

/// Neighbours in the order. None is empty.
#[derive(Debug, Clone)]
struct Chunk {
    first: i64,
    number: u64,
    starts: Arc<Vec<Start>>,
}

/// The waits that began in one millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) time: i64,
    pub(super) new: u32,
    pub(super) transferred: u32,
}

/// Waits and their starts, added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) new: Sum,
    pub(super) transferred: Sum,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) number: u64,
    pub(super) starts: i128,
}

impl Start {
    pub(super) fn number(&self) -> u64 {
        u64::from(self.new).saturating_add(u64::from(self.transferred))
    }

    fn of(&mut self, kind: WaitKind) -> &mut u32 {
        match kind {
            WaitKind::NewConversation => &mut self.new,
            WaitKind::Transfer => &mut self.transferred,
        }
    }
}

impl Sums {
    fn of(&mut self, kind: WaitKind) -> &mut Sum {
        match kind {
            WaitKind::NewConversation => &mut self.new,
            WaitKind::Transfer => &mut self.transferred,
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.new.number.saturating_add(self.transferred.number)
    }
}

impl Chunk {
    /// The number of waits here that began before an instant.
    fn before(&self, instant: i64) -> u64 {
        let starts = self.starts.partition_point(|start| start.time < instant);
        if self.number == self.starts.len() as u64 {
            // Mostly each began in a millisecond of its own.
            return starts as u64;
        }
        self.starts.iter().take(starts).map(Start::number).fold(0, u64::saturating_add)
    }

    /// The start of the wait that has this place (from 0) here.
    fn nth(&self, place: u64) -> Option<i64> {
        if self.number == self.starts.len() as u64 {
            return self.starts.get(usize::try_from(place).ok()?).map(|start| start.time);
        }
        let mut through = 0_u64;
        self.starts.iter().find_map(|start| {
            through = through.saturating_add(start.number());
            (place < through).then_some(start.time)
        })
    }
}

impl Waits {
    pub(super) fn add(&mut self, wait: Wait) {
        let sum = self.sums.of(wait.kind);
        (sum.number, sum.starts) = (sum.number.saturating_add(1), sum.starts.saturating_add(i128::from(wait.since)));
        let (time, place) = (wait.since, self.chunk_of(wait.since));
        let Some(chunk) = self.chunks.get_mut(place) else {
            let mut start = Start { time, new: 0, transferred: 0 };
            *start.of(wait.kind) = 1;
            self.chunks.push(Chunk { first: time, number: 1, starts: Arc::new(vec![start]) });
            return;
        };
        chunk.number = chunk.number.saturating_add(1);
        let starts = Arc::make_mut(&mut chunk.starts);
        match starts.binary_search_by_key(&time, |start| start.time) {
            Ok(found) => {
                if let Some(start) = starts.get_mut(found) {
                    let of_kind = start.of(wait.kind);
                    *of_kind = of_kind.saturating_add(1);
                }
            }
            Err(missing) => {
                let mut start = Start { time, new: 0, transferred: 0 };
                *start.of(wait.kind) = 1;
                starts.insert(missing, start);
                chunk.first = chunk.first.min(time);
                self.cut(place);
            }
        }
    }

    pub(super) fn remove(&mut self, wait: Wait) {
        let place = self.chunk_of(wait.since);
        let Some(chunk) = self.chunks.get_mut(place) else { return };
        let Ok(found) = chunk.starts.binary_search_by_key(&wait.since, |start| start.time) else { return };
        let starts = Arc::make_mut(&mut chunk.starts);
        let Some(start) = starts.get_mut(found) else { return };
        let of_kind = start.of(wait.kind);
        *of_kind = of_kind.saturating_sub(1);
        chunk.number = chunk.number.saturating_sub(1);
        if start.number() == 0 {
            starts.remove(found);
            match starts.first() {
                Some(first) => chunk.first = first.time,
                None => drop(self.chunks.remove(place)),
            }
        }
        let sum = self.sums.of(wait.kind);
        (sum.number, sum.starts) = (sum.number.saturating_sub(1), sum.starts.saturating_sub(i128::from(wait.since)));
    }

    /// The place of the chunk that a start belongs into: the last that begins before it.
    fn chunk_of(&self, time: i64) -> usize {
        self.chunks.partition_point(|chunk| chunk.first <= time).saturating_sub(1)
    }

    /// Cuts a chunk in two that has become too long. Most starts are later than all others: a full last chunk is left
    /// full, and the next one begins with one start.
    fn cut(&mut self, place: usize) {
        let is_last = place.saturating_add(1) == self.chunks.len();
        let Some(chunk) = self.chunks.get_mut(place).filter(|chunk| chunk.starts.len() > CHUNK) else { return };
        let starts = Arc::make_mut(&mut chunk.starts);
        let rest = starts.split_off(if is_last { CHUNK } else { CHUNK / 2 });
        // Room for one more was made by doubling.
        starts.shrink_to(CHUNK);
        let Some(first) = rest.first().map(|start| start.time) else { return };
        let number = rest.iter().map(Start::number).sum();
        chunk.number = chunk.number.saturating_sub(number);
        self.chunks.insert(place.saturating_add(1), Chunk { first, number, starts: Arc::new(rest) });
    }

    /// The first start.
    pub(super) fn first(&self) -> Option<i64> {
        self.chunks.first().map(|chunk| chunk.first)
    }

    /// The last start.
    pub(super) fn last(&self) -> Option<i64> {
        self.chunks.last()?.starts.last().map(|start| start.time)
    }

    /// The starts that are later than an instant, the last first.
    pub(super) fn after(&self, instant: i64) -> impl Iterator<Item = &Start> {
        let chunks = self.chunks.iter().rev();
        chunks.flat_map(|chunk| chunk.starts.iter().rev()).take_while(move |start| start.time > instant)
    }

    /// The number of waits that began before an instant.
    pub(super) fn before(&self, instant: i64) -> u64 {
        let whole = self.chunks.partition_point(|chunk| chunk.first < instant);
        let Some((last, earlier)) = self.chunks.get(..whole).and_then(<[Chunk]>::split_last) else { return 0 };
        earlier.iter().map(|chunk| chunk.number).fold(last.before(instant), u64::saturating_add)
    }

    /// The last start before an instant.
    pub(super) fn last_before(&self, instant: i64) -> Option<i64> {
        let chunks = self.chunks.partition_point(|chunk| chunk.first < instant);
        let starts = &self.chunks.get(chunks.checked_sub(1)?)?.starts;
        let earlier = starts.partition_point(|start| start.time < instant);
        starts.get(earlier.checked_sub(1)?).map(|start| start.time)
    }

    /// The start of the wait that has this place (from 0) in the order of starts.
    pub(super) fn nth(&self, place: u64) -> Option<i64> {
        let mut before = 0_u64;
        for chunk in &self.chunks {
            let through = before.saturating_add(chunk.number);
            if place < through {
                return chunk.nth(place.checked_sub(before)?);
            }
            before = through;
        }
        None
    }
}
