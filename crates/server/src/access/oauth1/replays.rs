//! That each signed request counts once, and soon after it was signed (RFC 5849, section 3.3).
//!
//! The numbers that clients make up for their requests are remembered for as long as their timestamps are taken. A
//! token that sends more requests than are remembered has the oldest ones forgotten, and from then on its timestamps
//! have to be later than those: current requests go on, and other tokens do not notice.
//!
//! After a restart nothing is remembered but the latest timestamp of each token, which was written down, and later ones
//! are taken. A start time would not do: it would refuse the first requests of the second in which a server starts, and
//! take again what a client sent whose clock is ahead.

use std::collections::{BTreeMap, HashMap, HashSet};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::access::AccessError;
use crate::access::token::TokenId;
use crate::access::token_file::TokenFile;

/// How far a timestamp may be from the machine's clock, either way.
pub(crate) const WINDOW_SECONDS: i64 = 300;

/// The requests of a token that are remembered: all of five minutes, at more than three hundred a second.
const MOST_REMEMBERED: usize = 100_000;

/// Why a request is not taken that is signed as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Untimely {
    /// Its timestamp is so many seconds ahead of the machine's clock, or behind it where that is negative.
    Clock { ahead: i64 },
    /// Its timestamp is not after those of which nothing is remembered any more.
    Overtaken,
    /// It has come before.
    Replayed,
}

/// The requests that were taken.
#[derive(Debug)]
pub(in crate::access) struct Replays {
    file: Option<TokenFile>,
    remembered: Mutex<HashMap<TokenId, Remembered>>,
    /// The latest timestamps, as they are written down.
    written: Mutex<BTreeMap<String, i64>>,
}

#[derive(Debug, Default)]
struct Remembered {
    /// Timestamps up to this one are not taken.
    after: i64,
    /// The latest timestamp that is written down.
    written: i64,
    requests: BTreeMap<i64, HashSet<[u8; 16]>>,
    number: usize,
}

impl Replays {
    pub(in crate::access) fn of(file: Option<TokenFile>) -> Self {
        let written = file.as_ref().map(TokenFile::timestamps).unwrap_or_default();
        Self { file, remembered: Mutex::default(), written: Mutex::new(written) }
    }

    /// Takes a request of a token at the time `now`, in seconds, and tells whether its timestamp is still to be
    /// [written down](Self::write).
    pub(in crate::access) fn take(
        &self,
        token: TokenId,
        timestamp: i64,
        nonce: &str,
        now: i64,
    ) -> Result<bool, Untimely> {
        let mut remembered = self.remembered.lock();
        if !remembered.contains_key(&token) {
            // Tokens that are gone are forgotten once their requests would not be taken any more.
            remembered
                .retain(|_, of_token| of_token.requests.last_key_value().is_some_and(|(last, _)| is_near(*last, now)));
            let after = self.written.lock().get(&token.text()).copied().unwrap_or(0);
            remembered.insert(token, Remembered { after, written: after, ..Remembered::default() });
        }
        let of_token = remembered.entry(token).or_default();
        of_token.take(timestamp, nonce, now)?;
        Ok(timestamp > of_token.written)
    }

    /// Writes down that a token's requests have been taken up to `timestamp`. This may take as long as the disk does.
    pub(in crate::access) fn write(&self, token: TokenId, timestamp: i64, now: i64) -> Result<(), AccessError> {
        let mut written = self.written.lock();
        let (Some(file), id) = (&self.file, token.text()) else { return Ok(()) };
        if written.get(&id).is_none_or(|written| *written < timestamp) {
            let mut new = written.clone();
            new.retain(|_, written| is_near(*written, now));
            new.insert(id, timestamp);
            file.write_timestamps(&new)?;
            *written = new;
        }
        drop(written);
        if let Some(of_token) = self.remembered.lock().get_mut(&token) {
            of_token.written = of_token.written.max(timestamp);
        }
        Ok(())
    }
}

impl Remembered {
    fn take(&mut self, timestamp: i64, nonce: &str, now: i64) -> Result<(), Untimely> {
        if !is_near(timestamp, now) {
            return Err(Untimely::Clock { ahead: timestamp.saturating_sub(now) });
        }
        if timestamp <= self.after {
            return Err(Untimely::Overtaken);
        }
        self.forget_before(now.saturating_sub(WINDOW_SECONDS));
        let nonce = fingerprint(nonce);
        if self.requests.get(&timestamp).is_some_and(|nonces| nonces.contains(&nonce)) {
            return Err(Untimely::Replayed);
        }
        if self.number >= MOST_REMEMBERED
            && let Some((oldest, nonces)) = self.requests.pop_first()
        {
            self.number = self.number.saturating_sub(nonces.len());
            self.after = self.after.max(oldest);
            if timestamp <= oldest {
                return Err(Untimely::Overtaken);
            }
        }
        self.requests.entry(timestamp).or_default().insert(nonce);
        self.number = self.number.saturating_add(1);
        Ok(())
    }

