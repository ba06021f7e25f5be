//! Weeks of a store's life in seconds: a clock that jumps, a scheduler that is a seed, a disk that forgets and fails,
//! and a plain map that says what must be there.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use skillscope_segment::{Segment, UserType};

use super::samples::{DAY, HOUR, MINUTE, World, batch, contents, entry, segment};
use super::simulated_disk::Fault;
use super::streams::{Delivery, Streams};
use crate::calendar::hour_of;
use crate::journal::file_record::FileRecord;
use crate::maintenance::clean_up;
use crate::maintenance::compaction::Compaction;
use crate::maintenance::eviction::evict;
use crate::maintenance::retention::expire;
use crate::maintenance::scrub::scrub;
use crate::maintenance::sealing::{Sealing, hour_to_seal};
use crate::rows::run::Run;
use crate::{Result, Retention, Store};

/// Names the seed of a run that is to be repeated.
const SEED: &str = "SKILLSCOPE_SIMULATION_SEED";

const STEPS: usize = 500;

/// The account whose segments are removed after three days.
const SHORT_LIVED: &str = "short";

const LIFE: i64 = 3 * DAY;

#[test]
fn weeks_of_sealing_lateness_compaction_expiry_crashes_and_faults_lose_and_double_nothing() {
    let seeds: Vec<u64> = match std::env::var(SEED) {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => vec![1, 2, 3, RandomState::new().hash_one(0)],
    };
    for seed in seeds {
        let told = std::panic::catch_unwind(|| Simulation::new(seed).run());
        assert!(told.is_ok(), "it went wrong with {SEED}={seed}");
    }
}

/// A job of maintenance between two of its steps.
enum Job {
    Sealing(Sealing),
    SealingWritten(Sealing, Result<Vec<(FileRecord, Run)>>),
    Compaction(Compaction),
    CompactionWritten(Compaction, Result<FileRecord>),
}

struct Simulation {
    random: Xoshiro256PlusPlus,
    world: World,
    store: Option<Store>,
    job: Option<Job>,
    /// What was acknowledged: by key, the segment.
    model: BTreeMap<String, Segment<'static>>,
    /// Batches whose write failed: they must not be there, unless the power goes before the journal is written anew.
    doubtful: Vec<Vec<Segment<'static>>>,
    conversations: u32,
    streams: Streams,
    /// Events that were sent without an answer, and how the conversations are with them. They are sent again.
    unanswered: Option<(Delivery, Streams)>,
    counts: Counts,
}

