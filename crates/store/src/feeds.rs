//! The feed of each account: how far its data go, and when something came last. Without that, a feed that has died looks
//! like a quiet day.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use parking_lot::RwLock;
use skillscope_segment::{AccountId, DeadLetter, Segmenter};

use crate::clock::Clock;
use crate::rows::run::Cut;
use crate::snapshot::Snapshot;
use crate::store::Store;

/// The feed of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Feed {
    /// The latest end of a segment, or the latest time of an event where that is later, in milliseconds since the epoch.
    /// An event that is a little ahead of the clock counts as of when it came, one that is not believed not at all, and a
    /// segment as of its end.
    pub data_until: Option<i64>,
    /// When a segment or an event was accepted last, by the store's clock, in milliseconds since the epoch. `None` where
    /// that was before stores noted it.
    pub last_arrival: Option<i64>,
    /// The conversations that are open.
    pub open_conversations: u64,
    /// Gaps in conversations that have not been waited for any longer since the start.
    pub gaps_given_up: u64,
    /// Events that could have no effect since the start.
    pub dead_letters: u64,
    /// Records sent for this account alone that were rejected since the start.
    pub rejected: u64,
    /// When something was accepted last, by the steady clock.
    heard: i64,
}

impl Feed {
    fn note_data(&mut self, until: i64) {
        self.data_until = self.data_until.max(Some(until));
    }
}

/// The feeds of all accounts of which there is anything. They change with each commit, and nobody waits for a write to
/// read them.
#[derive(Debug)]
pub(crate) struct Feeds {
    clock: Clock,
    feeds: RwLock<HashMap<AccountId, Feed>>,
}

/// What a commit has brought.
pub(crate) struct Delivery<'d> {
    /// The accounts of which something was accepted.
    pub(crate) accounts: &'d BTreeSet<Box<str>>,
    /// When, by the store's clock.
    pub(crate) now: i64,
    /// The new rows.
    pub(crate) cuts: &'d [Cut],
    /// The conversations, with their changes on trial.
    pub(crate) segmenter: &'d Segmenter,
}

impl Feeds {
    /// The feeds as a start finds them: arrivals as they were noted, the rest by what is there. Silence goes on from
    /// where it was; where no arrival was noted, it begins now.
    pub(crate) fn found(snapshot: &Snapshot, segmenter: &Segmenter, arrivals: &[(String, i64)], clock: &Clock) -> Self {
        let mut feeds = HashMap::new();
        let (now, steady) = (clock.now(), clock.steady());
        for (account, arrival) in arrivals {
            change(&mut feeds, account, |feed| feed.last_arrival = Some(*arrival));
        }
        for partition in snapshot.all_partitions() {
            change(&mut feeds, partition.account().as_str(), |feed| feed.note_data(*partition.end_times().end()));
        }
        for file in snapshot.all_files() {
            change(&mut feeds, file.account().as_str(), |feed| feed.note_data(*file.end_times().end()));
        }
        for (account, time) in segmenter.watermarks() {
            change(&mut feeds, account, |feed| feed.note_data(time));
        }
        for (account, open) in segmenter.open_conversations_by_account() {
            change(&mut feeds, account, |feed| feed.open_conversations = open as u64);
        }
        for feed in feeds.values_mut() {
            let silence = feed.last_arrival.map_or(0, |arrival| now.saturating_sub(arrival).max(0));
            feed.heard = steady.saturating_sub(silence);
        }
        Self { clock: clock.clone(), feeds: RwLock::new(feeds) }
    }

    /// Notes a commit that is durable.
    pub(crate) fn note_delivery(&self, delivery: &Delivery<'_>) {
        let steady = self.clock.steady();
        let feeds = &mut *self.feeds.write();
        for account in delivery.accounts {
            change(feeds, account, |feed| (feed.last_arrival, feed.heard) = (Some(delivery.now), steady));
        }
        for cut in delivery.cuts {
            change(feeds, cut.account.as_str(), |feed| feed.note_data(*cut.run.end_times.end()));
        }
        for (account, time) in delivery.segmenter.changed_watermarks() {
            change(feeds, account, |feed| feed.note_data(time));
        }
        for (account, open) in delivery.segmenter.changed_accounts() {
            change(feeds, account, |feed| feed.open_conversations = open as u64);
        }
    }

    /// Notes what events have lost: gaps that are not waited for any longer, by account, and dead letters.
    pub(crate) fn note_losses<'g>(&self, gaps: impl Iterator<Item = (&'g str, usize)>, letters: &[DeadLetter]) {
        let mut losses: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for (account, number) in gaps {
            losses.entry(account).or_default().0 += number as u64;
        }
        for letter in letters {
            losses.entry(&letter.event.account_id).or_default().1 += 1;
        }
        if losses.is_empty() {
            return;
        }
        let mut feeds = self.feeds.write();
        for (account, (gaps, letters)) in losses {
            let Some(feed) = feeds.get_mut(account) else { continue };
            feed.gaps_given_up = feed.gaps_given_up.saturating_add(gaps);
            feed.dead_letters = feed.dead_letters.saturating_add(letters);
        }
    }

    /// Notes records for an account that were rejected. One of which nothing was ever accepted is not noted: anybody
    /// can send rubbish for any name.
    pub(crate) fn note_rejected(&self, account: &AccountId, records: u64) {
        if let Some(feed) = self.feeds.write().get_mut(account) {
            feed.rejected = feed.rejected.saturating_add(records);
        }
    }

    /// When something was accepted last, by account, in milliseconds since the epoch.
    pub(crate) fn arrivals(&self) -> Vec<(String, i64)> {
        let feeds = self.feeds.read();
        feeds.iter().filter_map(|(account, feed)| Some((account.to_string(), feed.last_arrival?))).collect()
    }
}

/// Changes the feed of an account, which may be new.
fn change(feeds: &mut HashMap<AccountId, Feed>, account: &str, change: impl FnOnce(&mut Feed)) {
    match feeds.get_mut(account) {
        Some(feed) => change(feed),
        None => {
            // Whatever is stored has an account whose name was checked.
            let Ok(account) = AccountId::parse(account) else { return };
            change(feeds.entry(account).or_default());
        }
    }
}

impl Store {
    /// The feed of an account; `None` where nothing ever came for it. This is a look-up, and waits for no write.
    pub fn feed(&self, account: &str) -> Option<Feed> {
        self.shared().feeds().feeds.read().get(account).copied()
    }

    /// The feeds of all accounts of which something came, in alphabetical order.
    pub fn feeds(&self) -> BTreeMap<AccountId, Feed> {
        let feeds = self.shared().feeds().feeds.read();
        feeds.iter().map(|(account, feed)| (account.clone(), *feed)).collect()
    }

    /// For how long nothing has been accepted of a feed: by a clock that nobody can set, and across restarts.
    pub fn silence(&self, feed: &Feed) -> Duration {
        let silence = self.shared().feeds().clock.steady().saturating_sub(feed.heard);
        Duration::from_millis(u64::try_from(silence).unwrap_or(0))
    }
}