    fn forget_before(&mut self, first: i64) {
        if self.requests.first_key_value().is_some_and(|(oldest, _)| *oldest < first) {
            self.requests = self.requests.split_off(&first);
            self.number = self.requests.values().map(HashSet::len).sum();
        }
    }
}

fn is_near(timestamp: i64, now: i64) -> bool {
    timestamp.saturating_sub(now).saturating_abs() <= WINDOW_SECONDS
}

/// What is remembered of a number that a client made up.
fn fingerprint(nonce: &str) -> [u8; 16] {
    let mut first = [0; 16];
    first.iter_mut().zip(Sha256::digest(nonce.as_bytes())).for_each(|(to, from)| *to = from);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn token(number: u8) -> TokenId {
        serde_json::from_str(&format!("\"{number:016x}\"")).unwrap()
    }

    fn taken(replays: &Replays, timestamp: i64, nonce: &str) -> Result<(), Untimely> {
        replays.take(token(1), timestamp, nonce, NOW).map(drop)
    }

    #[test]
    fn a_request_counts_once() {
        let replays = Replays::of(None);
        assert_eq!(taken(&replays, NOW, "a"), Ok(()));
        assert_eq!(taken(&replays, NOW, "a"), Err(Untimely::Replayed));
        assert_eq!(taken(&replays, NOW, "b"), Ok(()), "with another number it is another one");
        assert_eq!(taken(&replays, NOW - 1, "a"), Ok(()), "and at another time");
        assert_eq!(replays.take(token(2), NOW, "a", NOW), Ok(true), "and of another token");
    }

    #[test]
    fn a_timestamp_is_within_the_window() {
        let replays = Replays::of(None);
        for (ahead, is_taken) in [(-301, false), (-300, true), (300, true), (301, false), (i64::MAX - NOW, false)] {
            let expected = if is_taken { Ok(()) } else { Err(Untimely::Clock { ahead }) };
            assert_eq!(taken(&replays, NOW + ahead, "a"), expected, "{ahead}");
        }
        // A request is remembered for as long as it would be taken.
        assert_eq!(replays.take(token(1), NOW + 300, "a", NOW + 600), Err(Untimely::Replayed));
        assert_eq!(replays.take(token(1), NOW + 300, "a", NOW + 601), Err(Untimely::Clock { ahead: -301 }));
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_second_is_shut() {
        let replays = Replays::of(None);
        replays.take(token(2), NOW - 10, "other", NOW).unwrap();
        for number in 0..MOST_REMEMBERED {
            let second = i64::try_from(number % 100).unwrap();
            taken(&replays, NOW - 99 + second, &number.to_string()).unwrap();
        }
        assert_eq!(taken(&replays, NOW, "new"), Ok(()), "current requests go on");
        assert_eq!(taken(&replays, NOW - 99, "new"), Err(Untimely::Overtaken));
        assert_eq!(taken(&replays, NOW - 98, "new"), Ok(()));
        assert_eq!(taken(&replays, NOW - 98, "1"), Err(Untimely::Replayed));
        assert_eq!(replays.take(token(2), NOW - 120, "new", NOW), Ok(true), "another token's are its own");
        assert_eq!(replays.take(token(2), NOW - 10, "other", NOW), Err(Untimely::Replayed));
        assert!(replays.remembered.lock().values().all(|of_token| of_token.number <= MOST_REMEMBERED));
    }

    #[test]
    fn many_requests_of_one_second_shut_that_second_alone() {
        let replays = Replays::of(None);
        (0..MOST_REMEMBERED).for_each(|number| taken(&replays, NOW, &number.to_string()).unwrap());
        assert_eq!(taken(&replays, NOW, "new"), Err(Untimely::Overtaken));
        assert_eq!(taken(&replays, NOW, "0"), Err(Untimely::Overtaken));
        assert_eq!(taken(&replays, NOW + 1, "new"), Ok(()));
    }

    #[test]
    fn what_was_taken_before_a_restart_is_not_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        let start = || Replays::of(Some(TokenFile::in_directory(folder.path())));
        let replays = start();
        assert_eq!(replays.take(token(1), NOW + 20, "a", NOW), Ok(true));
        replays.write(token(1), NOW + 20, NOW).unwrap();
        assert_eq!(replays.take(token(1), NOW + 20, "b", NOW), Ok(false), "once a second is enough");
        assert_eq!(replays.take(token(1), NOW + 19, "b", NOW), Ok(false));
        let replays = start();
        assert_eq!(taken(&replays, NOW + 20, "a"), Err(Untimely::Overtaken));
        assert_eq!(taken(&replays, NOW + 21, "a"), Ok(()));
        assert_eq!(replays.take(token(2), NOW - 200, "a", NOW), Ok(true), "another token has sent nothing");
        // What could not be taken any more need not be remembered.
        replays.write(token(2), NOW + 400, NOW + 400).unwrap();
        assert_eq!(TokenFile::in_directory(folder.path()).timestamps().len(), 1);
    }
}