/// What a run must have seen to mean something.
#[derive(Debug, Default)]
struct Counts {
    crashes: u32,
    failed_writes: u32,
    streamed: usize,
    sealed: u32,
    compacted: u32,
    expired: u32,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let world =
            World::with(|options| options.retention = Retention::parse(&[format!("{SHORT_LIVED}=3d")]).unwrap());
        Self {
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            store: Some(world.open()),
            world,
            job: None,
            model: BTreeMap::new(),
            doubtful: Vec::new(),
            conversations: 0,
            streams: Streams::new("streamed"),
            unanswered: None,
            counts: Counts::default(),
        }
    }

    fn run(mut self) {
        for step in 0..STEPS {
            match self.random.random_range(0..100) {
                0..30 => self.append(),
                30..40 => self.stream(),
                40..50 => {
                    let wait = [MINUTE, HOUR, 12 * HOUR, 4 * DAY][self.random.random_range(0..4)];
                    self.world.wait(self.random.random_range(0..wait));
                }
                50..85 => self.maintain(),
                85..90 => self.maintain_for_long(),
                90..93 => self.crash(),
                93..94 => self.restart(),
                _ => self.fail_for_a_while(),
            }
            if step % 40 == 0 {
                self.check();
            }
        }
        self.restart();
        self.check();
        let counts = &self.counts;
        assert!(counts.crashes > 0 && counts.failed_writes > 0 && counts.streamed > 0, "{counts:?}");
        assert!(counts.sealed > 0 && counts.compacted > 0 && counts.expired > 0, "{counts:?}");
        assert_eq!(self.world.quarantined().iter().filter(|path| !path.starts_with("archive")).count(), 0);
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    /// A segment of now, of a while ago, or of long ago.
    fn new_segment(&mut self) -> Segment<'static> {
        let account = ["acme", "bolt", SHORT_LIVED][self.random.random_range(0..3)];
        let late = [0, 0, 0, 3 * HOUR, 26 * HOUR, 9 * DAY][self.random.random_range(0..6)];
        let end_time = self.world.now() - late - self.random.random_range(0..HOUR);
        let user_type = UserType::ALL[self.random.random_range(0..UserType::ALL.len())];
        self.conversations += 1;
        segment(
            account,
            self.conversations,
            self.random.random_range(0..3),
            self.random.random_range(-1..5),
            user_type,
            end_time,
        )
    }

    /// A segment that is stored already, and will not expire while it is being written again.
    fn stored_segment(&mut self) -> Option<Segment<'static>> {
        let place = self.random.random_range(0..self.model.len().max(1));
        let segment = self.model.values().nth(place)?.clone();
        (segment.account_id != SHORT_LIVED).then_some(segment)
    }

    fn append(&mut self) {
        let mut segments = Vec::new();
        let (mut accepted, mut duplicates, mut refused) = (0, 0, 0);
        let mut new = BTreeMap::new();
        for _ in 0..self.random.random_range(1..25) {
            let kind = self.random.random_range(0..10);
            let stored = if kind < 3 { self.stored_segment() } else { None };
            match stored {
                None => {
                    let segment = self.new_segment();
                    accepted += 1;
                    new.insert(entry(&segment).0, segment.clone());
                    segments.push(segment);
                }
                Some(segment) if kind < 2 => {
                    duplicates += 1;
                    segments.push(segment);
                }
                Some(segment) => {
                    // Another end time in the same hour is always found.
                    let hour = hour_of(segment.end_time);
                    let end_time = hour + (segment.end_time - hour + 1) % HOUR;
                    refused += 1;
                    segments.push(moved(segment, end_time));
                }
            }
        }
        match self.store().append(&batch(&segments)) {
            Ok(appended) => {
                let counts = (appended.accepted, appended.duplicates, appended.refused_count);
                assert_eq!(counts, (accepted, duplicates, refused));
                self.model.extend(new);
            }
            Err(_) => {
                self.counts.failed_writes += 1;
                self.doubtful.push(new.into_values().collect());
            }
        }
    }

    /// Conversations go on, as events.
    fn stream(&mut self) {
        let (delivery, streams) = self.unanswered.take().unwrap_or_else(|| {
            let mut streams = self.streams.clone();
            let delivery = streams.go_on(&mut self.random, self.world.now());
            (delivery, streams)
        });
        match self.store().append_events(delivery.batch(), true) {
            Ok(appended) => {
                assert_eq!(appended.accepted + appended.duplicates, delivery.events.len());
                self.counts.streamed += delivery.closed.len();
                self.model.extend(delivery.closed.into_iter().map(|segment| (entry(&segment).0, segment)));
                self.streams = streams;
            }
            Err(_) => {
                self.counts.failed_writes += 1;
                self.doubtful.push(delivery.closed.clone());
                self.unanswered = Some((delivery, streams));
            }
        }
    }

    /// One step of a job, or the beginning of another; what fails is tried again later.
    fn maintain(&mut self) {
        let store = self.store.take().unwrap();
        let (_, job) = (0, self.job.take());
        self.job = match job {
            None => self.begin(&store),
            Some(Job::Sealing(sealing)) => {
                let written = sealing.write(store.shared());
                Some(Job::SealingWritten(sealing, written))
            }
            Some(Job::SealingWritten(sealing, written)) => {
                self.counts.sealed += u32::from(sealing.finish(store.shared(), written).is_ok());
                None
            }
            Some(Job::Compaction(compaction)) => {
                let written = compaction.write(store.shared());
                Some(Job::CompactionWritten(compaction, written))
            }
            Some(Job::CompactionWritten(compaction, written)) => {
                self.counts.compacted += u32::from(compaction.finish(store.shared(), written).is_ok());
                None
            }
        };
        self.store = Some(store);
    }

    fn maintain_for_long(&mut self) {
        for _ in 0..40 {
            self.maintain();
        }
    }

    fn begin(&mut self, store: &Store) -> Option<Job> {
        match self.random.random_range(0..10) {
            0..2 => {
                let expired = expire(store.shared());
                self.counts.expired += u32::from(expired.unwrap_or(false));
                None
            }
            2 => {
                let _ = evict(store.shared());
                None
            }
            3 => {
                let _ = clean_up(store.shared());
                let _ = scrub(store.shared());
                None
            }
            4..6 => Compaction::begin(store.shared()).map(Job::Compaction),
            _ => {
                let (account, hour) = hour_to_seal(store.shared(), self.random.random_bool(0.2))?;
                Sealing::begin(store.shared(), &account, hour).ok()?.map(Job::Sealing)
            }
        }
    }

    /// Faults strike in what happens next, and stop.
    fn fail_for_a_while(&mut self) {
        let at = self.world.disk.operations() + self.random.random_range(0..12);
        let faults = [
            Fault::Write(at),
            Fault::ShortWrite(at),
            Fault::Full(at),
            Fault::Sync(at),
            Fault::Rename(at),
            Fault::Any(at),
        ];
        self.world.disk.set_fault(Some(faults[self.random.random_range(0..faults.len())]));
        for _ in 0..self.random.random_range(1..5) {
            match self.random.random_range(0..4) {
                0 => self.append(),
                1 => self.stream(),
                _ => self.maintain(),
            }
        }
        if self.random.random_bool(0.1) {
            self.crash();
        }
        self.world.disk.set_fault(None);
    }

    fn crash(&mut self) {
        self.counts.crashes += 1;
        self.job = None;
        self.world.disk.cut_power(&mut self.random);
        drop(self.store.take());
        self.store = Some(self.world.open());
        self.settle_doubt();
    }

    fn restart(&mut self) {
        self.job = None;
        self.world.disk.set_fault(None);
        drop(self.store.take());
        self.store = Some(self.world.open());
        self.settle_doubt();
    }

    /// A write that failed is there entirely or not at all.
    fn settle_doubt(&mut self) {
        if self.doubtful.is_empty() {
            return;
        }
        let contents = contents(&self.store().snapshot());
        for segments in std::mem::take(&mut self.doubtful) {
            let there = segments.iter().filter(|segment| contents.contains_key(&entry(segment).0)).count();
            let lived: Vec<_> = segments.iter().filter(|segment| !self.may_be_gone(segment)).collect();
            let lived_there = lived.iter().filter(|segment| contents.contains_key(&entry(segment).0)).count();
            assert!(lived_there == 0 || lived_there == lived.len(), "a part of a failed write is there");
            if there > 0 {
                self.model.extend(segments.into_iter().map(|segment| (entry(&segment).0, segment)));
            }
        }
    }

    fn may_be_gone(&self, segment: &Segment<'_>) -> bool {
        segment.account_id == SHORT_LIVED && hour_of(segment.end_time) + HOUR + LIFE <= self.world.now()
    }

    fn check(&mut self) {
        let contents = contents(&self.store().snapshot());
        let now = self.world.now();
        let gone: Vec<String> =
            self.model.iter().filter(|(key, _)| !contents.contains_key(*key)).map(|(key, _)| key.clone()).collect();
        for key in gone {
            let segment = self.model.remove(&key).unwrap();
            assert!(self.may_be_gone(&segment), "{key} is lost, which ended {} ms ago", now - segment.end_time);
        }
        let expected: BTreeMap<String, String> = self.model.values().map(entry).collect();
        assert_eq!(contents, expected);
        assert_eq!(self.store().dead_letters(), BTreeMap::new());
        if self.unanswered.is_none() {
            assert_eq!(self.store().open_conversations(), self.streams.open());
        }
    }
}

fn moved(segment: Segment<'static>, end_time: i64) -> Segment<'static> {
    let assigned = segment.first_assigned_time.map(|_| end_time);
    Segment { start_time: end_time, end_time, first_assigned_time: assigned, ..segment }
}
